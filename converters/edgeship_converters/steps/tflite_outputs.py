"""The outputs that a quantized TFLite model's signature names."""

from __future__ import annotations

from typing import Any

from litert_quantizer.utils import tfl_flatbuffer_utils as flatbuffer

from edgeship_converters.steps.tflite_file import packed, signature_is_stale


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
