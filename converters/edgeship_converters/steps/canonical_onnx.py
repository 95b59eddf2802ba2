"""The same ONNX model as the same bytes, whatever the tools' counters and sets made of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from onnx import GraphProto, ModelProto

# tf2onnx ends the names of what it makes with a count over the whole process.
_COUNTED = re.compile(r"(.*)__\d+((?::\d+)?)")


def canonical_bytes(model: ModelProto) -> bytes:
    """Rename what carries a counter, order initializers by use, drop opsets that nothing uses.

    Inputs, outputs and all names without a counter stay as they are.
    """
    kept = ModelProto()
    kept.CopyFrom(model)
    graph = kept.graph
    renamed = _new_names(graph)
    for node in graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]
        node.name = renamed.get(node.name, node.name)
    for initializer in graph.initializer:
        initializer.name = renamed.get(initializer.name, initializer.name)
    order = {name: index for index, name in enumerate(_used(graph))}
    initializers = sorted(graph.initializer, key=lambda tensor: order.get(tensor.name, len(order)))
    del graph.initializer[:]
    graph.initializer.extend(initializers)
    del graph.value_info[:]
    _name_free_axes(graph)
    _keep_used_opsets(kept)
    return bytes(kept.SerializeToString(deterministic=True))


def _new_names(graph: GraphProto) -> dict[str, str]:
    fixed = {value.name for value in (*graph.input, *graph.output)}
    constants = {tensor.name for tensor in graph.initializer}
    taken = Counter(
        name for name in (*_used(graph), *(node.name for node in graph.node)) if name not in fixed
    )
    renamed: dict[str, str] = {}
    counts: Counter[str] = Counter()
    names = [name for node in graph.node for name in (node.name, *node.input, *node.output)]
    for name in names:
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


def _name_free_axes(graph: GraphProto) -> None:
    for value in (*graph.input, *graph.output):
        for axis, size in enumerate(value.type.tensor_type.shape.dim):
            if not size.HasField("dim_value"):
                size.dim_param = f"{value.name}_{axis}" if axis else "rows"


def _used(graph: GraphProto) -> Iterator[str]:
    for node in graph.node:
        yield from node.input
        yield from node.output


def _keep_used_opsets(model: ModelProto) -> None:
    used = {node.domain for node in model.graph.node} | {""}
    opsets = {opset.domain: opset.version for opset in model.opset_import if opset.domain in used}
    del model.opset_import[:]
    for domain, version in sorted(opsets.items()):
        model.opset_import.add(domain=domain, version=version)
