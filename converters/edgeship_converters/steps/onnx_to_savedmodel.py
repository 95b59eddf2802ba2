"""ONNX → SavedModel, by the lowering; for TFLite in float32 and without text."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import onnx
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.errors import StepError
from edgeship_converters.sources.names import portable
from edgeship_converters.steps.canonical_savedmodel import make_repeatable
from edgeship_converters.steps.frozen import SAVING, SIGNATURE
from edgeship_converters.steps.lowering.lower import lower
from edgeship_converters.steps.lowering.values import NotLoweredError, Words
from edgeship_converters.steps.lowering.word_tables import tables_of
from edgeship_converters.steps.onnx_words import words_met
from edgeship_converters.steps.refusal import refusing
from edgeship_converters.steps.savedmodel_to_tflite import savedmodel_to_tflite
from edgeship_runtime.bundle import TextWords


def onnx_to_savedmodel(model: Artifact, task: Task) -> Artifact:
    """Lower all operators, and save what comes of it below the version folder `1`.

    Raises:
        StepError: naming an operator that has no lowering.
    """
    return _saved(model, task, narrow=False)


def onnx_to_tflite(model: Artifact, task: Task) -> Artifact:
    """Lower all operators to such as TFLite has, and convert them.

    Raises:
        StepError: naming an operator that has no lowering.
    """
    saved = _saved(model, task, narrow=True)
    return replace(savedmodel_to_tflite(saved, task), words=saved.words)


def _saved(model: Artifact, task: Task, *, narrow: bool) -> Artifact:
    form = "TFLite" if narrow else "a SavedModel"
    proto = onnx.load_model_from_string(model.data)
    contract = task.contract
    names = [spec.name for spec in contract.inputs]
    short = dict(zip(names, portable(names), strict=True))
    words = {
        spec.name: words_met(proto, spec.name)
        for spec in contract.inputs
        if narrow and spec.dtype == "string"
    }
    told: dict[str, tuple[str, ...]] = {}

    def serve(tensors: dict[str, Any]) -> dict[str, Any]:
        given = {
            name: Words(tensor, words[name]) if name in words else tensor
            for name, tensor in tensors.items()
        }
        made = lower(proto, given, narrow=narrow)
        for name, value in made.items():
            if isinstance(value, Words):
                if not value.closed:
                    raise NotLoweredError(
                        f"the output {name!r} passes text on, which TFLite cannot hold"
                    )
                told[name] = value.known
        return {
            spec.name: _ending(made[spec.name], spec.dtype, narrow=narrow)
            for spec in contract.outputs
        }

    specs = {
        spec.name: tf.TensorSpec(
            spec.shape, _dtype(spec.dtype, narrow=narrow), name=short[spec.name]
        )
        for spec in contract.inputs
    }
    function = tf.function(serve, autograph=False)
    with refusing(task, f"become {form}"):
        try:
            concrete = function.get_concrete_function(specs)
        except NotLoweredError as error:
            raise StepError(f"{task.name} cannot become {form}: {error}") from error
        for name, known in words.items():
            if not known:
                raise StepError(
                    f"{task.name} cannot become {form}: its input {name!r} is text that the graph "
                    "compares with no word, and TFLite holds text only as places in a list of words"
                )
        module = tf.Module()
        module.tables_in_order = tables_of(concrete)
        with tempfile.TemporaryDirectory(prefix="edgeship-") as folder:
            root = Path(folder)
            tf.saved_model.save(module, str(root / "1"), {SIGNATURE: concrete}, SAVING)
            make_repeatable(root / "1", model.sha256)
            _rename(root / "1" / "saved_model.pb", {new: old for old, new in short.items()})
            saved = Artifact.of_folder(root)
    return replace(saved, words=TextWords(inputs=words, outputs=told))


def _dtype(name: str, *, narrow: bool) -> tf.DType:
    if narrow and name == "string":
        return tf.int32
    # The runtime gives what the file takes.
    return tf.float32 if narrow and name == "float64" else tf.as_dtype(name)


def _ending(value: Any, dtype: str, *, narrow: bool) -> Any:
    """An output in the contract's type, or for TFLite in one that the runtime makes that of."""
    if isinstance(value, Words):
        value = value.places
    if isinstance(value, np.ndarray):
        value = tf.constant(value)
    # An input passed on, or one value twice, would be one tensor with two names.
    if narrow or dtype == "string":
        return tf.identity(value)
    return tf.identity(tf.cast(value, dtype))


def _rename(path: Path, names: dict[str, str]) -> None:
    """Give a signature's inputs the names of the contract, which Python's arguments cannot have."""
    if all(new == old for new, old in names.items()):
        return
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    (graph,) = model.meta_graphs
    inputs = graph.signature_def[SIGNATURE].inputs
    held = {names[name]: info for name, info in inputs.items()}
    kept = {name: info.SerializeToString() for name, info in held.items()}
    inputs.clear()
    for name, content in kept.items():
        inputs[name].ParseFromString(content)
    for node in graph.object_graph_def.nodes:
        if node.HasField("bare_concrete_function"):
            function = node.bare_concrete_function
            function.argument_keywords[:] = [names[key] for key in function.argument_keywords]
    path.write_bytes(model.SerializeToString(deterministic=True))
