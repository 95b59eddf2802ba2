"""Keras 2 models, by tf-keras, which lives beside Keras 3 in one process."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tf_keras
import tf_keras.src.backend

from edgeship_converters.errors import SourceError
from edgeship_converters.sources.interface import (
    Interface,
    argument_interface,
    functional_interface,
)
from edgeship_converters.sources.keras_file import loading_failed, model_sha256
from edgeship_converters.sources.keras_model import KerasSource
from edgeship_converters.sources.meaning import Loss
from edgeship_converters.sources.nesting import leaves, map_leaves
from edgeship_converters.sources.precision import full_precision
from edgeship_converters.steps.recurrent import portable_rnn


class LegacyKerasSource(KerasSource):
    """A Keras 2 model with known input shapes."""

    tools = ("tf-keras", "tensorflow")

    def call(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        """See `TensorFlowSource.call`; recurrent layers loop as `recurrent` says."""
        with _portable_loops(self.layers):
            return super().call(tensors)

    @property
    def variables(self) -> Sequence[Any]:
        """See `TensorFlowSource.variables`."""
        # In mixed precision they are wrapped in one that casts; the wrapped one is saved.
        return [getattr(variable, "_variable", variable) for variable in self.model.variables]

    @property
    def layers(self) -> Sequence[Any]:
        """See `TensorFlowSource.layers`."""
        return list(self.model._flatten_layers())

    def _found_interfaces(self) -> list[Interface]:
        model = self.model
        inputs = getattr(model, "_nested_inputs", None)
        if inputs is not None:
            return [functional_interface(inputs, model._nested_outputs)]
        spec = getattr(model, "_saved_model_inputs_spec", None)
        if spec is None:
            raise SourceError(f"the model {model.name!r} has no known input shapes: {self.remedy}")
        shapes = map_leaves(lambda path, tensor: tuple(tensor.shape.as_list()), spec)
        dtype = next(tensor.dtype.name for tensor in leaves(spec).values())
        return [argument_interface(model.call, shapes, dtype)]

    def _full_precision(self) -> AbstractContextManager[None]:
        def set_policy(layer: Any, policy: Any) -> None:
            layer._set_dtype_policy(policy)

        policy = tf_keras.mixed_precision.Policy
        return full_precision(self.model, self.layers, set_policy, policy)


def load_legacy(
    path: Path, sha256: str, custom_objects: Mapping[str, Any], loss: Loss
) -> LegacyKerasSource:
    """Load an `.h5` file whose configuration was looked at before.

    Raises:
        SourceError: where it cannot be loaded, or its inputs have no known shape.
    """
    try:
        model = tf_keras.models.load_model(path, custom_objects=dict(custom_objects), compile=False)
    except Exception as error:
        # tf-keras and the layers it rebuilds raise whatever they like; a file is not trusted.
        raise SourceError(loading_failed(path, error)) from error
    return LegacyKerasSource(model, sha256, loss)


def in_memory(model: Any) -> LegacyKerasSource:
    """A tf-keras model that is in memory; it is used as it is, and left as it was.

    Raises:
        SourceError: where its inputs have no known shape.
    """
    return LegacyKerasSource(model, model_sha256(model))


@contextmanager
def _portable_loops(layers: Sequence[Any]) -> Iterator[None]:
    """Within it, recurrent layers run without TensorArrays and without their GPU kernels."""
    with ExitStack() as stack:
        backend = tf_keras.src.backend
        stack.enter_context(_replaced(backend, "rnn", portable_rnn(backend.rnn)))
        for layer in layers:
            if getattr(layer, "_could_use_gpu_kernel", False):
                stack.enter_context(_replaced(layer, "_could_use_gpu_kernel", False))
        yield


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)
