"""Tables of vectors, as an Embedding's, in fewer bits.

litert-quantizer leaves the table of a GATHER as it is unless its activations are integers too. Rows
are gathered as they are stored here, and only those gathered are turned into float32.
"""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from litert_quantizer.utils import tfl_flatbuffer_utils as flatbuffer

from edgeship_converters.layer_names import LayerNames
from edgeship_converters.recipe import Precision, Recipe
from edgeship_converters.steps.tflite_ops import tflite_ops
from edgeship_runtime.arrays import Array

# What the operators that are added take themselves.
_WORTH_BYTES = 1024
# The lowest versions of DEQUANTIZE that take each type.
_DEQUANTIZE = {schema.TensorType.INT8: 2, schema.TensorType.FLOAT16: 3}
_LARGEST_INT8 = 127.0


def with_small_tables(model: bytes, recipe: Recipe, names: LayerNames) -> bytes:
    """The model with each float32 table that rows are gathered from as its layer's precision says.

    `float16` keeps it in float16, `dynamic-int8` and `int4` in int8, symmetric, with one scale:
    LiteRT gathers nothing of 4 bits, and by one scale only.
    """
    parsed = flatbuffer.read_model(model)
    graph = parsed.subgraphs[0]
    layers = [op.layers for op in tflite_ops(model, names)]
    # From the last, so that places stay right while operators are added.
    stored = [
        _gather_stored(parsed, graph, place, recipe.precision_of(layers[place]))
        for place in reversed(range(len(graph.operators)))
    ]
    if not any(stored):
        return model
    _drop_unused(parsed)
    builder = flatbuffers.Builder(len(model))
    builder.Finish(parsed.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _gather_stored(parsed: Any, graph: Any, place: int, precision: Precision) -> bool:
    """Store the table of the operator at `place` in fewer bits, where it is a GATHER of one."""
    gather = graph.operators[place]
    if parsed.operatorCodes[gather.opcodeIndex].builtinCode != schema.BuiltinOperator.GATHER:
        return False
    table = graph.tensors[gather.inputs[0]]
    data = parsed.buffers[table.buffer].data
    if table.type != schema.TensorType.FLOAT32 or data is None or len(data) < _WORTH_BYTES:
        return False
    fewer = _fewer(np.frombuffer(bytes(data), np.float32), precision)
    if fewer is None:
        return False
    kind, values, scale = fewer
    small = _tensor(table, kind, scale)
    # A table that several operators share is stored once, since equal buffers are in the end.
    small.buffer = len(parsed.buffers)
    parsed.buffers.append(schema.BufferT())
    parsed.buffers[-1].data = np.frombuffer(values.tobytes(), np.uint8)
    rows = _tensor(graph.tensors[gather.outputs[0]], kind, scale)
    graph.tensors += [small, rows]
    unpack = schema.OperatorT()
    unpack.opcodeIndex = _dequantize(parsed, kind)
    unpack.inputs, unpack.outputs = [len(graph.tensors) - 1], gather.outputs
    gather.inputs = [len(graph.tensors) - 2, *gather.inputs[1:]]
    gather.outputs = unpack.inputs
    graph.operators.insert(place + 1, unpack)
    return True


def _drop_unused(parsed: Any) -> None:
    """Empty the buffers of constants that no operator takes any more."""
    used = {0, *(entry.buffer for entry in parsed.metadata or [])}
    for graph in parsed.subgraphs:
        taken = {*graph.inputs, *graph.outputs, *(i for op in graph.operators for i in op.inputs)}
        used |= {graph.tensors[index].buffer for index in taken if index >= 0}
    for place, buffer in enumerate(parsed.buffers):
        if place not in used:
            buffer.data = None


def _fewer(values: Array, precision: Precision) -> tuple[int, Array, float | None] | None:
    """Type, stored values and scale; None where they stay as they are."""
    match precision:
        case "float16":
            return schema.TensorType.FLOAT16, values.astype(np.float16), None
        case "dynamic-int8" | "int4":
            scale = float(np.abs(values).max()) / _LARGEST_INT8
            if scale == 0 or not np.isfinite(scale):
                return None
            return schema.TensorType.INT8, np.rint(values / scale).astype(np.int8), scale
    return None


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
