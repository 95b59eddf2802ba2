"""TFLite models as files: packed again after a change, and looked into without unpacking.

To unpack a model of a thousand operators takes longer than most of what is done with it.
"""

from __future__ import annotations

from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

_IDENTIFIER = b"TFL3"


def packed(model: Any, builder: Any = None) -> bytes:
    """The bytes of a model object of litert-quantizer's, by a flatbuffers builder of one's own."""
    builder = flatbuffers.Builder() if builder is None else builder
    builder.Finish(model.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


def builtins(model: bytes) -> set[int]:
    """The kinds of a model's operators, as numbers of the schema's BuiltinOperator."""
    root = schema.Model.GetRootAs(model)
    codes = (root.OperatorCodes(place) for place in range(root.OperatorCodesLength()))
    return {max(code.BuiltinCode(), code.DeprecatedBuiltinCode()) for code in codes}


def takes_any_rows(model: bytes) -> bool:
    """Whether the number of rows is free in all inputs."""
    graph = schema.Model.GetRootAs(model).Subgraphs(0)
    inputs = [graph.Tensors(graph.Inputs(place)) for place in range(graph.InputsLength())]
    return all(given.ShapeSignatureLength() and given.ShapeSignature(0) < 0 for given in inputs)


def passes_outputs_on(model: bytes) -> bool:
    """Whether an operator of the first graph takes what the graph also puts out."""
    graph = schema.Model.GetRootAs(model).Subgraphs(0)
    outputs = {graph.Outputs(place) for place in range(graph.OutputsLength())}
    operators = (graph.Operators(place) for place in range(graph.OperatorsLength()))
    return any(
        op.Inputs(place) in outputs for op in operators for place in range(op.InputsLength())
    )


def signature_is_stale(model: bytes) -> bool:
    """Whether the first graph's signature names a tensor that the graph does not put out."""
    root = schema.Model.GetRootAs(model)
    graph = root.Subgraphs(0)
    outputs = {graph.Outputs(place) for place in range(graph.OutputsLength())}
    signatures = (root.SignatureDefs(place) for place in range(root.SignatureDefsLength()))
    return any(
        signature.Outputs(place).TensorIndex() not in outputs
        for signature in signatures
        if signature.SubgraphIndex() == 0
        for place in range(signature.OutputsLength())
    )


def bytes_of_matrices(model: bytes) -> int:
    """How many bytes of a model are constant matrices of float32."""
    graph = schema.Model.GetRootAs(model).Subgraphs(0)
    tensors = (graph.Tensors(place) for place in range(graph.TensorsLength()))
    root = schema.Model.GetRootAs(model)
    return sum(
        root.Buffers(tensor.Buffer()).DataLength()
        for tensor in tensors
        if tensor.Type() == schema.TensorType.FLOAT32 and tensor.ShapeLength() == 2
    )
