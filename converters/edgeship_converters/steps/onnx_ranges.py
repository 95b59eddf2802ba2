"""The range of each activation of a float ONNX model over the calibration rows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# As in edgeship_runtime.engines.onnx_runtime.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy as np
from onnx import ModelProto
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod
from onnxruntime.quantization.calibrate import CalibraterBase, TensorsData, create_calibrator

from edgeship_converters.recipe import Recipe
from edgeship_converters.steps.histograms import BINS, QUANTIZED_BINS
from edgeship_converters.steps.onnx_session import unoptimized
from edgeship_runtime.arrays import Array

# What all tensors of a batch may take, unless a single row takes more.
_BATCH_BYTES = 32 * 2**20


class _Rows(CalibrationDataReader):  # type: ignore[misc]
    """Calibration rows as onnxruntime's calibrator wants to be fed.

    One by one: it keeps what every tensor held until all rows have run, and batches of images
    take gigabytes.
    """

    def __init__(self, rows: dict[str, Array]) -> None:
        self._rows = _in_batches(rows, 1)

    def get_next(self) -> dict[str, Array] | None:
        """The next row, None after the last."""
        return next(self._rows, None)


def onnx_ranges(model: Path, rows: dict[str, Array], how: Recipe, ops: list[str]) -> Any:
    """onnxruntime's `TensorsData`: the values to be represented, by tensor name.

    `min-max` is the least and the largest value seen; `percentile` and `entropy` are
    onnxruntime's own.
    """
    if how.calibration == "min-max":
        return _least_and_largest(model, rows, ops)
    augmented = model.with_name("augmented.onnx")
    method, options = _histogram(how)
    calibrator = create_calibrator(
        model, ops, str(augmented), calibrate_method=method, extra_options=options
    )
    calibrator.collect_data(_Rows(rows))
    return calibrator.compute_data()


def _least_and_largest(path: Path, rows: dict[str, Array], ops: list[str]) -> Any:
    """Ranges from the tensors themselves, in batches.

    onnxruntime's calibrator adds four operators for each tensor and runs row by row: for two LSTM
    layers of 28 steps that took twenty times as long.
    """
    chooser = CalibraterBase(path, ops)
    chosen, infos = chooser.select_tensors_to_calibrate(chooser.model)
    model: ModelProto = chooser.model
    # Sets of strings come in another order in each process.
    names = sorted(chosen - set(rows))
    outputs = {output.name for output in model.graph.output}
    model.graph.output.extend(infos[name] for name in names if name not in outputs)
    session = unoptimized(model.SerializeToString())

    def run(batch: dict[str, Array]) -> dict[str, Array]:
        # Asked for no outputs, onnxruntime gives them all.
        return dict(zip(names, session.run(names, batch), strict=True)) if names else {}

    free = all(not isinstance(given.shape[0], int) for given in session.get_inputs())
    seen: dict[str, tuple[Array, Array]] = {}
    first = next(_in_batches(rows, 1))
    row_bytes = sum(array.nbytes for array in run(first).values())
    size = max(1, _BATCH_BYTES // max(row_bytes, 1)) if free else 1
    for batch in _in_batches(rows, size):
        held = run(batch) | {name: batch[name] for name in chosen & set(batch)}
        for name, array in held.items():
            if array.size:
                seen[name] = _wider(seen.get(name), array)
    return TensorsData(CalibrationMethod.MinMax, seen)


def _wider(seen: tuple[Array, Array] | None, array: Array) -> tuple[Array, Array]:
    ends = np.fmin.reduce(array, axis=None), np.fmax.reduce(array, axis=None)
    if seen is not None:
        ends = np.fmin(ends[0], seen[0][0]), np.fmax(ends[1], seen[1][0])
    return np.asarray([ends[0]], array.dtype), np.asarray([ends[1]], array.dtype)


def _histogram(how: Recipe) -> tuple[Any, dict[str, Any]]:
    if how.calibration == "percentile":
        bins = {"num_bins": BINS["percentile"], "symmetric": False}
        return CalibrationMethod.Percentile, {"percentile": how.percentile, **bins}
    options = {"num_bins": BINS["entropy"], "num_quantized_bins": QUANTIZED_BINS}
    return CalibrationMethod.Entropy, options


def _in_batches(rows: dict[str, Array], size: int) -> Iterator[dict[str, Array]]:
    for start in range(0, len(next(iter(rows.values()))), size):
        yield {name: array[start : start + size] for name, array in rows.items()}
