"""The same ONNX model as the same bytes, whatever the tools' counters and sets made of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from onnx import GraphProto, ModelProto, NodeProto

# tf2onnx ends the names of what it makes with a count over the whole process.
_COUNTED = re.compile(r"(.*)__\d+((?::\d+)?)")


def canonical_bytes(model: ModelProto) -> bytes:
    """Order nodes and initializers by use, rename what carries a counter, drop unused opsets.

    Inputs, outputs and all names without a counter stay as they are.
    """
    kept = ModelProto()
    kept.CopyFrom(model)
    _sort_nodes(kept.graph)
    renamed = _new_names(kept.graph)
    for graph in graphs(kept.graph):
        rename(graph, renamed)
        order = {name: index for index, name in enumerate(_used(graph))}
        initializers = sorted(graph.initializer, key=lambda t: order.get(t.name, len(order)))
        del graph.initializer[:]
        graph.initializer.extend(initializers)
        del graph.value_info[:]
        if graph is not kept.graph:
            _forget_free_axes(graph)
    _name_free_axes(kept.graph)
    _keep_used_opsets(kept)
    return bytes(kept.SerializeToString(deterministic=True))


def graphs(graph: GraphProto) -> Iterator[GraphProto]:
    """A graph, and those of its loops and branches."""
    yield graph
    for node in graph.node:
        for inner in _inner(node):
            yield from graphs(inner)


def _sort_nodes(graph: GraphProto) -> None:
    """Put each node behind those that it takes from, as a walk from the outputs meets them.

    tf2onnx takes them from sets, in another order in each process.
    """
    for node in graph.node:
        for inner in _inner(node):
            _sort_nodes(inner)
    makers = {name: place for place, node in enumerate(graph.node) for name in node.output if name}
    order: dict[int, None] = {}
    ends = [makers[value.name] for value in graph.output if value.name in makers]
    # What leads to no output comes last, as it came.
    waiting = [(place, False) for place in reversed([*ends, *range(len(graph.node))])]
    begun: set[int] = set()
    while waiting:
        place, done = waiting.pop()
        if done:
            order[place] = None
        elif place not in begun:
            begun.add(place)
            waiting.append((place, True))
            taken = [makers[name] for name in names_taken(graph.node[place]) if name in makers]
            waiting += [(before, False) for before in reversed(taken)]
    nodes = [graph.node[place] for place in order]
    copies = GraphProto()
    copies.node.extend(nodes)
    del graph.node[:]
    graph.node.extend(copies.node)


def names_taken(node: NodeProto) -> Iterator[str]:
    """What a node takes, and what its loops and branches take from outside of them."""
    yield from node.input
    for graph in _inner(node):
        for inside in graph.node:
            yield from names_taken(inside)
        for value in graph.output:
            yield value.name


def _inner(node: NodeProto) -> Iterator[GraphProto]:
    return (attribute.g for attribute in node.attribute if attribute.HasField("g"))


def rename(graph: GraphProto, renamed: Mapping[str, str]) -> None:
    """Give values new names, and nodes that have the same, in one graph and not those inside it."""
    for node in graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]
        node.name = renamed.get(node.name, node.name)
    for named in (*graph.initializer, *graph.input, *graph.output):
        named.name = renamed.get(named.name, named.name)


def _new_names(graph: GraphProto) -> dict[str, str]:
    """New names for what carries a counter, the same in a graph as in its loops and branches."""
    fixed = {value.name for value in (*graph.input, *graph.output)}
    every = [name for inner in graphs(graph) for name in _names(inner)]
    constants = {tensor.name for inner in graphs(graph) for tensor in inner.initializer}
    taken = {name for name in every if name not in fixed}
    renamed: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for name in every:
        match = _COUNTED.fullmatch(name)
        if match is None or name in fixed or name in renamed:
            continue
        # Which of several equal constants survives, and so lends its name, is chance.
        base = "const" if name in constants else match[1]
        new = f"{base}_{counts[base]}{match[2]}"
        while new in taken or new in fixed:
            counts[base] += 1
            new = f"{base}_{counts[base]}{match[2]}"
        counts[base] += 1
        renamed[name] = new
    return renamed


def _names(graph: GraphProto) -> Iterator[str]:
    for value in graph.input:
        yield value.name
    for node in graph.node:
        yield from (node.name, *node.input, *node.output)
    for value in graph.output:
        yield value.name


def _name_free_axes(graph: GraphProto) -> None:
    for value in (*graph.input, *graph.output):
        for axis, size in enumerate(value.type.tensor_type.shape.dim):
            if not size.HasField("dim_value"):
                size.dim_param = f"{value.name}_{axis}" if axis else "rows"


def _forget_free_axes(graph: GraphProto) -> None:
    """In a loop or branch, the names of free axes are counts, and mean nothing."""
    for value in (*graph.input, *graph.output):
        for size in value.type.tensor_type.shape.dim:
            if size.HasField("dim_param"):
                size.ClearField("dim_param")


def _used(graph: GraphProto) -> Iterator[str]:
    for node in graph.node:
        yield from node.input
        yield from node.output


def _keep_used_opsets(model: ModelProto) -> None:
    used = {node.domain for graph in graphs(model.graph) for node in graph.node} | {""}
    opsets = {opset.domain: opset.version for opset in model.opset_import if opset.domain in used}
    del model.opset_import[:]
    for domain, version in sorted(opsets.items()):
        model.opset_import.add(domain=domain, version=version)
