"""The nodes of an ONNX model, and the layers that they came from."""

from __future__ import annotations

from collections.abc import Sequence

from onnx import ModelProto, NodeProto, TensorProto, defs

from edgeship_converters.layer_names import LayerNames
from edgeship_converters.recipe import Recipe

# What sizes go through on the way to a Slice, a Pad or a Resize.
_ARITHMETIC = {
    "Add",
    "Cast",
    "Ceil",
    "Concat",
    "Div",
    "Floor",
    "Gather",
    "Max",
    "Min",
    "Mul",
    "Round",
    "Slice",
    "Squeeze",
    "Sub",
    "Unsqueeze",
}


def kept_in_float(model: ModelProto, recipe: Recipe, layers: Sequence[str]) -> list[str]:
    """The names of the nodes that the recipe does not quantize."""
    if not recipe.layers:
        return []
    owners = node_layers(model, LayerNames(layers))
    return [
        name
        for name, owned_by in owners.items()
        if recipe.precision_of(owned_by) != recipe.precision
    ]


def node_layers(model: ModelProto, names: LayerNames) -> dict[str, tuple[str, ...]]:
    """The layers that each named node is part of, the innermost first.

    A node whose name tells no layer belongs to the layer that feeds it.
    """
    nodes = list(model.graph.node)
    producers: dict[str, tuple[str, ...]] = {}
    found: dict[str, tuple[str, ...]] = {}
    for node, own in zip(nodes, names.of([node.name for node in nodes]), strict=True):
        feeding = [producers[name] for name in node.input if name in producers]
        layers = own or next((layers for layers in feeding if layers), ())
        producers |= dict.fromkeys(node.output, layers)
        if node.name:
            found[node.name] = layers
    return found


def matrix_stacks(model: ModelProto) -> set[str]:
    """The names of the constants of more than two axes in a MatMul, as some EinsumDense have."""
    multiplied = {
        name for node in model.graph.node if node.op_type == "MatMul" for name in node.input
    }
    return {
        tensor.name
        for tensor in model.graph.initializer
        if len(tensor.dims) > 2 and tensor.name in multiplied
    }


def shape_arithmetic(model: ModelProto) -> list[str]:
    """The names of the nodes that compute on sizes of tensors and constants alone, in floats."""
    known = {tensor.name for tensor in model.graph.initializer}
    found = []
    for node in model.graph.node:
        if node.op_type == "Shape" or (node.op_type in _ARITHMETIC and known >= {*node.input}):
            known |= {*node.output}
            found.append(node.name)
    return [name for name in found if name]


def taking_no_half(model: ModelProto) -> list[str]:
    """The names of the nodes whose operators take float32 and not float16 in the model's opset."""
    opsets = {opset.domain: opset.version for opset in model.opset_import}
    found = []
    for node in model.graph.node:
        version = opsets.get(node.domain)
        if version is None or not defs.has(node.op_type, version, node.domain):
            continue
        schema = defs.get_schema(node.op_type, version, node.domain)
        taken = [set(given.types) for given in schema.inputs]
        if any("tensor(float)" in types and "tensor(float16)" not in types for types in taken):
            found.append(node.name)
    return [name for name in found if name]


def without_empty_sizes(model: ModelProto) -> None:
    """Leave out the empty constants that stand for what a Resize does not take."""
    empty = {tensor.name for tensor in model.graph.initializer if 0 in tensor.dims}
    for node in model.graph.node:
        if node.op_type == "Resize":
            node.input[:] = ["" if name in empty else name for name in node.input]


def flatten_biases(model: ModelProto) -> bool:
    """Make a vector of each bias of a Gemm that is one row, as skl2onnx writes them.

    onnxruntime's quantizer (1.32) fails on rows. Whether there were any is told.
    """
    elsewhere = {
        name
        for node in model.graph.node
        for place, name in enumerate(node.input)
        if node.op_type != "Gemm" or place < 2
    }
    biases = {node.input[2] for node in model.graph.node if _has_bias(node)} - elsewhere
    rows = [t for t in model.graph.initializer if t.name in biases and [*t.dims[:-1]] == [1]]
    for tensor in rows:
        del tensor.dims[0]
    return bool(rows)


def _has_bias(node: NodeProto) -> bool:
    return node.op_type == "Gemm" and len(node.input) > 2


def bytes_of_matrices(model: bytes) -> int:
    """How many bytes of a model are constant matrices of float32."""
    return sum(
        len(tensor.raw_data)
        for tensor in ModelProto.FromString(model).graph.initializer
        if tensor.data_type == TensorProto.FLOAT and len(tensor.dims) == 2
    )
