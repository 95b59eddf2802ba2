"""Data and models for the tests of the calibration lint."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_breast_cancer, load_digits

from edgeship_converters.lint import Finding, lint
from edgeship_converters.sources.expected_range import expected_ranges
from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle import Contract, InputSpec, OutputSpec

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


def planes_reshaped(values: Array) -> Array:
    """A file of channel planes, given the model's shape by `reshape`."""
    return np.moveaxis(values, -1, 1).reshape(values.shape)
