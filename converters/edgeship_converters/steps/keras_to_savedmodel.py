"""Keras → SavedModel, with named inputs and outputs, and the same bytes every time."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf
from google.protobuf.message import Message
from tensorflow.core.protobuf import saved_model_pb2

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.errors import StepError
from edgeship_converters.sources.keras_model import KerasSource
from edgeship_runtime.bundle import InputSpec

SIGNATURE = "serving_default"
# TensorFlow ends the name of each function that it traces with a count over the whole process.
_COUNTED = re.compile(r"(__(?:inference|forward|backward)_.*)_(\d+)")


def keras_to_savedmodel(source: KerasSource, task: Task) -> Artifact:
    """Trace the model once and save it below the version folder `1` that TF Serving expects.

    The variables that inference uses are kept, in the model's own order, and what changes from one
    run to the next is taken out afterwards (docs/decisions/0004-savedmodel-bytes.md); so
    `model.export`, which does neither, is not used.

    Raises:
        StepError: where the model cannot be traced or saved, as with lookup tables.
    """
    specs = {spec.name: _tensor_spec(spec) for spec in task.contract.inputs}

    def serve(**tensors: Any) -> dict[str, Any]:
        return source.call(tensors)

    function = tf.function(serve, autograph=False)
    try:
        concrete = function.get_concrete_function(**specs)
        used = {id(tensor) for tensor in concrete.captured_inputs}
        variables = [variable.value for variable in source.model.variables]
        module = tf.Module()
        module.variables_in_order = [v for v in variables if id(v.handle) in used]
        with tempfile.TemporaryDirectory(prefix="edgeship-") as folder:
            root = Path(folder)
            tf.saved_model.save(module, str(root / "1"), signatures={SIGNATURE: concrete})
            _make_repeatable(root / "1")
            return Artifact.of_folder(root)
    except Exception as error:
        # Layers raise what they like while they are traced; untracked tables fail an assertion.
        line = " ".join(str(error).split())[:200]
        raise StepError(f"{task.name} cannot become a SavedModel: {line}") from error


def _tensor_spec(spec: InputSpec) -> tf.TensorSpec:
    return tf.TensorSpec(spec.shape, tf.dtypes.as_dtype(spec.dtype), name=spec.name)


def _make_repeatable(folder: Path) -> None:
    # The fingerprint holds a random number; TensorFlow and TF Serving load without it.
    (folder / "fingerprint.pb").unlink(missing_ok=True)
    path = folder / "saved_model.pb"
    model = saved_model_pb2.SavedModel()
    model.ParseFromString(path.read_bytes())
    for graph in model.meta_graphs:
        library = graph.graph_def.library
        counted = sorted(
            (match for f in library.function if (match := _COUNTED.fullmatch(f.signature.name))),
            key=lambda match: int(match[2]),
        )
        renamed = {match[0]: f"{match[1]}_{index}" for index, match in enumerate(counted)}
        _rename(graph, renamed)
        order = {name: index for index, name in enumerate(renamed.values())}
        functions = sorted(library.function, key=lambda f: order.get(f.signature.name, -1))
        del library.function[:]
        library.function.extend(functions)
        for function in library.function:
            for argument in function.arg_attr.values():
                # A captured variable's "name" is its number among all objects of the process.
                if argument.attr["_user_specified_name"].s.isdigit():
                    del argument.attr["_user_specified_name"]
    path.write_bytes(model.SerializeToString(deterministic=True))


def _rename(message: Message, renamed: dict[str, str]) -> None:
    """Replace each string of a message that is a key of `renamed`, map keys included."""
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            _rename_map(field, value, renamed)
        elif field.type == field.TYPE_MESSAGE:
            for item in value if field.is_repeated else [value]:
                _rename(item, renamed)
        elif field.type == field.TYPE_STRING and field.is_repeated:
            value[:] = [renamed.get(item, item) for item in value]
        elif field.type == field.TYPE_STRING and value in renamed:
            setattr(message, field.name, renamed[value])


def _rename_map(field: Any, entries: Any, renamed: dict[str, str]) -> None:
    holds_messages = field.message_type.fields_by_name["value"].message_type is not None
    for key in list(entries):
        if holds_messages:
            _rename(entries[key], renamed)
        elif entries[key] in renamed:
            entries[key] = renamed[entries[key]]
        if key in renamed:
            if holds_messages:
                entries[renamed[key]].CopyFrom(entries[key])
            else:
                entries[renamed[key]] = entries[key]
            del entries[key]
