"""SavedModel → float TFLite, with builtin operators only."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.steps.frozen import freeze, nodes, replace, save
from edgeship_converters.steps.plain_ops import FOR_TFLITE
from edgeship_converters.steps.refusal import located, refusal, refusing
from edgeship_runtime.engines.litert import LiteRT


def savedmodel_to_tflite(savedmodel: Artifact, task: Task) -> Artifact:
    """Convert with TFLiteConverter.

    Raises:
        StepError: where an operator has no TFLite builtin; the runtimes of boards hold no others.
    """
    with tempfile.TemporaryDirectory(prefix="edgeship-") as folder:
        root = Path(folder)
        with refusing(task, "become TFLite"):
            if any(_is_replaced(node) for node in nodes(savedmodel)):
                save(replace(freeze(savedmodel), FOR_TFLITE), root / "1")
            else:
                savedmodel.write_to(root)
            converter = tf.lite.TFLiteConverter.from_saved_model(str(root / "1"))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        try:
            model: bytes = converter.convert()
            LiteRT(model)
        except Exception as error:
            # ConverterError is not exported, and some faults arrive as RuntimeError or ValueError.
            message = str(error)
            reasons = [line for line in message.splitlines() if "error:" in line]
            reason = (reasons or message.splitlines() or ["no reason given"])[0]
            raise refusal(task, "TFLite", located(message), reason) from error
    return Artifact.of_file(model)


def _is_replaced(node: Any) -> bool:
    # Every RNN slices; few slices add axes.
    return node.op in FOR_TFLITE and (
        node.op != "StridedSlice" or node.attr["new_axis_mask"].i != 0
    )
