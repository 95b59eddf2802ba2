"""From an ONNX model to a TensorFlow function, operator by operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from onnx import (
    AttributeProto,
    GraphProto,
    ModelProto,
    NodeProto,
    helper,
    numpy_helper,
)

from edgeship_converters.steps.lowering.operators import OPERATORS
from edgeship_converters.steps.lowering.values import NotLoweredError, Operator, Parts, Value

_OWN = ("", "ai.onnx")
Body = Callable[..., list[Value]]


def lower(model: ModelProto, inputs: Mapping[str, Value], *, narrow: bool) -> dict[str, Value]:
    """Trace all operators of a model.

    Args:
        model: checked before, its operators in an order in which they can run.
        inputs: tensors, or in a narrow graph `Words`, by input name.
        narrow: see `Operator`.

    Returns:
        The outputs by name.

    Raises:
        NotLoweredError: naming the operator, and where its name tells the part of the model that
            it came from.
    """
    opsets = {entry.domain or "": entry.version for entry in model.opset_import}
    return _outputs(model.graph, dict(inputs), opsets, narrow=narrow)


def _outputs(
    graph: GraphProto, inputs: dict[str, Value], opsets: Mapping[str, int], *, narrow: bool
) -> dict[str, Value]:
    values: dict[str, Value] = {
        tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer
    }
    values.update(inputs)

    def inner(body: GraphProto) -> Body:
        """What a graph inside of an operator gives; it may look at all that is known here."""

        def run(*given: Value) -> list[Value]:
            named = dict(zip((value.name for value in body.input), given, strict=True))
            return list(_outputs(body, values | named, opsets, narrow=narrow).values())

        return run

    for node in graph.node:
        domain = "" if node.domain in _OWN else node.domain
        function = OPERATORS.get((domain, node.op_type))
        if function is None:
            raise NotLoweredError(f"{_called(node)} has no lowering")
        try:
            attributes = {a.name: _plain(a, inner) for a in node.attribute}
            version = opsets.get(domain, 1)
            operator = Operator(node.op_type, attributes, version, len(node.output), narrow)
            made = function(operator, *(values[name] if name else None for name in node.input))
        except NotLoweredError as error:
            raise NotLoweredError(f"{_called(node)} has no lowering here: {error}") from error
        outputs = made if isinstance(made, tuple) else (made,)
        values.update(zip(node.output, outputs, strict=False))
    found = {output.name: values[output.name] for output in graph.output}
    return {name: v.high if isinstance(v, Parts) else v for name, v in found.items()}


def _called(node: NodeProto) -> str:
    domain = f"{node.domain}." if node.domain not in _OWN else ""
    name = f" ({node.name})" if node.name else ""
    return f"the operator {domain}{node.op_type}{name}"


def _plain(attribute: AttributeProto, inner: Callable[[GraphProto], Body]) -> Any:
    value = helper.get_attribute_value(attribute)
    match attribute.type:
        case AttributeProto.STRING:
            return value.decode()
        case AttributeProto.STRINGS:
            return [item.decode() for item in value]
        case AttributeProto.TENSOR:
            return numpy_helper.to_array(value)
        case AttributeProto.INT | AttributeProto.FLOAT:
            return value
        case AttributeProto.INTS | AttributeProto.FLOATS:
            return np.asarray(value)
        case AttributeProto.GRAPH:
            return inner(value)
    raise NotLoweredError(f"its attribute {attribute.name} is of a kind that none here reads")
