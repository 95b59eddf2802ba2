"""Keras or TensorFlow → SavedModel, with named inputs and outputs, the same bytes every time."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.errors import StepError, in_a_line
from edgeship_converters.sources import TensorFlowSource
from edgeship_converters.steps.canonical_savedmodel import make_repeatable
from edgeship_converters.steps.frozen import SAVING, SIGNATURE
from edgeship_converters.steps.portable import portable
from edgeship_converters.steps.refusal import refusing
from edgeship_runtime.bundle import InputSpec

_CALLED = re.compile(r"when calling (\w+)\.call\(\)\. ?(.*?)(?: Arguments received by|$)")


def to_savedmodel(source: TensorFlowSource, task: Task) -> Artifact:
    """Trace the model once and save it below the version folder `1` that TF Serving expects.

    The variables and tables that inference uses are kept, in the model's own order, and what
    changes from one run to the next is taken out afterwards
    (docs/decisions/0004-savedmodel-bytes.md); so `model.export`, which does neither, is not used.

    Raises:
        StepError: where the model cannot be traced or saved.
    """
    specs = {spec.name: _tensor_spec(spec) for spec in task.contract.inputs}

    def serve(**tensors: Any) -> dict[str, Any]:
        with portable(source.layers):
            return source.call(tensors)

    function = tf.function(serve, autograph=False)
    # Layers raise what they like while they are traced; untracked tables fail an assertion.
    with refusing(task, "become a SavedModel", needed=True), _naming_layers(source, task):
        concrete = function.get_concrete_function(**specs)
        used = {id(tensor) for tensor in concrete.captured_inputs}
        module = tf.Module()
        module.variables_in_order = [v for v in source.variables if id(v.handle) in used]
        module.tables_in_order = [item for item in source.tracked if _is_used(item, used)]
        with tempfile.TemporaryDirectory(prefix="edgeship-") as folder:
            root = Path(folder)
            tf.saved_model.save(module, str(root / "1"), {SIGNATURE: concrete}, SAVING)
            make_repeatable(root / "1", source.sha256)
            return Artifact.of_folder(root)


@contextmanager
def _naming_layers(source: TensorFlowSource, task: Task) -> Iterator[None]:
    """Put the layer's name into what Keras says of a call that failed, which holds its class."""
    try:
        yield
    except Exception as error:
        told = in_a_line(error, most=10_000)
        called = _CALLED.search(told)
        names = [item.name for item in source.layers if called and type(item).__name__ == called[1]]
        if called is None or not names:
            raise
        which = (
            f"layer {names[0]!r}" if len(names) == 1 else f"one of the layers {', '.join(names)}"
        )
        raise StepError(
            f"{task.name} cannot become a SavedModel: {which}: {called[2][:200]}",
            "fix the sizes that are free in keras.Input",
            "use another layer",
            needed=True,
        ) from error


def _tensor_spec(spec: InputSpec) -> tf.TensorSpec:
    return tf.TensorSpec(spec.shape, tf.dtypes.as_dtype(spec.dtype), name=spec.name)


def _is_used(item: Any, used: set[int]) -> bool:
    # A table captures the file that fills it, not the function that looks words up.
    return isinstance(item, tf.saved_model.Asset) or id(item.resource_handle) in used
