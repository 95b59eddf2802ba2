"""The masks of a float ONNX model, made shallow before it is quantized."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from onnx import ModelProto, numpy_helper
from onnxruntime.quantization.calibrate import TensorData, TensorsData

from edgeship_converters.steps.masks import Link, shallow_masks, with_depth

_PASSING = {
    "Add",
    "Sub",
    "Mul",
    "Where",
    "Reshape",
    "Unsqueeze",
    "Squeeze",
    "Transpose",
    "Expand",
    "Tile",
    "Softmax",
}


def with_shallow_masks(model: ModelProto, ranges: TensorsData) -> TensorsData:
    """Change the model's masks as `masks.shallow_masks` says; the ranges that go with them."""
    constants = {
        tensor.name: numpy_helper.to_array(tensor)
        for tensor in model.graph.initializer
        if tensor.data_type == tensor.FLOAT
    }
    links = [
        Link(tuple(node.input), tuple(node.output), node.op_type == "Softmax")
        for node in model.graph.node
        if node.op_type in _PASSING
    ]
    shallow = shallow_masks(links, constants, {name: _ends(d) for name, d in ranges.items()})
    if not shallow.depths:
        return ranges
    for tensor in model.graph.initializer:
        if tensor.name in shallow.depths:
            values = with_depth(constants[tensor.name], shallow.depths[tensor.name])
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    changed = copy.copy(ranges)
    changed.data = dict(ranges.data)
    for name, (low, high) in shallow.ranges.items():
        changed.data[name] = TensorData(lowest=np.float32(low), highest=np.float32(high))
    return changed


def _ends(data: Any) -> tuple[float, float]:
    return float(np.min(data.range_value[0])), float(np.max(data.range_value[1]))
