"""Float ONNX → int8 ONNX, by onnxruntime's quantizer, as a recipe says."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# As in edgeship_runtime.engines.onnx_runtime.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnx
import onnx.version_converter
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
from onnxruntime.quantization.quant_utils import load_model_with_shape_infer
from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry
from onnxruntime.quantization.shape_inference import quant_pre_process

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.layer_names import LayerNames
from edgeship_converters.recipe import Recipe
from edgeship_converters.steps.canonical_onnx import canonical_bytes
from edgeship_converters.steps.onnx_compact import compact
from edgeship_converters.steps.onnx_indexed import IndexedModel
from edgeship_converters.steps.onnx_masks import with_shallow_masks
from edgeship_converters.steps.onnx_nodes import flatten_biases, kept_in_float, matrix_stacks
from edgeship_converters.steps.onnx_ranges import onnx_ranges
from edgeship_converters.steps.refusal import KEEP_IN_FLOAT, refusing

# Whose DequantizeLinear is the first with an axis.
_BY_CHANNEL = 13
OPS = sorted({*QLinearOpsRegistry, *QDQRegistry})


def onnx_to_int8(model: Artifact, task: Task) -> Artifact:
    """Quantize weights and activations to int8; inputs and outputs stay float32.

    Signed integers for both, since ARM's dot product instructions take these.

    Raises:
        StepError: where onnxruntime cannot quantize the model.
    """
    recipe = task.chosen_recipe()
    with prepared(model, task) as path:
        ranges = (
            task.ranges(recipe)
            if task.ranges
            else onnx_ranges(path, task.rows(recipe.rows), recipe, OPS)
        )
        excluded = kept_in_float(onnx.load(path), recipe, task.layers)
        quantized = quantize_with(path, ranges, recipe, excluded=excluded).data
        return Artifact.of_file(compact(quantized, LayerNames(task.layers)))


def quantize_with(
    model: Path,
    ranges: Any,
    recipe: Recipe,
    *,
    only: Sequence[str] = (),
    excluded: Sequence[str] = (),
) -> Artifact:
    """Quantize a prepared model.

    Args:
        model: where it is.
        ranges: from `onnx_ranges`.
        recipe: for the weights' granularity.
        only: the names of the nodes to quantize; all without any.
        excluded: the names of nodes that stay in float.
    """
    loaded = load_model_with_shape_infer(model)
    ranges = with_shallow_masks(loaded, ranges)
    quantizer = QDQQuantizer(
        loaded,
        recipe.granularity == "channel",
        False,  # no bit is kept back, as old x86 kernels wanted it
        QuantType.QInt8,
        QuantType.QInt8,
        ranges,
        list(only),
        list(excluded),
        OPS,
        # Several matrices have no channel axis in common, and QLinearMatMul refuses one of them.
        {
            "TensorQuantOverrides": {
                name: [{"quant_type": QuantType.QInt8}] for name in matrix_stacks(loaded)
            }
        },
    )
    quantizer.model = IndexedModel(quantizer.model.model)
    quantizer.quantize_model()
    return Artifact.of_file(canonical_bytes(quantizer.model.model))


def onnx_to_dynamic_int8(model: Artifact, task: Task) -> Artifact:
    """Quantize weights to 8 bits; activations are quantized while running, from their own range.

    Convolutions take unsigned weights: onnxruntime before 1.24 has no ConvInteger for signed ones.

    Raises:
        StepError: where onnxruntime cannot quantize the model.
    """
    recipe = task.chosen_recipe()
    with prepared(model, task) as path:
        quantized = path.with_name("quantized.onnx")
        loaded = onnx.load(path)
        stacks = matrix_stacks(loaded)
        excluded = {
            *kept_in_float(loaded, recipe, task.layers),
            # onnxruntime's DynamicQuantizeMatMul takes one matrix, and fails on several.
            *(node.name for node in loaded.graph.node if stacks & {*node.input} and node.name),
        }
        convolutions = {node.name for node in loaded.graph.node if node.op_type == "Conv"}
        by_channel = recipe.granularity == "channel"
        quantize_dynamic(
            path,
            quantized,
            per_channel=by_channel,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=sorted(excluded | convolutions),
        )
        if convolutions - excluded:
            quantize_dynamic(
                quantized,
                quantized,
                per_channel=by_channel,
                weight_type=QuantType.QUInt8,
                nodes_to_quantize=sorted(convolutions - excluded),
            )
        canonical = canonical_bytes(onnx.load(quantized))
        return Artifact.of_file(compact(canonical, LayerNames(task.layers)))


def _by_channel(data: bytes) -> bytes:
    """The model in an opset that has a scale for each channel, as those of old files have not."""
    model = onnx.load_model_from_string(data)
    if any(entry.domain == "" and entry.version < _BY_CHANNEL for entry in model.opset_import):
        model = onnx.version_converter.convert_version(model, _BY_CHANNEL)
        return bytes(model.SerializeToString())
    return data


@contextmanager
def prepared(model: Artifact, task: Task) -> Iterator[Path]:
    """The model in a file, after the preparation that onnxruntime asks for.

    Raises:
        StepError: for whatever the block or the preparation raises.
    """
    with tempfile.TemporaryDirectory(prefix="edgeship-") as folder:
        given, ready = Path(folder) / "given.onnx", Path(folder) / "prepared.onnx"
        with refusing(task, "be quantized to ONNX int8", KEEP_IN_FLOAT):
            given.write_bytes(_by_channel(model.data))
            quant_pre_process(given, ready, skip_symbolic_shape=True)
            made = onnx.load(ready)
            if flatten_biases(made):
                onnx.save(made, ready)
            yield ready
