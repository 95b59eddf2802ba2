"""ONNX models as other exporters write them, small and built by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from edgeship_runtime.arrays import Array

FLOAT = TensorProto.FLOAT


def model_of(
    nodes: Sequence[Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    constants: dict[str, Array] | None = None,
    *,
    opset: int = 17,
    ir: int = 8,
    **more: Any,
) -> ModelProto:
    """A model; inputs and outputs are value infos, or (name, shape) of float32."""

    def info(value: Any) -> Any:
        if isinstance(value, tuple):
            return helper.make_tensor_value_info(value[0], FLOAT, value[1])
        return value

    graph = helper.make_graph(
        nodes,
        "graph",
        [info(value) for value in inputs],
        [info(value) for value in outputs],
        [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir, **more)


def mlp(
    *,
    rows: int | str = "batch",
    dtype: str = "float32",
    width: int = 64,
    classes: int = 3,
    given: str = "features",
    made: str = "scores",
    **more: Any,
) -> ModelProto:
    """Two dense layers and a softmax, as PyTorch exports them."""
    random = np.random.default_rng(1)
    constants = {
        "fc1.weight": random.normal(size=(width, 4)).astype(dtype),
        "fc1.bias": random.normal(size=width).astype(dtype),
        "fc2.weight": random.normal(size=(classes, width)).astype(dtype) / 4,
        "fc2.bias": random.normal(size=classes).astype(dtype),
    }
    nodes = [
        helper.make_node("Gemm", [given, "fc1.weight", "fc1.bias"], ["h"], "/fc1/Gemm", transB=1),
        helper.make_node("Relu", ["h"], ["r"], "/relu/Relu"),
        helper.make_node("Gemm", ["r", "fc2.weight", "fc2.bias"], ["z"], "/fc2/Gemm", transB=1),
        helper.make_node("Softmax", ["z"], [made], "/softmax/Softmax", axis=1),
    ]
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    ends = [
        helper.make_tensor_value_info(name, element, [rows, size])
        for name, size in ((given, 4), (made, classes))
    ]
    return model_of(nodes, ends[:1], ends[1:], constants, producer_name="pytorch", **more)


def cnn() -> ModelProto:
    """A convolution, and what makes scores of it."""
    random = np.random.default_rng(1)
    constants = {
        "conv.weight": random.normal(size=(8, 1, 3, 3)).astype(np.float32),
        "fc.weight": random.normal(size=(8, 3)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["image", "conv.weight"], ["c"], "/conv/Conv"),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("MatMul", ["f", "fc.weight"], ["z"]),
        helper.make_node("Softmax", ["z"], ["scores"]),
    ]
    return model_of(nodes, [("image", ["n", 1, 8, 8])], [("scores", ["n", 3])], constants)


def one(kind: str, *, shape: Any = ("n", 4), made: Any = ("n", 4), **attributes: Any) -> ModelProto:
    """A single operator from `x` to `y`."""
    node = helper.make_node(kind, ["x"], ["y"], **attributes)
    return model_of([node], [("x", list(shape))], [("y", list(made))])
