"""The four architectures of MLPerf Tiny (Banbury et al., NeurIPS Datasets and Benchmarks 2021).

Layer by layer as in the closed division of release 1.0; the weights are not those of the benchmark.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers


def ds_cnn(
    name: str = "features", shape: tuple[int, int, int] = (49, 10, 1), classes: int = 12
) -> Any:
    """DS-CNN (Zhang et al. 2017, Hello Edge): keywords from 49 frames of 10 coefficients.

    24 908 parameters at these defaults.
    """
    inputs = keras.Input(shape, name=name)
    x = layers.Conv2D(64, (10, 4), strides=2, padding="same")(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    for _ in range(4):
        x = _separable(x, 64, 1)
    x = layers.GlobalAveragePooling2D()(layers.Dropout(0.4)(x))
    outputs = layers.Dense(classes, activation="softmax", name="probabilities")(x)
    return keras.Model(inputs, outputs)


def mobilenet_v1() -> Any:
    """MobileNetV1 (Howard et al. 2017), width 0.25, 96×96×3: is there a person in the picture?

    221 794 parameters.
    """
    inputs = keras.Input((96, 96, 3), name="image")
    x = layers.Conv2D(8, 3, strides=2, padding="same")(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    blocks = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *(5 * ((128, 1),)))
    for filters, stride in (*blocks, (256, 2), (256, 1)):
        x = _separable(x, filters, stride)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(2, activation="softmax", name="probabilities")(x)
    return keras.Model(inputs, outputs)


def resnet_8() -> Any:
    """ResNet-8 (after He et al. 2015), 32×32×3 in ten classes.

    78 666 parameters.
    """
    inputs = keras.Input((32, 32, 3), name="image")
    x = _convolved(inputs, 16, 3, 1)
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        y = _convolved(x, filters, 3, stride)
        y = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same")(y))
        if stride > 1:
            x = layers.Conv2D(filters, 1, strides=stride, padding="same")(x)
        x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(10, activation="softmax", name="probabilities")(x)
    return keras.Model(inputs, outputs)


def autoencoder() -> Any:
    """The dense autoencoder for machine sounds (Koizumi et al. 2019): 5 frames of 128 mel bands.

    269 992 parameters.
    """
    inputs = keras.Input((640,), name="spectrum")
    x = inputs
    for units in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = layers.ReLU()(layers.BatchNormalization()(layers.Dense(units)(x)))
    return keras.Model(inputs, layers.Dense(640, name="rebuilt")(x))


def _convolved(x: Any, filters: int, size: int, stride: int) -> Any:
    x = layers.Conv2D(filters, size, strides=stride, padding="same")(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def _separable(x: Any, filters: int, stride: int) -> Any:
    x = layers.DepthwiseConv2D(3, strides=stride, padding="same")(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    return _convolved(x, filters, 1, 1)
