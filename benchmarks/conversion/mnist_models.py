"""Models for handwritten digits: whole images, images read row by row, and images in halves."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from conversion.mlperf_tiny import ds_cnn


def cnn() -> Any:
    """DS-CNN as in MLPerf Tiny, on 28×28 images: 24 778 parameters."""
    return ds_cnn("image", (28, 28, 1), 10)


def mlp() -> Any:
    """784, 128 and 64 wide: 109 386 parameters."""
    inputs = keras.Input((28, 28, 1), name="image")
    x = layers.Flatten()(inputs)
    for units in (128, 64):
        x = layers.Dense(units, activation="relu")(x)
    return _digit(inputs, x)


def lstm() -> Any:
    """Two LSTM layers of 64 over 28 rows of 28: 57 482 parameters."""
    inputs = keras.Input((28, 28), name="rows")
    x = layers.LSTM(64, return_sequences=True)(inputs)
    return _digit(inputs, layers.LSTM(64)(x))


def gru() -> Any:
    """One GRU layer of 64 over 28 rows of 28: 18 698 parameters."""
    inputs = keras.Input((28, 28), name="rows")
    return _digit(inputs, layers.GRU(64)(inputs))


def transformer() -> Any:
    """Two encoder blocks (Vaswani et al. 2017), 4 heads, 64 wide, over 28 rows of 28.

    69 450 parameters.
    """
    inputs = keras.Input((28, 28), name="rows")
    places = layers.Embedding(28, 64)(keras.ops.arange(28))
    x = layers.Dense(64)(inputs) + places
    for _ in range(2):
        attended = layers.MultiHeadAttention(4, 16)(x, x)
        x = layers.LayerNormalization(epsilon=1e-6)(x + attended)
        hidden = layers.Dense(128, activation="gelu")(x)
        x = layers.LayerNormalization(epsilon=1e-6)(x + layers.Dense(64)(hidden))
    return _digit(inputs, layers.GlobalAveragePooling1D()(x))


def halves() -> Any:
    """Two inputs, the image's halves; two outputs, the digit and whether it is odd.

    Each half has its branch, both outputs come from one trunk: 34 027 parameters.
    """
    left, right = (keras.Input((28, 14, 1), name=name) for name in ("left", "right"))
    branches = []
    for side in (left, right):
        x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(side)
        x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(x)
        branches.append(layers.Flatten()(x))
    x = layers.Dense(32, activation="relu")(layers.Concatenate()(branches))
    digit = layers.Dense(10, activation="softmax", name="digit")(x)
    odd = layers.Dense(1, activation="sigmoid", name="odd")(x)
    return keras.Model([left, right], [digit, odd])


def _digit(inputs: Any, x: Any) -> Any:
    return keras.Model(inputs, layers.Dense(10, activation="softmax", name="probabilities")(x))
