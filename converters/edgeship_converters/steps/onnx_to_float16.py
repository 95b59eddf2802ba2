"""Float32 ONNX → float16 ONNX, by onnxruntime's own converter."""

from __future__ import annotations

import os

# As in edgeship_runtime.engines.onnx_runtime.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnx
from onnxruntime.transformers.float16 import convert_float_to_float16

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.layer_names import LayerNames
from edgeship_converters.steps.canonical_onnx import canonical_bytes
from edgeship_converters.steps.onnx_compact import compact
from edgeship_converters.steps.onnx_nodes import (
    kept_in_float,
    shape_arithmetic,
    taking_no_half,
    without_empty_sizes,
)
from edgeship_converters.steps.refusal import refusing


def onnx_to_float16(model: Artifact, task: Task) -> Artifact:
    """Keep weights and compute in float16; inputs and outputs stay as they are.

    Raises:
        StepError: where the converter fails on the model.
    """
    parsed = onnx.load_model_from_string(model.data)
    # 7 pixels times 9 ÷ 7 must be 9, not 8.99: sizes are computed in float32.
    blocked = {
        *kept_in_float(parsed, task.chosen_recipe(), task.layers),
        *shape_arithmetic(parsed),
        *taking_no_half(parsed),
    }
    without_empty_sizes(parsed)
    with refusing(task, "become float16 ONNX"):
        halved = convert_float_to_float16(
            parsed, keep_io_types=True, node_block_list=sorted(blocked)
        )
    _bypass_half_between(halved, blocked)
    return Artifact.of_file(compact(canonical_bytes(halved), LayerNames(task.layers)))


def _bypass_half_between(model: onnx.ModelProto, blocked: set[str]) -> None:
    """Let nodes in float32 hand each other float32: the converter casts to float16 and back.

    Masked ends of a Slice are ±1e9, which float16 does not have.
    """
    whole = {name for node in model.graph.node if node.name in blocked for name in node.output}
    casts = {node.output[0]: node for node in model.graph.node if node.op_type == "Cast"}
    source = {
        output: halving.input[0]
        for output, back in casts.items()
        if _to(back) == onnx.TensorProto.FLOAT
        and (halving := casts.get(back.input[0])) is not None
        and _to(halving) == onnx.TensorProto.FLOAT16
        and halving.input[0] in whole
    }
    for node in model.graph.node:
        if node.name in blocked:
            node.input[:] = [source.get(name, name) for name in node.input]


def _to(cast: onnx.NodeProto) -> int:
    return next(int(attribute.i) for attribute in cast.attribute if attribute.name == "to")
