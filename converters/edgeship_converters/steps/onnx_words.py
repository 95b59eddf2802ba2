"""The words that an ONNX graph holds, by the input whose text meets them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from onnx import GraphProto, ModelProto, NodeProto, TensorProto, defs

from edgeship_converters.steps.canonical_onnx import names_taken

# What text is held against, and what comes out in its place.
_MET = (
    *("keys_strings", "keys_tensor", "cats_strings", "classes_strings"),
    *("string_vocabulary", "pool_strings", "stopwords"),
)
_MADE = (
    *("value", "value_string", "value_strings", "values_strings", "values_tensor"),
    *("default_string", "default_tensor", "cats_strings", "classes_strings"),
    "classlabels_strings",
)


def words_met(model: ModelProto, name: str) -> tuple[str, ...]:
    """All words that the values made of an input are compared with, or become, in order.

    They stand in constants and attributes, also in those of loops and branches, and may come by
    way of other operators. What may not be met all the same does no harm.
    """
    opsets = {entry.domain or "": entry.version for entry in model.opset_import}
    reached, met = {name}, set[str]()
    made: dict[str, frozenset[str]] = {}

    def walk(graph: GraphProto) -> None:
        made.update({tensor.name: _in_tensors([tensor]) for tensor in graph.initializer})
        for node in graph.node:
            taken = [*names_taken(node)]
            here = not reached.isdisjoint(taken)
            if here:
                reached.update(node.output)
            for inner in (a.g for a in node.attribute if a.HasField("g")):
                given = [value.name for value in inner.input]
                if here:
                    reached.update(given)
                made.update(dict.fromkeys(given, _joined(made, node.input)))
                walk(inner)
            coming = _joined(made, taken)
            if here:
                met.update(coming, _in_attributes(node, _MET))
            if _gives_text(node.op_type, opsets.get(_domain(node), 1), _domain(node)):
                coming |= _in_attributes(node, _MADE)
                made.update(dict.fromkeys(node.output, coming))

    walk(model.graph)
    return tuple(sorted(met))


def _joined(made: dict[str, frozenset[str]], names: Sequence[str]) -> frozenset[str]:
    return frozenset[str]().union(*(made[name] for name in names if name in made))


def _in_attributes(node: NodeProto, names: Sequence[str]) -> frozenset[str]:
    given = [attribute for attribute in node.attribute if attribute.name in names]
    words = [word for attribute in given for word in attribute.strings]
    words += [attribute.s for attribute in given if attribute.HasField("s")]
    return _in_tensors([a.t for a in given if a.HasField("t")]) | _decoded(words)


def _in_tensors(tensors: Sequence[TensorProto]) -> frozenset[str]:
    return _decoded([word for tensor in tensors for word in tensor.string_data])


def _decoded(words: Sequence[bytes]) -> frozenset[str]:
    return frozenset(word.decode(errors="replace") for word in words)


def _domain(node: NodeProto) -> str:
    return "" if node.domain == "ai.onnx" else node.domain


@cache
def _gives_text(kind: str, version: int, domain: str) -> bool:
    """Whether an operator may give text; such as onnx does not know are taken to."""
    if not defs.has(kind, version, domain):
        return True
    schema = defs.get_schema(kind, version, domain)
    return any("string" in held for output in schema.outputs for held in output.types)
