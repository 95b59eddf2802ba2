"""SavedModel → ONNX, by tf2onnx through the signature's concrete function."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf
import tf2onnx.convert
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.errors import StepError
from edgeship_converters.steps.canonical_onnx import canonical_bytes

SIGNATURE = "serving_default"
# The lowest opset with all that quantization by channel (13) and today's layers need; onnxruntime
# reads it since release 1.10 (2021).
OPSET = 15


def savedmodel_to_onnx(savedmodel: Artifact, task: Task) -> Artifact:
    """Freeze the signature, convert it, and keep its names.

    Raises:
        StepError: where tf2onnx does not know an operator.
    """
    with tempfile.TemporaryDirectory(prefix="edgeship-") as folder:
        root = savedmodel.write_to(Path(folder))
        loaded = tf.saved_model.load(str(root / "1"))
        signature = loaded.signatures[SIGNATURE]
        frozen = convert_variables_to_constants_v2(signature, lower_control_flow=False)
        # Flattened outputs come in the order of their sorted names, as TensorFlow sorts dicts.
        outputs = sorted(signature.structured_outputs)
        names = {tensor.name: tensor.name.split(":")[0] for tensor in frozen.inputs}
        names |= {t.name: name for t, name in zip(frozen.outputs, outputs, strict=True)}
        try:
            model, _ = tf2onnx.convert._convert_common(
                frozen.graph.as_graph_def(),
                name=task.name,
                opset=OPSET,
                input_names=[tensor.name for tensor in frozen.inputs],
                output_names=[tensor.name for tensor in frozen.outputs],
                tensors_to_rename=names,
            )
        except Exception as error:
            # tf2onnx raises bare exceptions of many kinds for what it does not know.
            line = " ".join(str(error).split())[:200]
            raise StepError(
                f"{task.name} cannot become ONNX: {line}; replace that layer, or leave ONNX out "
                "with --variants"
            ) from error
    return Artifact.of_file(canonical_bytes(model))
