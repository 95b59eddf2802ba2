"""The same ONNX model in fewer bytes: short names, and no constant twice."""

from __future__ import annotations

from collections import Counter

from onnx import GraphProto, ModelProto, TensorProto

from edgeship_converters.layer_names import LayerNames
from edgeship_converters.steps.canonical_onnx import graphs
from edgeship_converters.steps.onnx_nodes import node_layers


def compact(model: bytes, names: LayerNames) -> bytes:
    """Rename what is inside after its layer, and keep equal constants once.

    The quantizer repeats a tensor's whole name in some ten places, and writes the same zero points
    for each: in a MobileNet of 221 794 parameters names are a sixth of the int8 file. Inputs and
    outputs keep their names, nodes lose theirs, and no number changes.
    """
    kept = ModelProto.FromString(model)
    layers = node_layers(kept, names)
    _share_constants(kept.graph)
    new = _new_names(kept.graph, layers)
    for graph in graphs(kept.graph):
        _rename(graph, new)
    return bytes(kept.SerializeToString(deterministic=True))


def _share_constants(main: GraphProto) -> None:
    """Drop constants that equal an earlier one, and use that in their place."""
    ends = {value.name for value in (*main.input, *main.output)}
    first: dict[bytes, str] = {}
    twins: dict[str, str] = {}
    kept = []
    for tensor in main.initializer:
        nameless = TensorProto()
        nameless.CopyFrom(tensor)
        nameless.name = ""
        content = nameless.SerializeToString(deterministic=True)
        if tensor.name not in ends and content in first:
            twins[tensor.name] = first[content]
        else:
            first.setdefault(content, tensor.name)
            kept.append(tensor)
    kept = [TensorProto.FromString(tensor.SerializeToString()) for tensor in kept]
    del main.initializer[:]
    main.initializer.extend(kept)
    for graph in graphs(main):
        for node in graph.node:
            node.input[:] = [twins.get(name, name) for name in node.input]


def _new_names(main: GraphProto, layers: dict[str, tuple[str, ...]]) -> dict[str, str]:
    ends = {value.name for value in (*main.input, *main.output)}
    new = {name: name for name in ends}
    counts: Counter[str] = Counter()

    def give(name: str, layer: str) -> None:
        while name and name not in new:
            short = f"{layer}.{counts[layer]}"
            counts[layer] += 1
            if short not in ends:
                new[name] = short

    for graph in graphs(main):
        for constant in graph.initializer:
            give(constant.name, "c")
        for value in graph.input:
            give(value.name, "t")
        for node in graph.node:
            for output in node.output:
                give(output, next(iter(layers.get(node.name, ())), "t"))
    return new


def _rename(graph: GraphProto, new: dict[str, str]) -> None:
    for node in graph.node:
        node.name = ""
        node.input[:] = [new.get(name, name) for name in node.input]
        node.output[:] = [new.get(name, name) for name in node.output]
    for named in (*graph.initializer, *graph.input, *graph.output):
        named.name = new.get(named.name, named.name)
    del graph.value_info[:]
