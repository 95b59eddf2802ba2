"""Tables of vectors, as an Embedding's, in fewer bits.

litert-quantizer leaves the table of a GATHER as it is unless its activations are integers too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from litert_quantizer.utils import tfl_flatbuffer_utils as flatbuffer

from edgeship_converters.layer_names import LayerNames
from edgeship_converters.recipe import Recipe
from edgeship_converters.steps.tflite_file import builtins, packed
from edgeship_converters.steps.tflite_ops import feeding_integers, tflite_ops
from edgeship_runtime.arrays import Array

# What the operators that are added take themselves.
_WORTH_BYTES = 1024
# The lowest versions of DEQUANTIZE that take each type.
_DEQUANTIZE = {schema.TensorType.INT8: 2, schema.TensorType.FLOAT16: 3}
# The lowest version of GATHER that takes int8.
_GATHER_INT8 = 2
_LARGEST_INT8 = 127.0


def with_small_tables(model: bytes, recipe: Recipe, names: LayerNames) -> bytes:
    """The model with each float32 table that rows are gathered from as its layer's precision says.

    `float16` keeps it in float16, `dynamic-int8` and `int4` in int8, symmetric, with one scale:
    LiteRT gathers nothing of 4 bits, and by one scale only.
    """
    if schema.BuiltinOperator.GATHER not in builtins(model):
        return model
    parsed = flatbuffer.read_model(model)
    graph = parsed.subgraphs[0]
    places = [i for i, op in enumerate(graph.operators) if _table(parsed, graph, op)]
    if not places:
        return model
    exact = feeding_integers(model)
    ops = tflite_ops(model, names)
    found = False
    # From the last, so that places stay right while operators are added.
    for place in reversed(places):
        if ops[place].scope in exact:
            continue
        match recipe.precision_of(ops[place].layers):
            case "float16":
                found |= _in_float16(parsed, graph, graph.operators[place])
            case "dynamic-int8" | "int4":
                found |= _in_int8(parsed, graph, place)
    if not found:
        return model
    # Before all that takes a table; while operators were looked at, these would have moved them.
    graph.operators.sort(key=lambda op: not _unpacks_a_constant(parsed, graph, op))
    _drop_unused(parsed)
    return packed(parsed)


def _table(parsed: Any, graph: Any, op: Any) -> tuple[Any, Array] | None:
    """The tensor, and its values, that a GATHER takes rows of; None for all other operators."""
    if parsed.operatorCodes[op.opcodeIndex].builtinCode != schema.BuiltinOperator.GATHER:
        return None
    tensor = graph.tensors[op.inputs[0]]
    data = parsed.buffers[tensor.buffer].data
    if tensor.type != schema.TensorType.FLOAT32 or data is None or len(data) < _WORTH_BYTES:
        return None
    return tensor, np.frombuffer(bytes(data), np.float32)


def _in_float16(parsed: Any, graph: Any, gather: Any) -> bool:
    """Store a table in float16, unpacked as a whole: older runtimes gather no float16."""
    found = _table(parsed, graph, gather)
    if found is None:
        return False
    table, values = found
    with np.errstate(over="ignore"):
        halves = values.astype(np.float16)
    if not np.isfinite(halves).all():
        return False
    small = _constant(parsed, graph, table, schema.TensorType.FLOAT16, halves, None)
    # The table itself is computed from now on, for all that take it.
    table.buffer = 0
    graph.operators.append(_unpacking(parsed, small, gather.inputs[0], schema.TensorType.FLOAT16))
    return True


def _in_int8(parsed: Any, graph: Any, place: int) -> bool:
    """Store a table in int8, with one scale; what is gathered is unpacked."""
    gather = graph.operators[place]
    found = _table(parsed, graph, gather)
    if found is None:
        return False
    table, values = found
    scale = np.float32(np.abs(values).max() / _LARGEST_INT8)
    if not np.finfo(np.float32).tiny <= scale < np.inf:
        return False
    kind = schema.TensorType.INT8
    integers = np.rint(values / scale).astype(np.int8)
    # A table that several operators share is stored once, since equal buffers are in the end.
    small = _constant(parsed, graph, table, kind, integers, float(scale))
    answer = gather.outputs[0]
    graph.tensors.append(_tensor(graph.tensors[answer], kind, float(scale)))
    rows = len(graph.tensors) - 1
    gather.inputs, gather.outputs = [small, *gather.inputs[1:]], [rows]
    code = parsed.operatorCodes[gather.opcodeIndex]
    code.version = max(code.version, _GATHER_INT8)
    graph.operators.insert(place + 1, _unpacking(parsed, rows, answer, kind))
    return True


def _constant(
    parsed: Any, graph: Any, like: Any, kind: int, values: Array, scale: float | None
) -> int:
    """The place of a new constant tensor."""
    tensor = _tensor(like, kind, scale)
    tensor.buffer = len(parsed.buffers)
    parsed.buffers.append(schema.BufferT())
    parsed.buffers[-1].data = np.frombuffer(values.tobytes(), np.uint8)
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _unpacking(parsed: Any, given: int, answer: int, kind: int) -> Any:
    op = schema.OperatorT()
    op.opcodeIndex = _dequantize(parsed, kind)
    op.inputs, op.outputs = [given], [answer]
    return op


def _unpacks_a_constant(parsed: Any, graph: Any, op: Any) -> bool:
    code = parsed.operatorCodes[op.opcodeIndex].builtinCode
    if code != schema.BuiltinOperator.DEQUANTIZE:
        return False
    return parsed.buffers[graph.tensors[op.inputs[0]].buffer].data is not None


def _drop_unused(parsed: Any) -> None:
    """Empty the buffers of constants that no operator takes any more."""
    used = {0, *(entry.buffer for entry in parsed.metadata or [])}
    for graph in parsed.subgraphs:
        taken = {*graph.inputs, *graph.outputs, *(i for op in graph.operators for i in op.inputs)}
        used |= {graph.tensors[index].buffer for index in taken if index >= 0}
    for place, buffer in enumerate(parsed.buffers):
        if place not in used:
            buffer.data = None


def _tensor(like: Any, kind: int, scale: float | None) -> Any:
    tensor = schema.TensorT()
    tensor.name = flatbuffer.get_tensor_name(like).encode() + b"_small"
    tensor.shape, tensor.shapeSignature = like.shape, like.shapeSignature
    tensor.hasRank = like.hasRank
    tensor.type, tensor.buffer = kind, 0
    if scale is not None:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [0]
    return tensor


def _dequantize(parsed: Any, kind: int) -> int:
    """The place of DEQUANTIZE among the operator codes, of a version that takes the type."""
    code = schema.BuiltinOperator.DEQUANTIZE
    for place, known in enumerate(parsed.operatorCodes):
        if known.builtinCode == code:
            known.version = max(known.version, _DEQUANTIZE[kind])
            return place
    added = schema.OperatorCodeT()
    added.builtinCode = added.deprecatedBuiltinCode = code
    added.version = _DEQUANTIZE[kind]
    parsed.operatorCodes.append(added)
    return len(parsed.operatorCodes) - 1
