"""SavedModel → ONNX, by tf2onnx through the signature's concrete function."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf
from onnx import ModelProto, defs
from tf2onnx.optimizer import optimize_graph
from tf2onnx.tfonnx import process_tf_graph

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.errors import in_a_line
from edgeship_converters.steps.canonical_onnx import canonical_bytes
from edgeship_converters.steps.frozen import Frozen, freeze, replace
from edgeship_converters.steps.onnx_optimizers import optimizers
from edgeship_converters.steps.onnx_padding import mend_padding
from edgeship_converters.steps.onnx_session import unoptimized
from edgeship_converters.steps.plain_ops import FOR_ONNX
from edgeship_converters.steps.refusal import refusal, refusing

# In ascending order, each with the lowest IR version that may hold it: the first that serves is
# taken. 13 is the lowest with quantization by channel; onnxruntime 1.7 (2021) reads it.
OPSETS = {13: 7, 15: 8, 17: 8, 18: 8}


def savedmodel_to_onnx(savedmodel: Artifact, task: Task) -> Artifact:
    """Freeze the signature, convert it, and keep its names.

    Raises:
        StepError: where the model needs an operator that ONNX or tf2onnx does not have.
    """
    with refusing(task, "become ONNX"):
        frozen = replace(freeze(savedmodel), FOR_ONNX)
    unknown: dict[str, str] = {}
    reason = ""
    for opset, ir_version in OPSETS.items():
        try:
            model = _convert(frozen, task.name, opset)
            unknown = _not_in_onnx(model)
            if unknown:
                continue
            mend_padding(model)
            model.ir_version = ir_version
            data = canonical_bytes(model)
            unoptimized(data)
        except Exception as error:
            # tf2onnx raises bare exceptions of many kinds, and so does onnxruntime.
            reason = reason or in_a_line(error)
            continue
        return Artifact.of_file(data)
    raise refusal(task, "ONNX", unknown, reason)


def _convert(frozen: Frozen, name: str, opset: int) -> ModelProto:
    try:
        graph = _processed(frozen, opset)
        graph = optimize_graph(graph, catch_errors=False, optimizers=optimizers())
    except Exception:
        # An optimizer that fails leaves a graph half changed. This way tf2onnx leaves those out,
        # and copies the graph before each, which takes longer than all else for a thousand nodes.
        graph = optimize_graph(_processed(frozen, opset), optimizers=optimizers())
    model: ModelProto = graph.make_model(f"converted from {name}")
    return model


def _processed(frozen: Frozen, opset: int) -> Any:
    """tf2onnx's graph of ONNX operators, before its optimizers."""
    names = {tensor: name for name, tensor in (*frozen.inputs.items(), *frozen.outputs.items())}
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(frozen.graph, name="")
        return process_tf_graph(
            graph,
            opset=opset,
            input_names=list(frozen.inputs.values()),
            output_names=list(frozen.outputs.values()),
            tensors_to_rename=names,
        )


def _not_in_onnx(model: ModelProto) -> dict[str, str]:
    """TensorFlow operators that tf2onnx passed through as they were: operator name to type."""
    return {
        node.name: node.op_type
        for node in model.graph.node
        if node.domain in ("", "ai.onnx") and not defs.has(node.op_type)
    }
