"""Sound data of every kind is left alone by the calibration lint."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import sklearn
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from edgeship_converters.lint import Finding, lint
from edgeship_runtime.arrays import Array
from tests.converters.lint_data import (
    DIGITS,
    FEATURES,
    IMAGES,
    RANDOM,
    TABLE,
    contract,
    embedded,
    lint_one,
    normalized,
    pictures,
    planes_reshaped,
    rescaled,
    tokens,
    trained_on,
)

MNIST = Path(__file__).parents[3] / "shared" / "data" / "mnist-t10k-images-idx3-ubyte.gz"


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
