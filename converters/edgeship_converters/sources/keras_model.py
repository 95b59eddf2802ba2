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
        self.contract = _contract(model)

    def predict(self, inputs: Arrays) -> dict[str, Array]:
        """See `Source.predict`."""
        try:
            results = self.model.predict(self._structured(inputs), batch_size=256, verbose=0)
        except Exception as error:
            # TensorFlow's errors share no base with Keras's, and layers raise their own.
            line = " ".join(str(error).split())[:200]
            raise SourceError(
                f"the Keras model itself fails on these rows: {line}; give rows that it can take "
                "with --data"
            ) from error
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


def _contract(model: Any) -> Contract:
    inputs = _inputs(model)
    roles = [_role(model, tensor) for tensor in model.outputs]
    task: Task = "other"
    classes = None
    if len(roles) == 1 and roles[0] in ("probabilities", "logits"):
        task = "classification"
        classes = tuple(range(max(2, int(model.outputs[0].shape[-1]))))
    elif len(roles) == 1 and roles[0] == "value":
        task = "regression"
    names = _output_names(model, [spec.name for spec in inputs])
    outputs = tuple(
        OutputSpec(name=name, dtype=_dtype(tensor), shape=_shape(tensor), role=role)
        for name, tensor, role in zip(names, model.outputs, roles, strict=True)
    )
    return Contract(task=task, inputs=inputs, outputs=outputs, classes=classes)


def _inputs(model: Any) -> tuple[InputSpec, ...]:
    names = [str(tensor.name) for tensor in model.inputs]
    if len(names) == 1 and _UNNAMED_INPUT.fullmatch(names[0]):
        names = ["x"]
    for name, tensor in zip(names, model.inputs, strict=True):
        if not name.isidentifier():
            raise SourceError(
                f"the input {name!r} cannot keep its name in a SavedModel: expected letters, "
                "digits and '_'; rename it in keras.Input"
            )
        if tensor.shape[0] is not None:
            raise SourceError(
                f"the input {name!r} has a fixed batch of {tensor.shape[0]} rows: save the model "
                "with a free batch axis, from keras.Input(shape) without batch_size"
            )
    return tuple(
        InputSpec(name=name, dtype=_dtype(tensor), shape=_shape(tensor))
        for name, tensor in zip(names, model.inputs, strict=True)
    )


def _output_names(model: Any, taken: list[str]) -> list[str]:
    """The outputs' names: their layers', made distinct from each other and from the inputs'."""
    layers = [_last_layer(tensor) for tensor in model.outputs]
    names = [str(layer.name) for layer in layers]
    if len(layers) == 1:
        given_by_keras = re.fullmatch(rf"{_snake(type(layers[0]).__name__)}(_\d+)?", names[0])
        names = [_NAMES[_role(model, model.outputs[0])] if given_by_keras else names[0]]
    distinct: list[str] = []
    for name in names:
        new, count = name, 1
        while new in (*taken, *distinct):
            new, count = f"{name}_{count}", count + 1
        distinct.append(new)
    return distinct


def _role(model: Any, tensor: Any) -> Role:
    """What an output means: by the loss it was trained with, and by its last activation."""
    shape = _shape(tensor)
    if len(shape) != 2 or len(model.outputs) > 1:
        return "tensor"
    layer = _last_layer(tensor)
    activation = getattr(layer, "activation", None)
    softmax = activation is keras.activations.softmax or isinstance(layer, keras.layers.Softmax)
    loss, from_logits = _loss(model)
    if "crossentropy" in loss and shape[1] == 1:
        return "logits" if from_logits else "probabilities"
    if softmax:
        return "probabilities"
    if "categorical" in loss:
        return (
            "logits" if from_logits or activation is keras.activations.linear else "probabilities"
        )
    if "crossentropy" in loss:
        return "tensor"
    if activation is keras.activations.sigmoid and not loss:
        return "probabilities" if shape[1] == 1 else "tensor"
    return "value" if loss or shape[1] == 1 else "tensor"


def _loss(model: Any) -> tuple[str, bool]:
    """The name of the loss that the model was compiled with, if any, and if it takes logits."""
    loss = getattr(model, "loss", None)
    if isinstance(loss, str):
        return _snake(loss), False
    if callable(loss) or isinstance(loss, keras.losses.Loss):
        name = _snake(getattr(loss, "__name__", type(loss).__name__))
        return name, bool(getattr(loss, "from_logits", False))
    return "", False


def _last_layer(tensor: Any) -> Any:
    return tensor._keras_history.operation


def _shape(tensor: Any) -> tuple[int | None, ...]:
    return tuple(None if size is None else int(size) for size in tensor.shape)


def _dtype(tensor: Any) -> Any:
    kind = keras.backend.standardize_dtype(tensor.dtype)
    try:
        return dtype_name(np.dtype(kind))
    except (TypeError, ValueError) as error:
        raise SourceError(
            f"the model's tensor {tensor.name!r} is of {kind}: edgeship converts models over "
            "ordinary numbers"
        ) from error


def _snake(name: str) -> str:
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
