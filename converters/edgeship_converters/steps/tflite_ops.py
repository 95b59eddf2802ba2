"""The operators of a TFLite file, and the layers that they came from."""

from __future__ import annotations

from dataclasses import dataclass

from ai_edge_litert.schema_py_generated import BuiltinOperator, TensorType
from litert_quantizer import qtyping
from litert_quantizer.utils import tfl_flatbuffer_utils as flatbuffer

from edgeship_converters.layer_names import LayerNames
from edgeship_converters.steps.tflite_file import builtins

_INTEGERS = {TensorType.INT64, TensorType.INT32, TensorType.UINT8, TensorType.INT8}
_SPLITTING = {BuiltinOperator.SPLIT, BuiltinOperator.SPLIT_V, BuiltinOperator.UNPACK}
_MOVING = {
    BuiltinOperator.GATHER,
    BuiltinOperator.RESHAPE,
    BuiltinOperator.TRANSPOSE,
    BuiltinOperator.SQUEEZE,
    BuiltinOperator.EXPAND_DIMS,
    BuiltinOperator.SLICE,
    BuiltinOperator.STRIDED_SLICE,
}


@dataclass(frozen=True, slots=True)
class Op:
    """An operator.

    Attributes:
        scope: what litert-quantizer's rules match: the names of the operator's outputs.
        layers: the layers it is part of, the innermost first; none for glue between layers.
        weights: how many bytes its constant inputs take.
        looped: whether it is part of a loop's body or condition, or of a branch.
    """

    scope: str
    layers: tuple[str, ...]
    weights: int
    looped: bool


def tflite_ops(model: bytes, names: LayerNames) -> list[Op]:
    """All operators, in the order in which they run.

    An operator whose name tells no layer, as that of a graph's output, belongs to the layer that
    its largest constant is named for, else to the one that feeds it.
    """
    parsed = flatbuffer.read_model(model)
    found: list[Op] = []
    for level, graph in enumerate(parsed.subgraphs):
        scopes = [flatbuffer.get_op_scope(op, graph.tensors) for op in graph.operators]
        constants = [_largest_constant(op, graph, parsed) for op in graph.operators]
        told = names.of([*scopes, *constants])
        producers: dict[int, tuple[str, ...]] = {}
        for place, (op, scope) in enumerate(zip(graph.operators, scopes, strict=True)):
            feeding = [producers[i] for i in op.inputs if i in producers]
            near = (told[place], told[len(scopes) + place], *feeding)
            layers = next((layers for layers in near if layers), ())
            producers |= dict.fromkeys((int(i) for i in op.outputs), layers)
            found.append(Op(scope, layers, _weights(op, graph, parsed), level > 0))
    return found


def constant_left_matrices(model: bytes) -> list[str]:
    """The scopes of the BATCH_MATMULs whose left side is a constant, as Resizing's are."""
    if BuiltinOperator.BATCH_MATMUL not in builtins(model):
        return []
    parsed = flatbuffer.read_model(model)
    return [
        flatbuffer.get_op_scope(op, graph.tensors)
        for graph in parsed.subgraphs
        for op in graph.operators
        if parsed.operatorCodes[op.opcodeIndex].builtinCode == BuiltinOperator.BATCH_MATMUL
        and parsed.buffers[graph.tensors[op.inputs[0]].buffer].data is not None
    ]


def feeding_integers(model: bytes) -> list[str]:
    """The scopes of the operators that only move what is made an integer next.

    A 4 that is 3.9999 after 8 bits would be cut off to 3.
    """
    if BuiltinOperator.CAST not in builtins(model):
        return []
    parsed = flatbuffer.read_model(model)
    found = []
    for graph in parsed.subgraphs:
        exact: set[int] = set()
        for op in reversed(graph.operators):
            code = parsed.operatorCodes[op.opcodeIndex].builtinCode
            if code == BuiltinOperator.CAST:
                if graph.tensors[op.outputs[0]].type in _INTEGERS:
                    exact.add(int(op.inputs[0]))
            elif code in _MOVING and exact & {*map(int, op.outputs)}:
                exact.add(int(op.inputs[0]))
                found.append(flatbuffer.get_op_scope(op, graph.tensors))
    return found


def with_unused_parts(model: bytes) -> list[str]:
    """The scopes of the SPLITs of which nothing takes some part.

    The tool leaves such a part in float beside the integers of the others, which XNNPACK refuses.
    """
    if not builtins(model) & _SPLITTING:
        return []
    parsed = flatbuffer.read_model(model)
    found = []
    for graph in parsed.subgraphs:
        taken = {int(i) for op in graph.operators for i in op.inputs} | {*map(int, graph.outputs)}
        for op in graph.operators:
            code = parsed.operatorCodes[op.opcodeIndex].builtinCode
            if code in _SPLITTING and not taken >= {*map(int, op.outputs)}:
                found.append(flatbuffer.get_op_scope(op, graph.tensors))
    return found


def _weights(op: qtyping.OperatorT, graph: qtyping.SubGraphT, model: qtyping.ModelT) -> int:
    buffers = (graph.tensors[i].buffer for i in op.inputs if i >= 0)
    data = (model.buffers[buffer].data for buffer in buffers)
    return sum(len(held) for held in data if held is not None)


def _largest_constant(
    op: qtyping.OperatorT, graph: qtyping.SubGraphT, model: qtyping.ModelT
) -> str:
    held = [graph.tensors[i] for i in op.inputs if i >= 0]
    sizes = {t.name: model.buffers[t.buffer].data for t in held if t.name}
    constants = {name: len(data) for name, data in sizes.items() if data is not None}
    return max(constants, key=lambda name: constants[name]).decode() if constants else ""
