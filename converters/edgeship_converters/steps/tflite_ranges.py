"""The range of each activation of a float TFLite model over the calibration rows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from ai_edge_litert.schema_py_generated import TensorType
from litert_quantizer import calibrator, recipe, recipe_manager
from litert_quantizer.utils import qsv_utils
from litert_quantizer.utils import tfl_flatbuffer_utils as flatbuffer

from edgeship_converters.recipe import Recipe
from edgeship_converters.steps.tflite_file import takes_any_rows
from edgeship_runtime.arrays import Array

SIGNATURE = "serving_default"
# Of small rows several run at once: the tool spends a millisecond on a thousand tensors each time.
# A batch's activations are many times what goes in, so that large rows still run one by one.
_BATCH_BYTES = 2**16
_MOST_ROWS = 32

Ranges: TypeAlias = dict[str, Any]


def tflite_ranges(model: bytes, rows: dict[str, Array], how: Recipe) -> Ranges:
    """The least and the largest value to be represented, by tensor name.

    `min-max` takes the least and the largest value seen. The tool's own `calibrate` smooths from
    row to row, and so cuts off a third and more of a tensor whose rows differ in scale
    (docs/decisions/0005-calibration-range.md). `percentile` and `entropy` are onnxruntime's.
    Nothing but zeros, as in the first state of an RNN, counts as −1 to 1.
    For int16 no range ends at a power of two.
    """
    seen = {name: _not_empty(ends) for name, ends in _least_and_largest(model, rows).items()}
    if how.calibration == "min-max":
        return _settled(seen, how)
    from edgeship_converters.steps.histograms import Histograms

    histograms = Histograms(how)
    for values in _activations(model, rows, set(seen)):
        histograms.update(values)
    chosen = histograms.ends()
    found = {
        name: _within(ends, *chosen[name]) if name in chosen else ends
        for name, ends in seen.items()
    }
    return _settled(found, how)


def _least_and_largest(model: bytes, rows: dict[str, Array]) -> Ranges:
    everything = recipe_manager.RecipeManager()
    everything.load_quantization_recipe(recipe.static_wi8_ai8())
    try:
        found = calibrator.Calibrator(
            model,
            num_threads=1,
            mode=calibrator.CalibrationMode.CALIBRATION_PROFILER_BASED,
            qsv_update_func=qsv_utils.min_max_update,
        )
    except RuntimeError:
        # It lays the model out for a size of 1 where sizes are free, which is less than some
        # kernels' windows.
        return _watched(model, rows)
    found.calibrate({SIGNATURE: list(_in_batches(rows, _batch(model, rows)))}, everything)
    seen = found.get_model_qsvs()
    return {
        name: {end: np.asarray(ends[end], np.float32) for end in ("min", "max")}
        for name, ends in seen.items()
    }


def _watched(model: bytes, rows: dict[str, Array]) -> Ranges:
    """The slow way: every tensor is looked at after each row."""
    seen: Ranges = {}
    for values in _activations(model, rows, _computed(model)):
        for name, array in values.items():
            if not array.size:
                continue
            ends = {"min": array.min(keepdims=True), "max": array.max(keepdims=True)}
            ends = {end: value.reshape(1) for end, value in ends.items()}
            before = seen.get(name, ends)
            seen[name] = {
                "min": np.minimum(before["min"], ends["min"]),
                "max": np.maximum(before["max"], ends["max"]),
            }
    return seen


def _computed(model: bytes) -> set[str]:
    """The names of the float tensors that are no constants."""
    parsed = flatbuffer.read_model(model)
    return {
        flatbuffer.get_tensor_name(tensor)
        for graph in parsed.subgraphs
        for tensor in graph.tensors
        if tensor.type == TensorType.FLOAT32 and parsed.buffers[tensor.buffer].data is None
    }


def _not_empty(ends: dict[str, Array]) -> dict[str, Array]:
    # The tool gives zeros a step of 4e-12; a bias in steps of that times the weights' overflows 32
    # bits and is cut off, and XNNPACK refuses the ratio. Zero is exact in any range.
    if ends["min"].any() or ends["max"].any():
        return ends
    return {"min": np.full_like(ends["min"], -1.0), "max": np.full_like(ends["max"], 1.0)}


def _settled(ranges: Ranges, how: Recipe) -> Ranges:
    # LiteRT's 16-bit ADD shifts where all scales are near powers of two, and refuses most shifts.
    if how.precision != "int16x8":
        return ranges
    return {name: _off_powers_of_two(ends) for name, ends in ranges.items()}


def _off_powers_of_two(ends: dict[str, Array]) -> dict[str, Array]:
    exponent = np.log2(max(np.abs(ends["min"]).max(), np.abs(ends["max"]).max()))
    if abs(exponent - np.round(exponent)) > 2e-3:
        return ends
    return {end: (values * 1.01).astype(np.float32) for end, values in ends.items()}


def _within(seen: dict[str, Array], low: Array, high: Array) -> dict[str, Array]:
    """The chosen ends in the form of those seen, and never beyond them."""
    chosen = {"min": np.maximum(seen["min"], low), "max": np.minimum(seen["max"], high)}
    return _not_empty(chosen)


def _activations(
    model: bytes, rows: dict[str, Array], wanted: set[str]
) -> Iterator[dict[str, Array]]:
    """What each of the tensors wanted holds after each row."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        interpreter = Interpreter(
            model_content=model,
            num_threads=1,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
    runner = interpreter.get_signature_runner(SIGNATURE)
    for row in _in_batches(rows, 1):
        runner(**row)
        yield {
            detail["name"]: interpreter.get_tensor(detail["index"])
            for detail in interpreter.get_tensor_details()
            if detail["name"] in wanted
        }


def _batch(model: bytes, rows: dict[str, Array]) -> int:
    """How many rows to run at once."""
    if not takes_any_rows(model):
        return 1
    row_bytes = sum(array[:1].nbytes for array in rows.values())
    return int(np.clip(_BATCH_BYTES // max(row_bytes, 1), 1, _MOST_ROWS))


def _in_batches(rows: dict[str, Array], size: int) -> Iterator[dict[str, Array]]:
    for start in range(0, len(next(iter(rows.values()))), size):
        yield {name: array[start : start + size] for name, array in rows.items()}
