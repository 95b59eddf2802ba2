"""The numbers that an ONNX graph tells others apart by: where a form that rounds goes wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from edgeship_converters.sources.onnx_checks import ML, OWN, every_node
from edgeship_converters.steps.canonical_onnx import graphs, names_taken
from edgeship_runtime.arrays import Array

Number = int | float
# As many of an operator's numbers are taken, from the smallest to the largest.
_MOST = 100
_COMPARING = ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")
_SHIFTING = ("Sub", "Div")
_WIDE = (TensorProto.INT64, TensorProto.DOUBLE)
_PASSING = ("Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze")
_KEYS = (
    *("keys_int64s", "keys_floats", "keys_tensor", "cats_int64s"),
    *("nodes_values", "nodes_values_as_tensor", "nodes_splits"),
)


def numbers_met(model: ModelProto, name: str) -> tuple[Number, ...]:
    """What the numbers made of an input are compared with, or looked up among, in order.

    Constants of comparisons, keys of tables, thresholds of trees, and whatever is subtracted or
    divided by in int64 or float64. A sample of those of each operator; none that is not finite.
    """
    nodes = [*every_node([model.graph])]
    held = {t.name: t for inner in graphs(model.graph) for t in inner.initializer}
    makers = {made: node for node in nodes for made in node.output}
    for node in nodes:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            held[node.output[0]] = node.attribute[0].t
    reached, found = {name}, set[Number]()
    for node in nodes:
        if reached.isdisjoint(names_taken(node)):
            continue
        reached.update(node.output)
        for attribute in node.attribute:
            if attribute.HasField("g"):
                reached.update(value.name for value in attribute.g.input)
        found.update(*(_sample(array) for array in _numbers(node, held, makers)))
    return tuple(sorted(found))


def _numbers(
    node: NodeProto, held: dict[str, TensorProto], makers: dict[str, NodeProto]
) -> Iterator[Array]:
    if node.domain in OWN and node.op_type in (*_COMPARING, *_SHIFTING):
        for name in node.input:
            tensor = _constant(name, held, makers)
            if tensor is not None and (node.op_type in _COMPARING or tensor.data_type in _WIDE):
                yield _array(tensor)
    if node.domain == ML:
        given = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        modes = given.get("nodes_modes")
        for name in given.keys() & {*_KEYS}:
            numbers = _array(given[name])
            if isinstance(modes, list) and len(modes) == len(numbers):
                # A leaf has an entry of no meaning.
                numbers = numbers[np.array(modes) != b"LEAF"]
            yield numbers


def _array(value: Any) -> Array:
    if not isinstance(value, TensorProto):
        floats = any(isinstance(number, float) for number in value)
        return np.asarray(value, np.float32 if floats else np.int64)
    # Text need not be UTF-8, and is none of these.
    return np.array([]) if value.data_type == TensorProto.STRING else numpy_helper.to_array(value)


def _constant(
    name: str, held: dict[str, TensorProto], makers: dict[str, NodeProto]
) -> TensorProto | None:
    """The constant that a value is, maybe of another type or shape."""
    while name not in held:
        node = makers.get(name)
        if node is None or node.op_type not in _PASSING:
            return None
        name = node.input[0]
    return held[name]


def _sample(array: Array) -> Sequence[Number]:
    if array.dtype.kind not in "iuf":
        return ()
    numbers = np.unique(array[np.isfinite(array)])
    if len(numbers) > _MOST:
        numbers = numbers[np.linspace(0, len(numbers) - 1, _MOST).astype(np.int64)]
    kept: list[Number] = numbers.tolist()
    return kept
