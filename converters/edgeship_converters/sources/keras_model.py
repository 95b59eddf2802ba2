"""Keras models from `.keras` files."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np

from edgeship_converters.errors import SourceError
from edgeship_converters.sources.source import Kind
from edgeship_runtime.arrays import Array, Arrays, dtype_name
from edgeship_runtime.bundle import Contract, InputSpec, OutputSpec
from edgeship_runtime.bundle.manifest import Role, Task

# Names that Keras gives when the author gave none; they change with every model built before.
_UNNAMED_INPUT = re.compile(r"(keras_tensor|input_layer|input)(_?\d+)?")
_NAMES: dict[Role, str] = {
    "probabilities": "probabilities",
    "logits": "logits",
    "value": "prediction",
    "tensor": "output",
    "label": "label",
}


class KerasSource:
    """A Keras model with known input shapes: Sequential or Functional."""

    kind: Kind = "keras"

    def __init__(self, model: Any, sha256: str) -> None:
        self.model = model
        self.sha256 = sha256
        self._outputs = _output_names(model)
        self.contract = _contract(model, self._outputs)

    def predict(self, inputs: Arrays) -> dict[str, Array]:
        """See `Source.predict`."""
        results = self.model.predict(self._structured(inputs), batch_size=256, verbose=0)
        flat = keras.tree.flatten(results)
        return {
            spec.name: np.asarray(array)
            for spec, array in zip(self.contract.outputs, flat, strict=True)
        }

    def call(self, tensors: dict[str, Any]) -> dict[str, Any]:
        """The model on TensorFlow tensors by name, for tracing; dropout and its kin are off."""
        flat = keras.tree.flatten(self.model(self._structured(tensors), training=False))
        return {spec.name: t for spec, t in zip(self.contract.outputs, flat, strict=True)}

    def _structured(self, named: Mapping[str, Any]) -> Any:
        """Inputs by name in the nesting (a list, a dict…) that the model's author chose."""
        flat = [named[spec.name] for spec in self.contract.inputs]
        if len(flat) == 1 and isinstance(self.model, keras.Sequential):
            return flat[0]
        return keras.tree.pack_sequence_as(self.model._inputs_struct, flat)


def load_keras(path: Path, sha256: str) -> KerasSource:
    """Load a `.keras` file; Keras's safe mode stays on, so no code in it runs.

    Raises:
        SourceError: where it cannot be loaded, or its inputs have no known shape.
    """
    if keras.backend.backend() != "tensorflow":
        raise SourceError(
            f"Keras runs on {keras.backend.backend()}, edgeship needs tensorflow: "
            "set KERAS_BACKEND=tensorflow"
        )
    try:
        model = keras.saving.load_model(path)
    except Exception as error:
        # Keras and the layers it rebuilds raise whatever they like; a file is not trusted.
        line = " ".join(str(error).split())[:200]
        raise SourceError(f"{path} is not a Keras model that can be loaded: {line}") from error
    if not isinstance(model, keras.Sequential | keras.Model) or not getattr(model, "inputs", None):
        raise SourceError(
            f"{path} has no known input shapes: save a Sequential or Functional model "
            "that begins with keras.Input"
        )
    return KerasSource(model, sha256)


def _contract(model: Any, output_names: list[str]) -> Contract:
    names = [tensor.name for tensor in model.inputs]
    if len(names) == 1 and _UNNAMED_INPUT.fullmatch(names[0]):
        names = ["x"]
    inputs = tuple(
        InputSpec(name=name, dtype=_dtype(tensor), shape=_shape(tensor))
        for name, tensor in zip(names, model.inputs, strict=True)
    )
    roles = [_role(model, tensor) for tensor in model.outputs]
    task: Task = "other"
    classes = None
    if len(roles) == 1 and roles[0] in ("probabilities", "logits"):
        task = "classification"
        classes = tuple(range(max(2, int(model.outputs[0].shape[-1]))))
    elif len(roles) == 1 and roles[0] == "value":
        task = "regression"
    outputs = tuple(
        OutputSpec(name=name, dtype=_dtype(tensor), shape=_shape(tensor), role=role)
        for name, tensor, role in zip(output_names, model.outputs, roles, strict=True)
    )
    return Contract(task=task, inputs=inputs, outputs=outputs, classes=classes)


def _output_names(model: Any) -> list[str]:
    layers = [_last_layer(tensor) for tensor in model.outputs]
    if len(layers) > 1:
        return [str(name) for name in model.output_names]
    name = str(layers[0].name)
    given_by_keras = re.fullmatch(rf"{_snake(type(layers[0]).__name__)}(_\d+)?", name)
    return [_NAMES[_role(model, model.outputs[0])] if given_by_keras else name]


def _role(model: Any, tensor: Any) -> Role:
    """What an output means: by its last activation, else by the loss it was trained with."""
    shape = _shape(tensor)
    if len(shape) != 2 or len(model.outputs) > 1:
        return "tensor"
    layer = _last_layer(tensor)
    activation = getattr(layer, "activation", None)
    if activation is keras.activations.softmax or isinstance(layer, keras.layers.Softmax):
        return "probabilities"
    if activation is keras.activations.sigmoid:
        return "probabilities" if shape[1] == 1 else "tensor"
    loss = _loss_name(model)
    if loss in ("sparse_categorical_crossentropy", "categorical_crossentropy"):
        return "logits"
    if loss == "binary_crossentropy":
        return "logits" if shape[1] == 1 else "tensor"
    return "value" if loss or shape[1] == 1 else "tensor"


def _loss_name(model: Any) -> str | None:
    loss = getattr(model, "loss", None)
    if isinstance(loss, str):
        return loss
    if callable(loss) or isinstance(loss, keras.losses.Loss):
        return _snake(getattr(loss, "__name__", type(loss).__name__))
    return None


def _last_layer(tensor: Any) -> Any:
    return tensor._keras_history.operation


def _shape(tensor: Any) -> tuple[int | None, ...]:
    return tuple(None if size is None else int(size) for size in tensor.shape)


def _dtype(tensor: Any) -> Any:
    return dtype_name(np.dtype(keras.backend.standardize_dtype(tensor.dtype)))


def _snake(name: str) -> str:
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
