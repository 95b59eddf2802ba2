"""The outputs that a quantized TFLite model's signature names."""

from __future__ import annotations

from typing import Any

from ai_edge_litert.schema_py_generated import BuiltinOperator, TensorType
from litert_quantizer.utils import tfl_flatbuffer_utils as flatbuffer

from edgeship_converters.steps.tflite_file import packed, passes_outputs_on, signature_is_stale

_INTEGERS = {TensorType.INT8, TensorType.INT16}


def with_integers_passed_on(model: bytes) -> bytes:
    """The same model, in which operators on integers take an output's integers.

    litert-quantizer hands them the output's floats, made for the user, while they still make
    integers of it: LiteRT refuses that, or writes past the end of a tensor.
    """
    if not passes_outputs_on(model):
        return model
    parsed = flatbuffer.read_model(model)
    graph = parsed.subgraphs[0]

    def kind(op: Any) -> int:
        return int(parsed.operatorCodes[op.opcodeIndex].builtinCode)

    outputs = {*map(int, graph.outputs)}
    integers = {
        int(op.outputs[0]): int(op.inputs[0])
        for op in graph.operators
        if kind(op) == BuiltinOperator.DEQUANTIZE and int(op.outputs[0]) in outputs
    }
    for op in graph.operators:
        makes_integers = any(graph.tensors[i].type in _INTEGERS for i in op.outputs)
        if makes_integers and kind(op) != BuiltinOperator.QUANTIZE:
            op.inputs = [integers.get(int(i), int(i)) for i in op.inputs]
    return packed(parsed)


def named_outputs(model: bytes) -> bytes:
    """The same model, whose signature names the tensors that the graph puts out.

    litert-quantizer leaves a signature at the integers where two outputs are one tensor, as an
    RNN's output and its last state are; XNNPACK keeps no such tensor.
    """
    if not signature_is_stale(model):
        return model
    parsed = flatbuffer.read_model(model)
    graph = parsed.subgraphs[0]
    outputs = {*map(int, graph.outputs)}
    made_of = {
        int(op.inputs[0]): int(op.outputs[0])
        for op in graph.operators
        if outputs & {*map(int, op.outputs)}
    }
    for output in _named(parsed):
        if output.tensorIndex not in outputs:
            output.tensorIndex = made_of.get(output.tensorIndex, output.tensorIndex)
    return packed(parsed)


def _named(model: Any) -> list[Any]:
    return [
        output
        for signature in model.signatureDefs or ()
        if signature.subgraphIndex == 0
        for output in signature.outputs
    ]
