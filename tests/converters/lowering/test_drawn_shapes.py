"""Operators on values of drawn shapes and types, axes among what is drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.converters.lowering.cases import ROWS, Case, Drawn

Draw = Callable[[Any], Any]

_NUMBERS = ("float32", "float64", "int64")
_EACH = ("Abs", "Neg", "Sign", "Identity", "Relu", "Floor", "Exp", "Tanh", "IsNaN")
_BOTH = ("Add", "Sub", "Mul", "Max", "Min", "Less", "LessOrEqual", "Greater", "Equal")
_FLOATS_ONLY = ("Relu", "Floor", "Exp", "Tanh", "IsNaN", "ReduceMean", "ReduceLogSumExp")
_ALONG = ("ReduceSum", "ReduceMax", "ReduceMin", "ReduceMean", "ReduceL1", "ReduceLogSumExp")


def _sizes(draw: Draw, least: int = 0) -> tuple[int, ...]:
    return tuple(draw(st.lists(st.integers(1, 4), min_size=least, max_size=3)))


def _given(draw: Draw, sizes: tuple[int, ...], kind: str = "") -> Drawn:
    types = _NUMBERS[:2] if kind in _FLOATS_ONLY else _NUMBERS
    return Drawn(draw(st.sampled_from(types)), (ROWS, *sizes))


def _each(draw: Draw) -> Case:
    kind = draw(st.sampled_from(_EACH))
    return Case(kind, (_given(draw, _sizes(draw), kind),))


def _both(draw: Draw) -> Case:
    """Two values, the second one of which may be spread over axes of the first."""
    sizes = _sizes(draw)
    one = _given(draw, sizes)
    spread = tuple(1 if draw(st.booleans()) else size for size in sizes)
    other = spread[draw(st.integers(0, len(spread))) :]
    shape: tuple[int | str, ...] = other
    if len(other) == len(sizes) and draw(st.booleans()):
        shape = (ROWS, *spread)
    return Case(draw(st.sampled_from(_BOTH)), (one, Drawn(one.dtype, shape)))


def _along(draw: Draw) -> Case:
    kind = draw(st.sampled_from(_ALONG))
    value = _given(draw, _sizes(draw, 1), kind)
    rank = len(value.shape)
    axes = draw(st.lists(st.integers(1, rank - 1), min_size=1, unique=True))
    axes = [axis - rank if draw(st.booleans()) else axis for axis in axes]
    keep = int(draw(st.booleans()))
    return Case(kind, (value, np.array(axes)), {"keepdims": keep}, rtol=1e-4, atol=1e-3)


def _extreme(draw: Draw) -> Case:
    kind = draw(st.sampled_from(("ArgMax", "ArgMin", "Softmax")))
    value = _given(draw, _sizes(draw, 1), "Exp" if kind == "Softmax" else kind)
    axis = draw(st.integers(1, len(value.shape) - 1))
    return Case(kind, (value,), {"axis": axis})


def _turned(draw: Draw) -> Case:
    value = _given(draw, _sizes(draw, 1))
    order = draw(st.permutations(range(1, len(value.shape))))
    return Case("Transpose", (value,), {"perm": [0, *order]})


def _joined(draw: Draw) -> Case:
    value = _given(draw, _sizes(draw, 1))
    axis = draw(st.integers(1, len(value.shape) - 1))
    shape = [*value.shape]
    shape[axis] = draw(st.integers(1, 3))
    return Case("Concat", (value, Drawn(value.dtype, tuple(shape))), {"axis": axis})


def _cut(draw: Draw) -> Case:
    value = _given(draw, _sizes(draw, 1))
    axis = draw(st.integers(1, len(value.shape) - 1))
    size = int(value.shape[axis])
    start, end = draw(st.integers(-size, size - 1)), draw(st.integers(1, size + 2))
    end = max(end, start % size + 1)
    ends = (np.array([start]), np.array([end]), np.array([axis]))
    return Case("Slice", (value, *ends))


def _picked(draw: Draw) -> Case:
    value = _given(draw, _sizes(draw, 1))
    axis = draw(st.integers(1, len(value.shape) - 1))
    size = int(value.shape[axis])
    places = draw(st.lists(st.integers(-size, size - 1), min_size=1, max_size=4))
    return Case("Gather", (value, np.array(places)), {"axis": axis})


def _flat(draw: Draw) -> Case:
    value = _given(draw, _sizes(draw, 1))
    # Of no rows onnxruntime cannot tell the other size.
    return Case("Reshape", (value, np.array([0, -1])), empty=False)


def _multiplied(draw: Draw) -> Case:
    inner, outer = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    value = Drawn(draw(st.sampled_from(_NUMBERS[:2])), (ROWS, inner))
    weights = np.linspace(-1.0, 1.0, inner * outer).reshape(inner, outer).astype(value.dtype)
    bias = np.linspace(-2.0, 2.0, outer).astype(value.dtype)
    return Case("Gemm", (value, weights, bias), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    "drawn_case",
    [_each, _both, _along, _extreme, _turned, _joined, _cut, _picked, _flat, _multiplied],
)
def test_operators_agree_on_whatever_shape_and_type(drawn_case: Callable[[Draw], Case]) -> None:
    @settings(
        max_examples=6,
        derandomize=True,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def agree(data: st.DataObject) -> None:
        drawn_case(data.draw).check(2)

    agree()
