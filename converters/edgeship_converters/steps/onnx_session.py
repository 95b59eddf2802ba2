"""A session of onnxruntime on an ONNX model as it is written, for looking into it."""

from __future__ import annotations

import os
from typing import Any

# As in edgeship_runtime.engines.onnx_runtime.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime

_ONLY_FATAL = 4


def unoptimized(model: bytes) -> Any:
    """A session without optimizations: fused operators would hide the tensors between them.

    Raises:
        Exception: of onnxruntime's many kinds, where it does not take the model.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = _ONLY_FATAL
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
