"""Float ONNX → int8 ONNX: QDQ form, weights by channel, ranges from calibration rows."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

# As in edgeship_runtime.engines.onnx_runtime.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.errors import StepError
from edgeship_converters.steps.canonical_onnx import canonical_bytes
from edgeship_runtime.arrays import Array

_BATCH = 32


class _Rows(CalibrationDataReader):  # type: ignore[misc]
    """Calibration rows in small batches, as onnxruntime's calibrator wants to be fed."""

    def __init__(self, rows: dict[str, Array]) -> None:
        self._batches = _batches(rows)

    def get_next(self) -> dict[str, Array] | None:
        """The next batch, None after the last."""
        return next(self._batches, None)


def onnx_to_int8(model: Artifact, task: Task) -> Artifact:
    """Quantize weights and activations to int8; inputs and outputs stay float32.

    Signed integers for both, since ARM's dot product instructions take these.

    Raises:
        StepError: where onnxruntime cannot quantize the model.
    """
    with tempfile.TemporaryDirectory(prefix="edgeship-") as folder:
        given, prepared, quantized = (
            Path(folder) / name for name in ("a.onnx", "b.onnx", "c.onnx")
        )
        given.write_bytes(model.data)
        try:
            quant_pre_process(given, prepared, skip_symbolic_shape=True)
            quantize_static(
                prepared,
                quantized,
                _Rows(task.rows()),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod.MinMax,
            )
        except Exception as error:
            # onnxruntime's own exceptions share no base but Exception.
            line = " ".join(str(error).split())[:200]
            raise StepError(f"{task.name} cannot be quantized to ONNX int8: {line}") from error
        return Artifact.of_file(canonical_bytes(onnx.load(quantized)))


def _batches(rows: dict[str, Array]) -> Iterator[dict[str, Array]]:
    for start in range(0, len(next(iter(rows.values()))), _BATCH):
        yield {name: array[start : start + _BATCH] for name, array in rows.items()}
