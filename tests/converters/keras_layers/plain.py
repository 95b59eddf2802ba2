"""Cases of dense, merging, reshaping, normalizing and activation layers."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from tests.converters.keras_layers.case import (
    FREE,
    FREE_IMAGE,
    IMAGE,
    SEQUENCE,
    VECTOR,
    VOLUME,
    Case,
    below,
    merged,
    one,
    stacked,
    unit,
    wrapped,
)

_ACTIVATIONS = (
    "celu",
    "elu",
    "exponential",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "tanh",
    "tanh_shrink",
)
_PAIR = (VECTOR, VECTOR)


def _adapted(**arguments: Any) -> Any:
    layer = layers.Normalization(**arguments)
    layer.adapt(np.random.default_rng(1).normal(3.0, 2.0, (64, 6)).astype(np.float32))
    return layer


def _activation(name: str) -> Case:
    def build(x: Any) -> Any:
        return layers.Activation(name)(layers.Dense(6)(x))

    return stacked("Activation", name, VECTOR, build)


def _upsampled(way: str) -> Case:
    """As in a network that segments pictures of any size."""

    def build(x: Any) -> Any:
        larger = layers.UpSampling2D(2, interpolation=way)(layers.MaxPooling2D(2)(x))
        return layers.Conv2D(4, 3)(larger)

    return stacked("UpSampling2D", f"{way}, free size, before a convolution", FREE_IMAGE, build)


PLAIN = (
    *(_activation(name) for name in _ACTIVATIONS if hasattr(keras.activations, name)),
    one("Dense", VECTOR, units=4),
    one("Dense", VECTOR, "relu", units=4, activation="relu"),
    one("Dense", VECTOR, "no bias", units=4, use_bias=False),
    one("Dense", SEQUENCE, "on a sequence", units=4),
    one("Dense", FREE, "on a free length", units=4),
    one("Dense", VECTOR, "uint8 input", draw=below(200), dtype="uint8", units=4),
    one("EinsumDense", SEQUENCE, "abc,cd->abd", equation="abc,cd->abd", output_shape=(None, 4)),
    one("EinsumDense", SEQUENCE, "two new axes", equation="abc,cde->abde", output_shape=(8, 2, 3)),
    one(
        "EinsumDense", SEQUENCE, "bias", equation="abc,bcd->abd", output_shape=(8, 4), bias_axes="d"
    ),
    one("EinsumDense", FREE, "ellipsis", equation="...x,xy->...y", output_shape=4, bias_axes="y"),
    merged("Add", "", _PAIR, lambda a, b: layers.Add()([a, b])),
    merged("Add", "broadcast", ((1, 5), (4, 1)), lambda a, b: layers.Add()([a, b])),
    merged("Subtract", "", _PAIR, lambda a, b: layers.Subtract()([a, b])),
    merged("Multiply", "", _PAIR, lambda a, b: layers.Multiply()([a, b])),
    merged("Average", "", _PAIR, lambda a, b: layers.Average()([a, b])),
    merged("Maximum", "", _PAIR, lambda a, b: layers.Maximum()([a, b])),
    merged("Minimum", "", _PAIR, lambda a, b: layers.Minimum()([a, b])),
    merged("Concatenate", "", ((3,), (4,)), lambda a, b: layers.Concatenate()([a, b])),
    merged(
        "Concatenate", "axis 1", ((2, 5), (4, 5)), lambda a, b: layers.Concatenate(axis=1)([a, b])
    ),
    merged("Dot", "", _PAIR, lambda a, b: layers.Dot(axes=1)([a, b])),
    merged("Dot", "normalized", _PAIR, lambda a, b: layers.Dot(axes=1, normalize=True)([a, b])),
    merged("Dot", "matrices", ((4, 5), (3, 5)), lambda a, b: layers.Dot(axes=2)([a, b])),
    one("Flatten", SEQUENCE),
    one("Reshape", SEQUENCE, target_shape=(4, 10)),
    one("Reshape", FREE, "free length", target_shape=(-1, 5, 1)),
    one("Permute", SEQUENCE, dims=(2, 1)),
    one("Permute", FREE, "free length", dims=(2, 1)),
    one("RepeatVector", VECTOR, n=3),
    one("Cropping1D", SEQUENCE, cropping=(1, 2)),
    one("Cropping2D", IMAGE, cropping=((1, 2), (0, 3))),
    one("Cropping3D", VOLUME, cropping=((1, 1), (0, 2), (1, 0))),
    one("ZeroPadding1D", SEQUENCE, padding=(1, 2)),
    one("ZeroPadding2D", IMAGE, padding=((1, 2), (0, 3))),
    one("ZeroPadding3D", VOLUME, padding=((1, 1), (0, 2), (1, 0))),
    one("UpSampling1D", SEQUENCE, size=3),
    one("UpSampling2D", IMAGE, "nearest", size=(2, 3)),
    one("UpSampling2D", IMAGE, "bilinear", size=2, interpolation="bilinear"),
    one("UpSampling2D", IMAGE, "bicubic", size=2, interpolation="bicubic"),
    one("UpSampling2D", IMAGE, "lanczos3", size=2, interpolation="lanczos3"),
    one("UpSampling2D", IMAGE, "channels first", size=(2, 3), data_format="channels_first"),
    *(_upsampled(way) for way in ("nearest", "bilinear")),
    one("UpSampling3D", VOLUME, size=(2, 1, 2)),
    one("Identity", VECTOR),
    wrapped("InputLayer", "", VECTOR, lambda: layers.Dense(2)),
    one("ELU", VECTOR, alpha=0.7),
    one("LeakyReLU", VECTOR, negative_slope=0.2),
    one("PReLU", VECTOR),
    one("PReLU", IMAGE, "shared axes", shared_axes=[1, 2]),
    one("ReLU", VECTOR),
    one("ReLU", VECTOR, "all options", max_value=1.5, negative_slope=0.1, threshold=0.2),
    one("Softmax", VECTOR),
    one("Softmax", SEQUENCE, "axis 1", axis=1),
    one("BatchNormalization", VECTOR),
    one("BatchNormalization", IMAGE, "image"),
    one("BatchNormalization", SEQUENCE, "axis 1", axis=1),
    one("BatchNormalization", VECTOR, "no scale", scale=False, center=False),
    one("LayerNormalization", SEQUENCE),
    one("LayerNormalization", SEQUENCE, "two axes", axis=[1, 2]),
    one("LayerNormalization", FREE, "free length"),
    one("GroupNormalization", (8, 6), groups=3),
    one("GroupNormalization", (6, 5, 4), "image", groups=2),
    one("GroupNormalization", (6, 5, 4), "instances", groups=-1),
    one("RMSNormalization", SEQUENCE),
    one("UnitNormalization", SEQUENCE),
    wrapped(
        "SpectralNormalization",
        "",
        VECTOR,
        lambda: layers.SpectralNormalization(layers.Dense(4)),
    ),
    wrapped("Normalization", "adapted", VECTOR, _adapted),
    wrapped("Normalization", "one for all", VECTOR, lambda: _adapted(axis=None)),
    wrapped("Normalization", "inverted", VECTOR, lambda: _adapted(invert=True)),
    one("Normalization", VECTOR, "given", mean=2.0, variance=3.0),
    one("ActivityRegularization", VECTOR, l2=0.1),
    one("Dropout", VECTOR, rate=0.5),
    one("AlphaDropout", VECTOR, rate=0.5),
    one("GaussianDropout", VECTOR, rate=0.5),
    one("GaussianNoise", VECTOR, stddev=1.0),
    one("SpatialDropout1D", SEQUENCE, rate=0.5),
    one("SpatialDropout2D", IMAGE, rate=0.5),
    one("SpatialDropout3D", VOLUME, rate=0.5),
    one("Discretization", VECTOR, bin_boundaries=[-1.0, 0.0, 0.5]),
    one("Discretization", VECTOR, "one hot", bin_boundaries=[0.0, 0.5], output_mode="one_hot"),
    one("CategoryEncoding", VECTOR, "many hot", draw=below(5), dtype="int32", num_tokens=5),
    one(
        "CategoryEncoding",
        (1,),
        "one hot",
        draw=below(5),
        dtype="int32",
        num_tokens=5,
        output_mode="one_hot",
    ),
    one(
        "CategoryEncoding",
        VECTOR,
        "count",
        draw=below(5),
        dtype="int32",
        num_tokens=5,
        output_mode="count",
    ),
    one(
        "Rescaling",
        IMAGE,
        "uint8 input",
        draw=below(256),
        dtype="uint8",
        scale=1 / 127.5,
        offset=-1.0,
    ),
    one("Rescaling", IMAGE, "by channel", draw=unit, scale=[1.0, 2.0, 3.0], offset=[0.1, 0.2, 0.3]),
)
