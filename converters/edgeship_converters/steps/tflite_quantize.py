"""Float TFLite → quantized TFLite, by Google's litert-quantizer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from litert_quantizer import calibrator, quantizer, recipe, recipe_manager
from litert_quantizer.utils import qsv_utils

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.errors import StepError
from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle import Quantization, QuantizedTensor

SIGNATURE = "serving_default"


def tflite_to_dynamic_int8(tflite: Artifact, task: Task) -> Artifact:
    """Weights in int8 by channel; activations are quantized while running, from their own range."""
    return _quantize(tflite, task, recipe.dynamic_wi8_afp32(), None)


def tflite_to_int8(tflite: Artifact, task: Task) -> Artifact:
    """Weights, activations, inputs and outputs in int8, ranges taken from calibration rows."""
    return _quantize(tflite, task, recipe.static_wi8_ai8(), task.rows())


def _quantize(tflite: Artifact, task: Task, rules: Any, rows: dict[str, Array] | None) -> Artifact:
    tool = quantizer.Quantizer(tflite.data, rules)
    try:
        ranges = None if rows is None else _ranges(tflite.data, rules, rows)
        quantized = bytes(tool.quantize(ranges).quantized_model)
    except (RuntimeError, ValueError) as error:
        line = " ".join(str(error).split())[:200]
        raise StepError(f"{task.name} cannot be quantized to TFLite int8: {line}") from error
    return Artifact.of_file(quantized, quantization_of(quantized))


def _ranges(model: bytes, rules: Any, rows: dict[str, Array]) -> dict[str, Any]:
    """The least and the largest value of each tensor over all rows.

    The tool's own `calibrate` smooths from row to row, and so cuts off a third and more of a
    tensor whose rows differ in scale (docs/decisions/0005-calibration-range.md).
    """
    manager = recipe_manager.RecipeManager()
    manager.load_quantization_recipe(rules)
    found = calibrator.Calibrator(model, num_threads=1, qsv_update_func=qsv_utils.min_max_update)
    found.calibrate({SIGNATURE: list(_one_by_one(rows))}, manager)
    ranges: dict[str, Any] = found.get_model_qsvs()
    return ranges


def _one_by_one(rows: dict[str, Array]) -> Iterator[dict[str, Array]]:
    for index in range(len(next(iter(rows.values())))):
        yield {name: array[index : index + 1] for name, array in rows.items()}


def quantization_of(model: bytes) -> Quantization:
    """The parameters of a model's integer inputs and outputs, as its own file states them."""
    runner = Interpreter(model_content=model).get_signature_runner(SIGNATURE)
    return Quantization(
        inputs=_quantized(runner.get_input_details()),
        outputs=_quantized(runner.get_output_details()),
    )


def _quantized(details: dict[str, Any]) -> dict[str, QuantizedTensor]:
    tensors = {}
    for name, detail in sorted(details.items()):
        scale, zero_point = detail["quantization"]
        if scale:
            dtype: Any = np.dtype(detail["dtype"]).name
            tensors[name] = QuantizedTensor(
                dtype=dtype, scale=float(scale), zero_point=int(zero_point)
            )
    return tensors
