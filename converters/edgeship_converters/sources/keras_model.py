"""Keras 3 models: Sequential, Functional and subclassed."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import pairwise
from typing import Any, ClassVar

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from edgeship_converters.errors import SourceError, plain
from edgeship_converters.sources.batches import rows_at_once
from edgeship_converters.sources.interface import (
    Interface,
    argument_interface,
    functional_interface,
    is_shape,
)
from edgeship_converters.sources.keras_contract import Described, describe
from edgeship_converters.sources.meaning import Loss, loss_of
from edgeship_converters.sources.nesting import leaves, map_leaves
from edgeship_converters.sources.precision import full_precision, is_mixed
from edgeship_converters.sources.source import Kind
from edgeship_runtime.arrays import Array, Arrays, numpy_dtype

# What a subclassed model's inputs may be: Keras keeps their shapes and not their dtypes.
_DTYPES = ("float32", "int32", "string")
# Layers that cast floats to ids without a word, so that float32 seems to fit.
_OF_IDS = ("Embedding", "IntegerLookup", "ReversibleEmbedding")
# Layers that may give another dtype than the symbolic tensors of a Functional model say.
_MISSTATING = (
    "CategoryEncoding",
    "Discretization",
    "HashedCrossing",
    "Hashing",
    "IntegerLookup",
    "StringLookup",
    "TextVectorization",
)


class KerasSource:
    """A Keras model with known input shapes.

    A model built for one batch size is converted with a free batch, and held against itself at the
    size it was built for. One trained in mixed precision is taken in the precision of its
    variables.

    Attributes:
        model: the Keras model.
    """

    kind: Kind = "keras"
    tools: tuple[str, ...] = ("keras", "tensorflow")
    remedy: ClassVar[str] = "call the model once on a batch, or build it, before saving"

    def __init__(self, model: Any, sha256: str, loss: Loss | None = None) -> None:
        """Look at a loaded model.

        Args:
            model: the Keras model.
            sha256: of what it came from.
            loss: that it was trained with, where the model was not compiled with it.

        Raises:
            SourceError: where its inputs are not known, or cannot be kept in every format.
        """
        self.model = model
        self.sha256 = sha256
        _refuse_stateful(self.layers)
        found = self._described(loss or loss_of(getattr(model, "loss", None)))
        self.contract = found.contract
        self._interface = found.interface
        self._inputs = found.inputs
        self._outputs = found.outputs

    def predict(self, inputs: Arrays) -> dict[str, Array]:
        """See `Source.predict`."""
        try:
            with self._full_precision():
                results = leaves(self._run(inputs))
        except Exception as error:
            # TensorFlow's errors share no base with Keras's, and layers raise their own.
            raise SourceError(
                f"the Keras model itself fails on these rows: {_reason(error)}; give rows that it "
                "can take with --data"
            ) from error
        made: dict[str, Array] = {}
        for spec in self.contract.outputs:
            array = np.asarray(results[self._outputs[spec.name]])
            if spec.dtype == "string":
                made[spec.name] = np.char.decode(array.astype(np.bytes_), "utf-8")
            else:
                made[spec.name] = array.astype(numpy_dtype(spec.dtype), copy=False)
        return made

    def call(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        """See `TensorFlowSource.call`."""
        with self._full_precision():
            made = leaves(self._invoke(self._interface, self._inputs, tensors))
        return {spec.name: made[self._outputs[spec.name]] for spec in self.contract.outputs}

    @property
    def variables(self) -> Sequence[Any]:
        """See `TensorFlowSource.variables`."""
        return [variable.value for variable in self.model.variables]

    @property
    def tracked(self) -> Sequence[Any]:
        """See `TensorFlowSource.tracked`: the tables of StringLookup, TextVectorization…"""
        kind = tf.saved_model.experimental.TrackableResource
        held = (value for layer in self.layers for value in vars(layer).values())
        return list({id(value): value for value in held if isinstance(value, kind)}.values())

    @property
    def layers(self) -> Sequence[Any]:
        """See `TensorFlowSource.layers`."""
        return list(self.model._flatten_layers())

    def _found_interfaces(self) -> list[Interface]:
        """The model's interface; several to be tried in turn where dtypes are not known."""
        model = self.model
        graph = model._functional if isinstance(model, keras.Sequential) else model
        if getattr(graph, "_inputs_struct", None) is not None:
            return [functional_interface(graph._inputs_struct, graph._outputs_struct)]
        shapes = getattr(model, "_build_shapes_dict", None)
        if not shapes or not model.built:
            raise SourceError(f"the model {model.name!r} has no known input shapes: {self.remedy}")
        only = next(iter(shapes.values()))
        # Among several inputs there may be numbers as well, which must not lose their fractions.
        ids = is_shape(only) and any(_is_one_of(layer, _OF_IDS) for layer in self.layers)
        dtypes = sorted(_DTYPES, key=lambda dtype: dtype != "int32") if ids else _DTYPES
        return [argument_interface(model.call, only, dtype) for dtype in dtypes]

    def _full_precision(self) -> AbstractContextManager[None]:
        def set_policy(layer: Any, policy: Any) -> None:
            layer.dtype_policy = policy

        return full_precision(self.model, self.layers, set_policy, keras.DTypePolicy)

    def _described(self, loss: Loss) -> Described:
        interfaces = self._found_interfaces()
        unsure = any(is_mixed(layer) or _is_one_of(layer, _MISSTATING) for layer in self.layers)
        faults: list[SourceError] = []
        for interface in interfaces:
            try:
                with self._full_precision():
                    return describe(interface, self._invoke, loss, unsure=unsure)
            except SourceError as error:
                faults.append(error)
        raise faults[0]

    def _invoke(self, interface: Interface, names: Any, tensors: Mapping[str, Any]) -> Any:
        """Call the model on tensors by name; gives its outputs in their nesting."""
        nested = map_leaves(lambda path, name: tensors[name], names)
        training = {"training": False} if _takes_training(self.model) else {}
        return self.model(nested, **training)

    def _run(self, inputs: Arrays) -> Any:
        """The model's own `predict`, at the batch size it was built for if there is one."""
        batch = self._interface.fixed_batch
        count = len(next(iter(inputs.values())))
        spare = -count % batch if batch else 0
        padded = {name: _feedable(array, spare) for name, array in inputs.items()}
        nested = map_leaves(lambda path, name: padded[name], self._inputs)
        if any(None in spec.shape[1:] for spec in self.contract.inputs):
            # Met with a second size, Keras traces the model for any, and some layers fail at that.
            self.model.predict_function = None
        results = self.model.predict(nested, batch_size=batch or rows_at_once(inputs), verbose=0)
        return map_leaves(lambda path, array: np.asarray(array)[:count], results)


def _reason(error: Exception) -> str:
    """What TensorFlow says after the traceback that it puts into its messages, in a line."""
    lines = [line.strip() for line in plain(error).splitlines() if line.strip()]
    told = [line for line, after in pairwise(lines) if "[[{{node" in after]
    return " ".join((told or lines or [type(error).__name__])[:3])[:200]


def _feedable(array: Array, spare: int) -> Any:
    """An array as Keras takes it, with its last row `spare` times more."""
    if spare:
        array = np.concatenate([array, np.repeat(array[-1:], spare, axis=0)])
    return tf.constant(array) if array.dtype.kind == "U" else array


def _takes_training(model: Any) -> bool:
    parameters = inspect.signature(model.call).parameters.values()
    return any(p.name == "training" or p.kind is p.VAR_KEYWORD for p in parameters)


def _is_one_of(layer: Any, names: tuple[str, ...]) -> bool:
    return any(kind.__name__ in names for kind in type(layer).__mro__)


def _refuse_stateful(layers: Sequence[Any]) -> None:
    for layer in layers:
        if getattr(layer, "stateful", False):
            raise SourceError(
                f"layer {layer.name!r} ({type(layer).__name__}) keeps its state from one call to "
                "the next, and the answer to a request must not hang on those before it: build "
                "it with stateful=False, and load the same weights"
            )
