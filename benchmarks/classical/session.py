"""The bare session that every ONNX form is measured in."""

from __future__ import annotations

import os

# See edgeship_runtime.engines.onnx_runtime.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime


def session(model: bytes) -> onnxruntime.InferenceSession:
    """A session of onnxruntime on one thread, everything else as it is by itself."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
