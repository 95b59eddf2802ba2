"""The masks of a float TFLite model, made shallow before it is quantized."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert.schema_py_generated import BuiltinOperator, TensorType
from litert_quantizer.utils import tfl_flatbuffer_utils as flatbuffer

from edgeship_converters.steps.masks import Link, shallow_masks, with_depth
from edgeship_converters.steps.tflite_file import packed
from edgeship_converters.steps.tflite_ranges import Ranges
from edgeship_runtime.arrays import Array

_SOFTMAX = BuiltinOperator.SOFTMAX
_PASSING = {
    BuiltinOperator.ADD,
    BuiltinOperator.SUB,
    BuiltinOperator.MUL,
    BuiltinOperator.SELECT,
    BuiltinOperator.SELECT_V2,
    BuiltinOperator.RESHAPE,
    BuiltinOperator.EXPAND_DIMS,
    BuiltinOperator.TRANSPOSE,
    BuiltinOperator.BROADCAST_TO,
    BuiltinOperator.TILE,
    _SOFTMAX,
}


def with_shallow_masks(model: bytes, ranges: Ranges) -> tuple[bytes, Ranges]:
    """The model and its ranges with the masks of `masks.shallow_masks`; the same without any."""
    parsed = flatbuffer.read_model(model)
    seen = {name: (float(np.min(r["min"])), float(np.max(r["max"]))) for name, r in ranges.items()}
    changed = dict(ranges)
    found = False
    for graph in parsed.subgraphs:
        constants = _constants(graph, parsed)
        shallow = shallow_masks(_links(graph, parsed), constants, seen)
        for tensor in graph.tensors:
            depth = shallow.depths.get(_name(tensor))
            if depth is not None:
                found = True
                values = with_depth(constants[_name(tensor)], depth)
                parsed.buffers[tensor.buffer].data = np.frombuffer(values.tobytes(), np.uint8)
                if _name(tensor) in changed:
                    changed[_name(tensor)] = _ends(
                        changed[_name(tensor)], values.min(), values.max()
                    )
        for name, (low, high) in shallow.ranges.items():
            changed[name] = _ends(changed[name], low, high)
    if not found:
        return model, ranges
    return packed(parsed), changed


def _ends(like: dict[str, Array], low: float, high: float) -> dict[str, Array]:
    return {"min": np.full_like(like["min"], low), "max": np.full_like(like["max"], high)}


def _links(graph: Any, model: Any) -> list[Link]:
    return [
        Link(
            tuple(_name(graph.tensors[i]) for i in op.inputs if i >= 0 and _is_float(graph, i)),
            tuple(_name(graph.tensors[i]) for i in op.outputs),
            _code(op, model) == _SOFTMAX,
        )
        for op in graph.operators
        if _code(op, model) in _PASSING
    ]


def _constants(graph: Any, model: Any) -> dict[str, Array]:
    return {
        _name(tensor): np.frombuffer(bytes(data), np.float32)
        for index, tensor in enumerate(graph.tensors)
        if _is_float(graph, index)
        and (data := model.buffers[tensor.buffer].data) is not None
        and len(data)
    }


def _is_float(graph: Any, index: int) -> bool:
    return bool(graph.tensors[index].type == TensorType.FLOAT32)


def _name(tensor: Any) -> str:
    return str(flatbuffer.get_tensor_name(tensor))


def _code(op: Any, model: Any) -> int:
    code = model.operatorCodes[op.opcodeIndex]
    return int(max(code.builtinCode, code.deprecatedBuiltinCode))
