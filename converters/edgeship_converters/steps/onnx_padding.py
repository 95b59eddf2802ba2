"""Transposed convolutions with padding that ONNX allows."""

from __future__ import annotations

from onnx import ModelProto


def mend_padding(model: ModelProto) -> None:
    """Turn padding below zero at the end, which tf2onnx writes, into output padding."""
    for node in model.graph.node:
        pads = next((a for a in node.attribute if a.name == "pads"), None)
        if node.op_type != "ConvTranspose" or pads is None or min(pads.ints) >= 0:
            continue
        axes = len(pads.ints) // 2
        extra = [max(0, -size) for size in pads.ints[axes:]]
        pads.ints[axes:] = [max(0, size) for size in pads.ints[axes:]]
        node.attribute.add(name="output_padding", type=pads.type, ints=extra)
