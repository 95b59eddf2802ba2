"""SavedModel folders, from Keras, TensorFlow or anywhere else."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from edgeship_converters.errors import SourceError, in_a_line
from edgeship_converters.sources.batches import rows_at_once
from edgeship_converters.sources.graph_ops import (
    check_operators,
    check_signature,
    last_activation,
)
from edgeship_converters.sources.interface import checked_dtype
from edgeship_converters.sources.meaning import contract_of
from edgeship_converters.sources.names import portable
from edgeship_converters.sources.source import Kind
from edgeship_converters.steps.frozen import SIGNATURE
from edgeship_runtime.arrays import Array, Arrays, numpy_dtype
from edgeship_runtime.bundle import Contract, InputSpec, OutputSpec
from edgeship_runtime.bundle.manifest import Role

_GRAPH = "saved_model.pb"


class SavedModelSource:
    """One signature of a SavedModel: `serving_default`, or the only one.

    Names are the signature's own. An output is `probabilities` where softmax comes last in the
    graph, or a sigmoid over one column; nothing else tells what an output means.
    """

    kind: Kind = "tensorflow"
    tools: tuple[str, ...] = ("tensorflow",)

    def __init__(self, loaded: Any, signature: Any, sha256: str) -> None:
        # The model owns the variables that its signature refers to weakly.
        self._loaded = loaded
        self._signature = signature
        self.sha256 = sha256
        self._inputs, inputs = _inputs(signature)
        self._outputs, self.contract = _outputs(signature, inputs)

    def predict(self, inputs: Arrays) -> dict[str, Array]:
        """See `Source.predict`."""
        count = len(next(iter(inputs.values())))
        parts: list[dict[str, Array]] = []
        step = rows_at_once(inputs)
        for start in range(0, count, step):
            some = {name: array[start : start + step] for name, array in inputs.items()}
            try:
                made = self.call({name: tf.constant(array) for name, array in some.items()})
            except Exception as error:
                # TensorFlow's errors share no base, and a graph may fail in any of its operators.
                line = in_a_line(error)
                raise SourceError(
                    f"the SavedModel itself fails on these rows: {line}; give rows that it can "
                    "take with --data"
                ) from error
            parts.append({name: tensor.numpy() for name, tensor in made.items()})
        return {
            spec.name: _array(spec, np.concatenate([part[spec.name] for part in parts]))
            for spec in self.contract.outputs
        }

    def call(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        """See `TensorFlowSource.call`."""
        made = self._signature(**{own: tensors[name] for name, own in self._inputs.items()})
        return {name: made[own] for name, own in self._outputs.items()}

    @property
    def variables(self) -> Sequence[Any]:
        """See `TensorFlowSource.variables`."""
        return [item for item in self._descendants() if isinstance(item, tf.Variable)]

    @property
    def tracked(self) -> Sequence[Any]:
        """See `TensorFlowSource.tracked`."""
        kinds = (tf.saved_model.experimental.TrackableResource, tf.saved_model.Asset)
        return [item for item in self._descendants() if isinstance(item, kinds)]

    @property
    def layers(self) -> Sequence[Any]:
        """See `TensorFlowSource.layers`: a graph has none."""
        return []

    def _descendants(self) -> list[Any]:
        """Every object of the loaded model, in the order in which its file names them."""
        found: dict[int, Any] = {}
        waiting = [self._loaded]
        while waiting:
            item = waiting.pop(0)
            if id(item) in found:
                continue
            found[id(item)] = item
            waiting += item._trackable_children().values()
        return list(found.values())


def load_saved_model(
    folder: Path, sha256: str, signature_name: str | None = None
) -> SavedModelSource:
    """Load a SavedModel, or the latest version in a folder as TF Serving reads it.

    The graph is looked at before anything of it is loaded; see `graph_ops`.

    Args:
        folder: where it is.
        sha256: of its files.
        signature_name: which signature; without it `serving_default`, or the only one.

    Raises:
        SourceError: where there is none, it is damaged or dangerous, or its signature cannot be
            kept in every format.
    """
    where = find_saved_model(folder)
    message = saved_model_pb2.SavedModel()
    try:
        message.ParseFromString((where / _GRAPH).read_bytes())
    except (OSError, DecodeError) as error:
        raise SourceError(f"{where / _GRAPH} is damaged: {error}") from error
    check_operators(message, where)
    try:
        loaded = tf.saved_model.load(str(where))
        signatures = dict(loaded.signatures)
    except Exception as error:
        # TensorFlow raises many kinds for a folder whose parts do not fit together.
        line = in_a_line(error)
        raise SourceError(f"{where} is not a SavedModel that can be loaded: {line}") from error
    signature = signatures.get(signature_name or SIGNATURE)
    if signature is None and signature_name is None and len(signatures) == 1:
        (signature,) = signatures.values()
    if signature is None:
        raise SourceError(_no_signature(where, sorted(signatures), signature_name))
    check_signature(signature, where)
    return SavedModelSource(loaded, signature, sha256)


def _no_signature(where: Path, have: list[str], wanted: str | None) -> str:
    if not have:
        return (
            f"{where} has no signatures: save it with tf.saved_model.save(model, folder, "
            f"signatures={{{SIGNATURE!r}: function}})"
        )
    if wanted is not None:
        return f"{where} has no signature {wanted!r}: choose among {', '.join(have)}"
    return f"{where} has the signatures {', '.join(have)}: choose one with --signature"


def find_saved_model(folder: Path) -> Path:
    """The folder itself, or its version with the highest number.

    Raises:
        SourceError: where neither holds a SavedModel.
    """
    if (folder / _GRAPH).is_file():
        return folder
    versions = [path for path in folder.iterdir() if path.name.isdecimal()]
    held = [path for path in versions if (path / _GRAPH).is_file()]
    if not held:
        raise SourceError(
            f"{folder} is no SavedModel: expected {_GRAPH} in it, or in a folder with a version's "
            f"number, such as {folder.name}/1"
        )
    return max(held, key=lambda path: int(path.name))


def _inputs(signature: Any) -> tuple[dict[str, str], list[InputSpec]]:
    """The signature's own input names by the contract's, and the contract's inputs."""
    _, given = signature.structured_input_signature
    names = portable(list(given))
    for own, spec in given.items():
        shape = None if spec.shape.rank is None else spec.shape.as_list()
        if not shape or shape[0] is not None:
            raise SourceError(
                f"the input {own!r} of the signature has the shape {shape}: expected a free first "
                "axis for the rows; save the model with tf.TensorSpec([None, …])"
            )
    specs = [
        InputSpec(name=name, dtype=checked_dtype(own, spec.dtype), shape=tuple(spec.shape))
        for name, (own, spec) in zip(names, given.items(), strict=True)
    ]
    if not specs:
        raise SourceError("the signature has no inputs: expected at least one")
    return dict(zip(names, given, strict=True)), specs


def _outputs(signature: Any, inputs: list[InputSpec]) -> tuple[dict[str, str], Contract]:
    """The signature's own output names by the contract's, and the contract."""
    given = signature.structured_outputs
    names = portable(list(given), [spec.name for spec in inputs])
    specs: list[OutputSpec] = []
    for name, (own, spec) in zip(names, given.items(), strict=True):
        shape = None if spec.shape.rank is None else tuple(spec.shape.as_list())
        if not shape or shape[0] is not None:
            raise SourceError(
                f"the output {own!r} of the signature has the shape {shape}: expected a free first "
                "axis, with as many rows as the inputs"
            )
        dtype = checked_dtype(own, spec.dtype)
        specs.append(OutputSpec(name=name, dtype=dtype, shape=shape, role="tensor"))
    if len(specs) == 1:
        (activation,) = last_activation(signature)
        only = specs[0]
        role: Role = "probabilities" if _scores(only.shape, activation) else "tensor"
        specs = [OutputSpec(name=only.name, dtype=only.dtype, shape=only.shape, role=role)]
    return dict(zip(names, given, strict=True)), contract_of(inputs, specs)


def _scores(shape: tuple[int | None, ...], activation: str | None) -> bool:
    if len(shape) != 2 or shape[1] is None:
        return False
    return activation == "softmax" or (activation == "sigmoid" and shape[1] == 1)


def _array(spec: OutputSpec, array: Array) -> Array:
    if spec.dtype == "string":
        return np.char.decode(array.astype(np.bytes_), "utf-8")
    return array.astype(numpy_dtype(spec.dtype), copy=False)
