"""The models that conversion is measured on: one table."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras

from conversion import mlperf_tiny, mnist_models
from conversion.chosen import named

Family = Literal["cnn", "mlp", "recurrent", "attention"]
Data = Literal["normal", "spectra", "image", "image-255", "mnist", "mnist-rows", "mnist-halves"]


@dataclass(frozen=True, slots=True)
class Case:
    """A model, and the rows that it is converted and judged with.

    Attributes:
        name: of the case.
        build: makes the model, untrained.
        family: decides which targets the case is held to.
        parameters: how many weights the model has, moving statistics included.
        data: which rows: standard normal numbers, random spectra, random images from -1 to 1 or
            0 to 255, or MNIST's images, whole, row by row, or in halves.
        calibrating: how many rows calibrate.
        judging: how many rows judge, none of which calibrates or trains.
        epochs: of training on 7 500 rows that do nothing else; 0 for a model that is not trained.
    """

    name: str
    build: Callable[[], Any]
    family: Family
    parameters: int
    data: Data
    calibrating: int = 500
    judging: int = 500
    epochs: int = 0

    @property
    def needs_mnist(self) -> bool:
        """Whether the rows are MNIST's."""
        return self.data.startswith("mnist")


def mobilenet_v2(size: int) -> Any:
    """MobileNetV2 (Sandler et al. 2018), width 1, 1000 classes: 3 538 984 parameters."""
    return _in_a_model(keras.applications.MobileNetV2, size)


def efficientnet_b0() -> Any:
    """EfficientNet-B0 (Tan and Le 2019), 224×224, 1000 classes: 5 330 571 parameters."""
    return _in_a_model(keras.applications.EfficientNetB0, 224)


def _in_a_model(application: Any, size: int) -> Any:
    inputs = keras.Input((size, size, 3), name="image")
    return application(weights=None, input_tensor=inputs)


# Large models are run row by row on two cores when they are calibrated: fewer rows.
CASES = (
    Case("ds-cnn", mlperf_tiny.ds_cnn, "cnn", 24_908, "normal"),
    Case("mobilenet-v1-0.25-96", mlperf_tiny.mobilenet_v1, "cnn", 221_794, "image", 200, 200),
    Case("resnet-8", mlperf_tiny.resnet_8, "cnn", 78_666, "image"),
    Case("autoencoder", mlperf_tiny.autoencoder, "mlp", 269_992, "spectra", epochs=5),
    Case("mobilenet-v2-96", lambda: mobilenet_v2(96), "cnn", 3_538_984, "image", 100, 100),
    Case("mobilenet-v2-224", lambda: mobilenet_v2(224), "cnn", 3_538_984, "image", 50, 25),
    Case("efficientnet-b0-224", efficientnet_b0, "cnn", 5_330_571, "image-255", 50, 25),
    Case("mnist-cnn", mnist_models.cnn, "cnn", 24_778, "mnist", 500, 2000, 5),
    Case("mnist-mlp", mnist_models.mlp, "mlp", 109_386, "mnist", 500, 2000, 8),
    Case("mnist-lstm", mnist_models.lstm, "recurrent", 57_482, "mnist-rows", 500, 2000, 6),
    Case("mnist-gru", mnist_models.gru, "recurrent", 18_698, "mnist-rows", 500, 2000, 6),
    Case(
        "mnist-encoder", mnist_models.transformer, "attention", 69_450, "mnist-rows", 500, 2000, 6
    ),
    Case("mnist-halves", mnist_models.halves, "cnn", 34_027, "mnist-halves", 500, 2000, 5),
)


def case(name: str) -> Case:
    """The case called `name`; see `named`."""
    return named(CASES, name)
