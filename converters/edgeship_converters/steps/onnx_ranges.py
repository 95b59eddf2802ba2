"""The range of each activation of a float ONNX model over the calibration rows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# As in edgeship_runtime.engines.onnx_runtime.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod
from onnxruntime.quantization.calibrate import create_calibrator

from edgeship_converters.recipe import Recipe
from edgeship_converters.steps.histograms import BINS, QUANTIZED_BINS
from edgeship_runtime.arrays import Array


class _Rows(CalibrationDataReader):  # type: ignore[misc]
    """Calibration rows as onnxruntime's calibrator wants to be fed.

    One by one: it keeps what every tensor held until all rows have run, and batches of images
    take gigabytes.
    """

    def __init__(self, rows: dict[str, Array]) -> None:
        self._rows = _one_by_one(rows)

    def get_next(self) -> dict[str, Array] | None:
        """The next row, None after the last."""
        return next(self._rows, None)


def onnx_ranges(model: Path, rows: dict[str, Array], how: Recipe, ops: list[str]) -> Any:
    """onnxruntime's `TensorsData`: the values to be represented, by tensor name."""
    method, options = _method(how)
    augmented = model.with_name("augmented.onnx")
    calibrator = create_calibrator(
        model, ops, str(augmented), calibrate_method=method, extra_options=options
    )
    calibrator.collect_data(_Rows(rows))
    return calibrator.compute_data()


def _method(how: Recipe) -> tuple[Any, dict[str, Any]]:
    match how.calibration:
        case "percentile":
            bins = {"num_bins": BINS["percentile"], "symmetric": False}
            return CalibrationMethod.Percentile, {"percentile": how.percentile, **bins}
        case "entropy":
            options = {"num_bins": BINS["entropy"], "num_quantized_bins": QUANTIZED_BINS}
            return CalibrationMethod.Entropy, options
    return CalibrationMethod.MinMax, {}


def _one_by_one(rows: dict[str, Array]) -> Iterator[dict[str, Array]]:
    for index in range(len(next(iter(rows.values())))):
        yield {name: array[index : index + 1] for name, array in rows.items()}
