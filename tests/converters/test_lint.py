"""Calibration lint: mistakes as users make them are named, and sound data is left alone."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import sklearn
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers
from sklearn.datasets import load_breast_cancer, load_digits

from edgeship_converters.lint import Expectations, Finding, lint, lint_answers
from edgeship_converters.lint.expectation import Ids, Moments, Range, Size
from edgeship_converters.sources import open_source
from edgeship_converters.sources.expected_range import expected_ranges
from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle import Contract, InputSpec, OutputSpec

MNIST = Path(__file__).parents[3] / "shared" / "data" / "mnist-t10k-images-idx3-ubyte.gz"
RANDOM = np.random.default_rng
DIGITS, DIGIT_LABELS = load_digits(return_X_y=True)
IMAGES: Array = (DIGITS / 16).reshape(-1, 8, 8, 1).astype(np.float32)
CANCER = load_breast_cancer()
TABLE: Array = CANCER.data.astype(np.float32)
FEATURES = tuple(str(name) for name in CANCER.feature_names)


def contract(
    *inputs: tuple[str, Any, tuple[int | None, ...]],
    classes: int = 0,
    feature_names: tuple[str, ...] = (),
) -> Contract:
    return Contract(
        task="classification" if classes else "other",
        inputs=tuple(
            InputSpec(name=name, dtype=dtype, shape=shape, feature_names=feature_names)
            for name, dtype, shape in inputs
        ),
        outputs=(
            OutputSpec(
                name="out",
                dtype="float32",
                shape=(None, classes or 1),
                role="probabilities" if classes else "tensor",
            ),
        ),
        classes=tuple(range(classes)) if classes else None,
    )


def lint_one(
    calibration: Array,
    judged: Array | None = None,
    model: Any = None,
    names: tuple[str, ...] = (),
    free: bool = False,
) -> list[Finding]:
    """The findings for a model with the one input `x`."""
    shape = (None,) * calibration.ndim if free else (None, *calibration.shape[1:])
    return lint(
        contract(("x", calibration.dtype.name, shape), feature_names=names),
        {"x": calibration},
        None if judged is None else {"x": judged},
        None,
        None if model is None else expected_ranges(model, ["x"]),
    )


def pictures(count: int = 120, side: int = 32, seed: int = 0) -> Array:
    """Colour pictures [n, side, side, 3] of bytes: a gradient, blobs of their own hue, noise."""
    random = RANDOM(seed)
    down, across = np.mgrid[0:side, 0:side] / side
    made = np.zeros((count, side, side, 3))
    for n in range(count):
        slopes = random.uniform(-1, 1, (2, 3))
        made[n] += down[..., None] * slopes[0] + across[..., None] * slopes[1]
        for _ in range(4):
            y, x = random.uniform(0, 1, 2)
            near = np.exp(-((down - y) ** 2 + (across - x) ** 2) / random.uniform(0.005, 0.05))
            made[n] += near[..., None] * random.uniform(-1.5, 1.5, 3)
    made = 128 + 70 * made + random.normal(0, 4, made.shape)
    return np.clip(made, 0, 255).astype(np.uint8)


def rescaled(shape: tuple[int, ...] = (8, 8, 1), dtype: str = "float32") -> Any:
    return keras.Sequential(
        [keras.Input(shape, dtype=dtype), layers.Rescaling(1 / 255), layers.Conv2D(2, 3)]
    )


def normalized() -> Any:
    """A model over the cancer table that was adapted to it."""
    norm = layers.Normalization()
    norm.adapt(TABLE)
    return keras.Sequential([keras.Input((30,)), norm, layers.Dense(2)])


def embedded(below: int = 1000) -> Any:
    return keras.Sequential(
        [keras.Input((12,), dtype="int32"), layers.Embedding(below, 4), layers.Flatten()]
    )


def trained_on(images: Array, first: list[Any]) -> Any:
    """A small network of digits with batch normalization, trained on `images` as they are."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), *first, layers.ReLU(), layers.Flatten(), layers.Dense(10)]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(images, DIGIT_LABELS, epochs=3, batch_size=32, verbose=0)
    return model


def tokens(count: int = 200, below: int = 1000) -> Array:
    """Sentences of 4 to 12 ids, the first one the same throughout, padded with 0."""
    random = RANDOM(3)
    ids = random.integers(3, below, (count, 12)).astype(np.int32)
    ids[:, 0] = 2
    ids[np.arange(12) >= random.integers(4, 13, (count, 1))] = 0
    return ids


def stuck(column: int, value: float) -> Array:
    table = TABLE.copy()
    table[:, column] = value
    return table


def wild() -> Array:
    table = TABLE.copy()
    table[7, 3] = 1e7
    return table


def cut(images: Array) -> Array:
    return images.astype(np.int32).astype(np.float32)


def half_unread() -> Array:
    images = IMAGES[:400].copy()
    images[::2] = 0
    return images


def nan_row() -> Array:
    table = TABLE.copy()
    table[5, 2] = np.nan
    return table


def shuffled_words() -> Array:
    words = tokens()
    words[3, 1] = 1000
    return words


def planes_reshaped(values: Array) -> Array:
    """A file of channel planes, given the model's shape by `reshape`."""
    return np.moveaxis(values, -1, 1).reshape(values.shape)


# What was done wrong; the findings; the check that names it; whether it must stop; the figure.
Mistake = tuple[Callable[[], list[Finding]], str, bool, str]
MISTAKES: dict[str, Mistake] = {
    "ten rows": (lambda: lint_one(IMAGES[:10]), "few-rows", False, "10 rows"),
    "zeros written for images": (
        lambda: lint_one(np.zeros_like(IMAGES)),
        "all-zero",
        True,
        "0 in all 1797 rows",
    ),
    "ones written for images": (
        lambda: lint_one(np.ones_like(IMAGES)),
        "one-value",
        True,
        "1 in all 1797 rows",
    ),
    "one row repeated": (
        lambda: lint_one(np.repeat(TABLE[:1], 200, axis=0)),
        "rows-equal",
        True,
        "all 200",
    ),
    "the file appended to itself": (
        lambda: lint_one(np.concatenate([TABLE, TABLE])),
        "duplicate-rows",
        False,
        "50% of the 1138",
    ),
    "images oversampled": (
        lambda: lint_one(np.repeat(IMAGES[:50], 4, axis=0)),
        "duplicate-rows",
        False,
        "75% of the 200",
    ),
    "calibrated on the rows that judge": (
        lambda: lint_one(IMAGES, IMAGES[:300]),
        "judged-rows-calibrate",
        False,
        "100% of 300",
    ),
    "divided by 255 before a Rescaling layer": (
        lambda: lint_one(IMAGES, model=rescaled()),
        "range",
        True,
        "from 0 to 1, the Rescaling layer",
    ),
    "centred to -1…1 before a Rescaling layer": (
        lambda: lint_one(IMAGES * 2 - 1, model=rescaled()),
        "range",
        True,
        "from -1 to 1,",
    ),
    "16-bit pixels where bytes are expected": (
        lambda: lint_one(np.rint(IMAGES * 65535), model=rescaled()),
        "range",
        True,
        "to 6.55e+04",
    ),
    "12-bit pixels where bytes are expected": (
        lambda: lint_one(np.rint(IMAGES * 4095), model=rescaled()),
        "range",
        False,
        "to 4.1e+03",
    ),
    "bytes minus 128 where bytes are expected": (
        lambda: lint_one(IMAGES * 255 - 128, model=rescaled()),
        "range",
        False,
        "from -128 to 127",
    ),
    "calibration 0…255, judging 0…1": (
        lambda: lint_one(IMAGES[:900] * 255, IMAGES[900:]),
        "scale",
        True,
        "times larger than judging rows",
    ),
    "calibration 0…1, judging 0…255": (
        lambda: lint_one(IMAGES[:900], IMAGES[900:] * 255),
        "scale",
        True,
        "times smaller than judging rows",
    ),
    "a column in grams, then in kilograms": (
        lambda: lint_one(
            TABLE[:300] * np.where(np.arange(30) == 3, 1000, 1).astype(np.float32),
            TABLE[300:],
            names=FEATURES,
        ),
        "scale",
        False,
        "'mean area'",
    ),
    "cut to whole numbers": (
        lambda: lint_one(cut(IMAGES[:900] * 1.5), IMAGES[900:]),
        "whole-numbers",
        False,
        "whole numbers from 0 to 1",
    ),
    "pictures of 0…1 stored as bytes": (
        lambda: lint_one((IMAGES > 0.5).astype(np.uint8)),
        "whole-numbers",
        False,
        "no value is above 1",
    ),
    "standardized before a Normalization layer": (
        lambda: lint_one((TABLE - TABLE.mean(0)) / TABLE.std(0), model=normalized()),
        "normalized-twice",
        True,
        "standard deviation 1 ",
    ),
    "millimetres for metres, adapted": (
        lambda: lint_one(TABLE * 1000, model=normalized()),
        "unlike-training",
        True,
        "30 of 30 features",
    ),
    "columns in another order, adapted": (
        lambda: lint_one(TABLE[:, ::-1].copy(), model=normalized(), names=FEATURES),
        "unlike-training",
        False,
        "was adapted to",
    ),
    "0…255 for a network with batch normalization first": (
        lambda: lint_one(IMAGES * 255, model=trained_on(IMAGES, [layers.BatchNormalization()])),
        "size",
        True,
        "root mean square of 1",
    ),
    "0…1 for a network with batch normalization first": (
        lambda: lint_one(IMAGES, model=trained_on(IMAGES * 255, [layers.BatchNormalization()])),
        "size",
        True,
        "trained on at least",
    ),
    "0…255 for a convolution with batch normalization": (
        lambda: lint_one(
            IMAGES * 255,
            model=trained_on(IMAGES, [layers.Conv2D(8, 3), layers.BatchNormalization()]),
        ),
        "size",
        False,
        "trained on about",
    ),
    "0…255 for a convolution with ReLU before the batch normalization": (
        lambda: lint_one(
            IMAGES * 255,
            model=trained_on(
                IMAGES, [layers.Conv2D(8, 3, activation="relu"), layers.BatchNormalization()]
            ),
        ),
        "size",
        False,
        "trained on about",
    ),
    "ids beyond the vocabulary": (
        lambda: lint_one(shuffled_words(), model=embedded()),
        "ids",
        True,
        "to 1000, the Embedding layer",
    ),
    "-1 for padding": (
        lambda: lint_one(np.where(tokens() == 0, -1, tokens()).astype(np.int32), model=embedded()),
        "ids",
        True,
        "from -1 to",
    ),
    "ids scaled to 0…1": (
        lambda: lint_one((tokens() / 1000).astype(np.float32), model=embedded()),
        "ids",
        True,
        "no whole numbers",
    ),
    "a sensor stuck": (
        lambda: lint_one(stuck(4, 0.1), names=FEATURES),
        "constant-columns",
        False,
        "1 of 30 columns never change ('mean smoothness' = 0.1)",
    ),
    "a column never filled": (
        lambda: lint_one(stuck(4, 0.0), names=FEATURES),
        "constant-columns",
        False,
        "'mean smoothness' = 0",
    ),
    "half of the images not read": (
        lambda: lint_one(half_unread()),
        "flat-rows",
        False,
        "200 of 400 rows (50%)",
    ),
    "each image averaged away": (
        lambda: lint_one(np.broadcast_to(IMAGES.mean((1, 2, 3), keepdims=True), IMAGES.shape)),
        "flat-rows",
        True,
        "1797 of 1797 rows",
    ),
    "one wild cell": (
        lambda: lint_one(wild(), names=FEATURES),
        "outliers",
        False,
        "'mean area': the largest magnitude 1e+07",
    ),
    "one wild pixel": (
        lambda: lint_one(np.where(np.arange(IMAGES.size).reshape(IMAGES.shape) == 99, 5e4, IMAGES)),
        "outliers",
        False,
        "5e+04",
    ),
    "a cell is missing": (lambda: lint_one(nan_row()), "not-finite", True, "in 1 of 569 rows"),
    "planes reshaped instead of transposed": (
        lambda: lint_one(planes_reshaped(pictures().astype(np.float32))),
        "layout",
        False,
        "times as much",
    ),
    "channels first where every axis is free": (
        lambda: lint_one(np.moveaxis(pictures(), -1, 1), free=True),
        "layout",
        False,
        "(3, 32, 32)",
    ),
    "width and height swapped in one file": (
        lambda: lint_one(
            pictures()[:, :24].astype(np.float32),
            np.swapaxes(pictures(seed=1)[:, :24], 1, 2).astype(np.float32),
            free=True,
        ),
        "layout",
        False,
        "(24, 32, 3), the judging rows have (32, 24, 3)",
    ),
    "the file sorted by class and cut": (
        lambda: lint(
            contract(("x", "float32", (None, 8, 8, 1)), classes=10),
            {"x": IMAGES[DIGIT_LABELS == 0]},
            None,
            DIGIT_LABELS[DIGIT_LABELS == 0],
            None,
        ),
        "one-class",
        False,
        "all 178 rows are of the class '0', one of 10",
    ),
    "a class left out": (
        lambda: lint(
            contract(("x", "float32", (None, 8, 8, 1)), classes=10),
            {"x": IMAGES[DIGIT_LABELS < 9]},
            None,
            DIGIT_LABELS[DIGIT_LABELS < 9],
            None,
        ),
        "missing-classes",
        False,
        "1 of 10 classes are in none of 1617 rows (9)",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_mistake_is_named_with_its_figure(mistake: str) -> None:
    made, check, fatal, figure = MISTAKES[mistake]
    found = made()
    named = [finding for finding in found if finding.check == check]
    assert named, found
    assert named[0].fatal is fatal, named
    assert figure in named[0].message, named
    assert all(finding.message.isprintable() for finding in found)
    assert len(found) <= 2, found


def one_hot(count: int, levels: int) -> Array:
    """Three categories in columns of 0 and 1; the last level never occurs."""
    random = RANDOM(5)
    drawn = [np.eye(levels)[random.integers(0, levels - 1, count)] for _ in range(3)]
    return np.concatenate(drawn, axis=1).astype(np.float32)


def sparse(count: int = 400) -> Array:
    random = RANDOM(6)
    values = random.exponential(5, (count, 20)) * (random.random((count, 20)) > 0.6)
    return values.astype(np.float32)


def long_tailed() -> Array:
    return RANDOM(7).lognormal(3, 2, (500, 6)).astype(np.float32)


def bordered() -> Array:
    framed = np.zeros((300, 32, 32, 3), np.float32)
    framed[:, 6:26, 6:26] = pictures(300, 20)
    return framed


def flattened_standardized() -> Array:
    flat = IMAGES.reshape(-1, 64)
    standard: Array = (flat - flat.mean()) / flat.std()
    return standard


def grey(channels: int = 3) -> Array:
    return np.repeat(pictures()[..., :1], channels, axis=3).astype(np.float32)


SOUND: dict[str, Callable[[], list[Finding]]] = {
    "digits": lambda: lint_one(IMAGES[:900], IMAGES[900:]),
    "digits as bytes": lambda: lint_one((IMAGES * 255).astype(np.uint8)),
    "digits, raw for a Rescaling layer": lambda: lint_one(IMAGES * 255, model=rescaled()),
    "dim digits, raw for a Rescaling layer": lambda: lint_one(IMAGES * 100, model=rescaled()),
    "flat digits, whole numbers": lambda: lint_one(DIGITS.astype(np.float32)),
    "flat digits, standardized": lambda: lint_one(flattened_standardized()),
    "digits of one bit": lambda: lint_one((IMAGES > 0.5).astype(np.float32)),
    "digits with batch normalization": lambda: lint_one(
        IMAGES, model=trained_on(IMAGES, [layers.BatchNormalization()])
    ),
    "digits 0…255 with batch normalization": lambda: lint_one(
        IMAGES * 255, model=trained_on(IMAGES * 255, [layers.BatchNormalization()])
    ),
    "digits after a convolution with batch normalization": lambda: lint_one(
        IMAGES, model=trained_on(IMAGES, [layers.Conv2D(8, 3), layers.BatchNormalization()])
    ),
    "digits after a convolution with ReLU and batch normalization": lambda: lint_one(
        IMAGES,
        model=trained_on(IMAGES, [layers.Conv2D(8, 3), layers.ReLU(), layers.BatchNormalization()]),
    ),
    "digits after a convolution, normalized along another axis": lambda: lint_one(
        IMAGES,
        model=trained_on(
            IMAGES, [layers.Conv2D(8, 3), layers.ReLU(), layers.BatchNormalization(axis=1)]
        ),
    ),
    "digits in thousandths after a convolution": lambda: lint_one(
        IMAGES / 1000,
        model=trained_on(IMAGES / 1000, [layers.Conv2D(8, 3), layers.BatchNormalization()]),
    ),
    "cancer, columns of very unlike scales": lambda: lint_one(
        TABLE[:400], TABLE[400:], names=FEATURES
    ),
    "cancer for a Normalization layer": lambda: lint_one(TABLE[:150], model=normalized()),
    "cancer, standardized": lambda: lint_one((TABLE - TABLE.mean(0)) / TABLE.std(0)),
    "one-hot columns, a level never seen": lambda: lint_one(
        one_hot(300, 6), one_hot(60, 6), names=tuple(f"level-{n}" for n in range(18))
    ),
    "few categories, rows repeat": lambda: lint_one(one_hot(500, 3)),
    "one column of whole numbers": lambda: lint_one(
        RANDOM(1).integers(18, 90, (500, 1)).astype(np.float32)
    ),
    "60 % zeros": lambda: lint_one(sparse(), sparse(90)[::-1].copy() * 1.5),
    "long tails": lambda: lint_one(long_tailed()[:400], long_tailed()[400:]),
    "padded token ids": lambda: lint_one(tokens(), tokens(260)[200:], model=embedded()),
    "pictures": lambda: lint_one(pictures().astype(np.float32)),
    "pictures as bytes": lambda: lint_one(pictures(), model=rescaled((32, 32, 3), "uint8")),
    "pictures with black borders": lambda: lint_one(bordered()),
    "grey pictures in three channels": lambda: lint_one(grey()),
    "noise": lambda: lint_one(RANDOM(2).random((150, 16, 16, 3), np.float32)),
    "grey noise in three channels": lambda: lint_one(
        np.repeat(RANDOM(2).random((150, 16, 16, 1), np.float32), 3, axis=3)
    ),
    "horizontal stripes": lambda: lint_one(
        np.broadcast_to(RANDOM(2).random((150, 16, 1, 1), np.float32), (150, 16, 16, 3)).copy()
    ),
    "vertical stripes": lambda: lint_one(
        np.broadcast_to(RANDOM(2).random((150, 1, 16, 1), np.float32), (150, 16, 16, 3)).copy()
    ),
    "pictures of other sizes judged": lambda: lint_one(
        pictures().astype(np.float32), pictures(60, 24, 9).astype(np.float32), free=True
    ),
    "vibration in g": lambda: lint_one(
        np.sin(np.arange(64)[None, :, None] * RANDOM(4).uniform(0.1, 2, (200, 1, 3))).astype(
            np.float32
        )
        * np.float32(0.01)
    ),
    "words": lambda: lint(
        contract(("x", "string", (None, 1))),
        {"x": RANDOM(0).choice(np.array(["a", "b", "c"]), (200, 1))},
        None,
        None,
        None,
    ),
    "ids beside masks of ones and segments of zeros": lambda: lint(
        contract(
            ("ids", "int32", (None, 12)),
            ("mask", "int32", (None, 12)),
            ("seg", "int32", (None, 12)),
        ),
        {
            "ids": tokens(),
            "mask": np.ones((200, 12), np.int32),
            "seg": np.zeros((200, 12), np.int32),
        },
        None,
        None,
        None,
    ),
    "a thousand classes, five hundred rows": lambda: lint(
        contract(("x", "float32", (None, 30)), classes=1000),
        {"x": TABLE[:500]},
        None,
        RANDOM(0).integers(0, 1000, 500),
        None,
    ),
}


@pytest.mark.parametrize("data", SOUND, ids=str)
def test_sound_data_is_left_alone(data: str) -> None:
    assert SOUND[data]() == []


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(["normal", "exponential", "uniform", "counts", "pixels"]),
    rank=st.sampled_from([2, 3, 4]),
    exponent=st.integers(-6, 6),
)
def test_random_sound_data_is_left_alone(seed: int, kind: str, rank: int, exponent: int) -> None:
    random = RANDOM(seed)
    shape = (220, *random.integers(8, 14, rank - 2), int(random.integers(2, 5)))
    drawn: dict[str, Array] = {
        "normal": random.standard_normal(shape),
        "exponential": random.exponential(1, shape),
        "uniform": random.uniform(-1, 1, shape),
        "counts": random.poisson(3, shape),
        "pixels": random.integers(0, 256, shape),
    }
    scales = 10.0**exponent * 10.0 ** random.uniform(-2, 2, shape[-1])
    rows = (drawn[kind] * scales).astype(np.float32)
    assert lint_one(rows[:150], rows[150:]) == []


@pytest.mark.skipif(not MNIST.exists(), reason="needs the MNIST images in shared/data")
def test_mnist_is_left_alone_in_every_usual_form() -> None:
    raw = np.frombuffer(gzip.decompress(MNIST.read_bytes()), np.uint8, offset=16)
    raw = raw.reshape(-1, 28, 28, 1)
    unit = (raw / 255).astype(np.float32)
    forms: list[Array] = [
        raw,
        unit,
        unit * 2 - 1,
        (unit - 0.1307) / 0.3081,
        unit.reshape(len(raw), 784),
    ]
    for form in forms:
        assert lint_one(form[:500], form[5000:]) == []
        assert lint_one(form) == []


@pytest.mark.parametrize("side", [8, 16, 32, 64])
def test_photographs_are_left_alone_and_their_planes_named(side: int) -> None:
    files = sorted((Path(sklearn.__file__).parent / "datasets" / "images").glob("*.jpg"))
    assert files
    photographs = [tf.io.decode_jpeg(file.read_bytes()).numpy() for file in files]
    corners = [(y, x) for y in range(0, 360, 45) for x in range(0, 570, 60)]
    crops = np.stack(
        [photo[y : y + side, x : x + side] for photo in photographs for y, x in corners]
    ).astype(np.float32)
    assert lint_one(crops) == []
    assert [finding.check for finding in lint_one(planes_reshaped(crops))] == ["layout"]


def told(model: Any) -> Expectations:
    return expected_ranges(model, [f"input-{n}" for n in range(len(model.inputs))])


def built(make: Callable[[Any], Any], shape: tuple[int, ...] = (96, 96, 3)) -> Any:
    given = keras.Input(shape)
    return keras.Model(given, make(given))


def inside(*nested: Any) -> Any:
    return keras.Sequential([keras.Input((96, 96, 3)), *nested])


def conv(tensor: Any) -> Any:
    return layers.Conv2D(2, 3)(tensor)


@pytest.mark.parametrize(
    ("make", "high"),
    [
        (lambda x: conv(layers.Rescaling(1 / 127.5, offset=-1)(x)), 255),
        (lambda x: conv(x / 255.0), 255),
        (lambda x: conv(keras.applications.mobilenet_v2.preprocess_input(x)), 255),
        (lambda x: conv(keras.applications.resnet50.preprocess_input(x)), 255),
        (lambda x: conv(keras.applications.densenet.preprocess_input(x)), 255),
        (lambda x: conv(layers.Rescaling(1 / 255)(layers.Resizing(32, 32)(x))), 255),
        (lambda x: conv(inside(layers.Rescaling(1 / 255))(x)), 255),
        (inside(layers.Rescaling(1 / 255), layers.Conv2D(2, 3)), 255),
        (lambda x: conv(layers.Rescaling(2, offset=-1)(x)), 1),
        (lambda x: conv(layers.Rescaling(255)(x)), 1),
        (lambda x: conv(x / 65535.0), 65535),
    ],
)
def test_a_layer_that_scales_tells_the_range(make: Callable[[Any], Any], high: int) -> None:
    (found,) = told(built(make))["input-0"]
    assert isinstance(found, Range)
    assert (found.low, found.high) == (0, high)


@pytest.mark.parametrize(
    "make",
    [
        conv,
        lambda x: conv(layers.Rescaling(1.0)(x)),
        lambda x: conv(layers.Rescaling(0.1)(x)),
        lambda x: conv(layers.BatchNormalization()(x)),
        lambda x: conv(layers.Normalization(mean=0.0, variance=1.0)(x)),
    ],
)
def test_a_layer_that_says_nothing_of_the_data_tells_nothing(make: Callable[[Any], Any]) -> None:
    assert told(built(make)) == {}


def test_centring_a_table_tells_no_range() -> None:
    assert told(built(lambda x: layers.Dense(1)(x - 110.0), (4,))) == {}
    assert told(built(lambda x: layers.Dense(1)(x[:, :2] / 255.0), (4,))) == {}


def test_ready_made_networks_tell_their_range() -> None:
    for make in (keras.applications.MobileNetV3Small, keras.applications.EfficientNetB0):
        (found,) = told(make(weights=None, input_shape=(64, 64, 3)))["input-0"]
        assert isinstance(found, Range)
        assert found.high == 255


def test_a_normalization_layer_tells_its_moments_in_raw_units() -> None:
    norm = layers.Normalization()
    norm.adapt(TABLE / 10)
    (found,) = told(built(lambda x: norm(layers.Rescaling(0.1)(x)), (30,)))["input-0"]
    assert isinstance(found, Moments)
    np.testing.assert_allclose(found.mean, TABLE.mean(0), rtol=1e-3)
    np.testing.assert_allclose(found.deviation, TABLE.std(0), rtol=1e-3)


def test_each_input_tells_of_itself_and_the_smallest_table_bounds_the_ids() -> None:
    words, image = keras.Input((5,), dtype="int32"), keras.Input((8, 8, 1))
    joined = layers.Concatenate()(
        [
            layers.Flatten()(layers.Embedding(100, 2)(words)),
            layers.Flatten()(layers.Embedding(50, 2)(words)),
            layers.Flatten()(layers.Rescaling(1 / 255)(image)),
        ]
    )
    found = told(keras.Model([words, image], layers.Dense(1)(joined)))
    assert [type(one) for one in found["input-0"]] == [Ids]
    assert found["input-0"][0] == Ids(found["input-0"][0].layer, 50)
    assert [type(one) for one in found["input-1"]] == [Range]


def test_inputs_in_a_dict_are_told_apart_in_its_own_order() -> None:
    words = keras.Input((5,), dtype="int32", name="words")
    image = keras.Input((8, 8, 1), name="image")
    outputs = [layers.Embedding(9, 2)(words), layers.Rescaling(1 / 255)(image)]
    joined = layers.Concatenate()([layers.Flatten()(output) for output in outputs])
    model = keras.Model({"words": words, "image": image}, layers.Dense(1)(joined))
    source = open_source(model)
    names = [spec.name for spec in source.contract.inputs]
    found = expected_ranges(model, names)
    assert [type(one) for one in found["words"]] == [Ids]
    assert [type(one) for one in found["image"]] == [Range]


def test_the_size_after_a_first_convolution_is_a_true_lower_bound() -> None:
    model = trained_on(IMAGES * 255, [layers.Conv2D(8, 3), layers.BatchNormalization()])
    (found,) = told(model)["input-0"]
    assert isinstance(found, Size)
    true = float(np.sqrt(np.mean((IMAGES * 255) ** 2)))
    assert found.at_least is not None
    assert 0.05 * true < found.at_least <= 1.2 * true


def test_a_subclassed_model_tells_nothing() -> None:
    class Own(keras.Model):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return x

    assert expected_ranges(Own(), ["x"]) == {}
    assert expected_ranges(object(), ["x"]) == {}


def answers(labels: Array, classes: int = 10) -> dict[str, Array]:
    return {"out": np.eye(classes, dtype=np.float32)[labels]}


def test_a_source_that_only_guesses_is_named_with_both_figures() -> None:
    known = contract(("x", "float32", (None, 8, 8, 1)), classes=10)
    always = np.full(len(DIGIT_LABELS), 3)
    (found,) = lint_answers(known, answers(always), DIGIT_LABELS)
    assert found.check == "guessing"
    assert not found.fatal
    assert "right on 10.2% of 1797 rows, guessing gives 10.2%" in found.message
    shuffled = RANDOM(0).permutation(DIGIT_LABELS)
    assert lint_answers(known, answers(shuffled), DIGIT_LABELS)


def test_a_source_that_knows_something_is_left_alone() -> None:
    known = contract(("x", "float32", (None, 8, 8, 1)), classes=10)
    half = np.where(np.arange(len(DIGIT_LABELS)) % 2, DIGIT_LABELS, 0)
    assert lint_answers(known, answers(half), DIGIT_LABELS) == []
    assert lint_answers(known, answers(half.astype(int)), DIGIT_LABELS.astype(str)) == []
    assert lint_answers(known, answers(half), None) == []
    one = np.zeros(100, int)
    assert lint_answers(known, answers(one), one) == []


def test_nonsense_comes_first() -> None:
    found = lint_one(IMAGES[:40], model=rescaled())
    assert [finding.fatal for finding in found] == [True, False]
    assert [finding.check for finding in found] == ["range", "few-rows"]


def test_no_rows_are_nonsense() -> None:
    (found,) = lint_one(IMAGES[:0])
    assert found.fatal
    assert found.message.startswith("0 rows calibrate")
