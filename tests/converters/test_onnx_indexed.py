"""The model with tables does what onnxruntime's own does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from onnx import ModelProto, TensorProto, helper
from onnxruntime.quantization.onnx_model import ONNXModel

from edgeship_converters.steps.onnx_indexed import IndexedModel


def two_sums() -> ModelProto:
    """x + a, and that + x + a once more."""
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("Sum", ["x", "a"], ["y"], "first"),
        helper.make_node("Sum", ["y", "x", "a"], ["z"], "second"),
    ]
    ends = [value(name, TensorProto.FLOAT, [1]) for name in "xz"]
    graph = helper.make_graph(nodes, "sums", ends[:1], ends[1:], [constant("a", 1.0)])
    return helper.make_model(graph)


def constant(name: str, number: float) -> TensorProto:
    """A constant of one number."""
    return helper.make_tensor(name, TensorProto.FLOAT, [1], [number])


def replace_twice(model: ONNXModel) -> None:
    model.replace_input_of_all_nodes("x", "x2")
    model.add_node(helper.make_node("Neg", ["x"], ["x2"], "negated"))
    model.replace_input_of_all_nodes("x2", "x3")
    model.replace_input_of_all_nodes("x", "x4")


def replace_in_one_node_first(model: ONNXModel) -> None:
    model.replace_input_of_all_nodes("a", "b")
    model.replace_input_of_nodes("b", "c", {"second"})
    model.replace_input_of_all_nodes("c", "d")
    model.replace_input_of_all_nodes("b", "e")


def remove_between(model: ONNXModel) -> None:
    model.replace_input_of_all_nodes("x", "x2")
    model.remove_node(model.nodes()[0])
    model.replace_input_of_all_nodes("x2", "x")


def add_constants(model: ONNXModel) -> None:
    model.add_initializer(constant("b", 2.0))
    model.initializer().append(constant("c", 3.0))
    for name in "abc":
        model.add_initializer(constant(name, 4.0))


def remove_a_constant(model: ONNXModel) -> None:
    add_constants(model)
    model.remove_initializer(model.get_initializer("b"))
    assert model.get_initializer("b") is None
    model.add_initializer(constant("b", 5.0))


@pytest.mark.parametrize(
    "change",
    [replace_twice, replace_in_one_node_first, remove_between, add_constants, remove_a_constant],
)
def test_every_change_has_the_outcome_of_onnxruntimes_own(
    change: Callable[[ONNXModel], None],
) -> None:
    plain, indexed = ONNXModel(two_sums()), IndexedModel(two_sums())
    change(plain)
    change(indexed)
    assert indexed.model == plain.model
