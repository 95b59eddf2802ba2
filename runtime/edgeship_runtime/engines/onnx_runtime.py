"""ONNX models on ONNX Runtime, on the CPU."""

from __future__ import annotations

import os

# Read when the library is loaded: otherwise it keeps a device id and a record of each session in
# the user's cache folder, to be sent to its makers.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy as np
import onnxruntime

from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.engines.engine import one_line
from edgeship_runtime.errors import EngineError

# What goes wrong is in the exception; onnxruntime would print it as well.
_ONLY_FATAL = 4


class OnnxRuntime:
    """An `.onnx` file."""

    def __init__(self, model: bytes, threads: int | None = None) -> None:
        self.name = f"onnxruntime {onnxruntime.__version__}"
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _ONLY_FATAL
        if threads is not None:
            options.intra_op_num_threads = threads
            options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            # onnxruntime's own exceptions share no base but Exception.
            raise EngineError(f"{self.name} refuses the model: {one_line(error)}") from error
        self._outputs = [output.name for output in self._session.get_outputs()]

    def run(self, inputs: Arrays) -> dict[str, Array]:
        """See `Engine.run`."""
        try:
            results = self._session.run(self._outputs, dict(inputs))
        except Exception as error:
            raise EngineError(f"{self.name} fails on the input: {one_line(error)}") from error
        return {
            name: np.asarray(result) for name, result in zip(self._outputs, results, strict=True)
        }
