"""SavedModel → float TFLite, with builtin operators only."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.errors import StepError


def savedmodel_to_tflite(savedmodel: Artifact, task: Task) -> Artifact:
    """Convert with TFLiteConverter.

    Raises:
        StepError: where an operator has no TFLite builtin; the runtimes of boards hold no others.
    """
    with tempfile.TemporaryDirectory(prefix="edgeship-") as folder:
        root = savedmodel.write_to(Path(folder))
        converter = tf.lite.TFLiteConverter.from_saved_model(str(root / "1"))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        try:
            model: bytes = converter.convert()
        except Exception as error:
            # ConverterError is not exported, and some faults arrive as RuntimeError or ValueError.
            reasons = [line for line in str(error).splitlines() if "error:" in line]
            reason = (reasons or str(error).splitlines() or ["no reason given"])[0][:200]
            raise StepError(
                f"{task.name} cannot become TFLite: {reason}; replace that layer, or leave TFLite "
                "out with --variants savedmodel-float32,onnx-float32"
            ) from error
    return Artifact.of_file(model)
