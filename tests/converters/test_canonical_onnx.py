"""One model is one sequence of bytes, in whatever order its tool left the nodes."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from edgeship_converters.steps.canonical_onnx import canonical_bytes
from edgeship_runtime.engines.onnx_runtime import OnnxRuntime


def made(seed: int) -> ModelProto:
    """A sum of two branches and a condition, its nodes and counts shuffled."""
    random = np.random.default_rng(seed)
    counts = iter(random.permutation(100))
    left, right, flag = (f"part__{next(counts)}" for _ in range(3))
    value = helper.make_tensor_value_info
    then = helper.make_graph(
        [
            helper.make_node("Neg", [left], [f"inner__{next(counts)}"], "negated"),
            helper.make_node("Abs", [right], ["then"], "absolute"),
        ],
        "then",
        [],
        [value("then", TensorProto.FLOAT, [None])],
    )
    otherwise = helper.make_graph(
        [helper.make_node("Identity", [left], ["else"], "same")],
        "else",
        [],
        [value("else", TensorProto.FLOAT, [None])],
    )
    nodes = [
        helper.make_node("Sin", ["x"], [left], f"left__{next(counts)}"),
        helper.make_node("Cos", ["x"], [right], f"right__{next(counts)}"),
        helper.make_node("Constant", [], [flag], "flag", value=_flag()),
        helper.make_node("If", [flag], ["chosen"], "if", then_branch=then, else_branch=otherwise),
        helper.make_node("Add", ["chosen", left], ["y"], "sum"),
    ]
    shuffled = [nodes[place] for place in random.permutation(len(nodes))]
    ends = [value(name, TensorProto.FLOAT, [None]) for name in "xy"]
    graph = helper.make_graph(shuffled, "parts", ends[:1], ends[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)


def _flag() -> TensorProto:
    return helper.make_tensor("flag", TensorProto.BOOL, [], [True])


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_shuffled_nodes_and_counts_make_the_same_bytes(seed: int) -> None:
    assert canonical_bytes(made(seed)) == canonical_bytes(made(0))


def test_each_node_comes_after_what_it_takes_from() -> None:
    data = canonical_bytes(made(5))
    onnx.checker.check_model(onnx.load_model_from_string(data), full_check=True)
    x = np.array([0.5, 2.0], np.float32)
    (y,) = OnnxRuntime(data).run({"x": x}).values()
    np.testing.assert_allclose(y, np.abs(np.cos(x)) + np.sin(x), rtol=1e-6)
