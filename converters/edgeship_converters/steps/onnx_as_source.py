"""An ONNX file → ONNX as shipped: the contract's names, tensors only, any number of rows."""

from __future__ import annotations

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.sources.onnx_file import OnnxSource
from edgeship_converters.steps.canonical_onnx import canonical_bytes


def onnx_as_source(source: OnnxSource, task: Task) -> Artifact:
    """The graph as its file has it but for that; its opset, IR version and precision stay."""
    del task
    return Artifact.of_file(canonical_bytes(source.model))
