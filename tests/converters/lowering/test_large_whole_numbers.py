"""Whole numbers beyond int32, which a graph for TFLite must not cut to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, numpy_helper

from edgeship_converters.steps.lowering.values import NotLoweredError
from tests.converters.lowering.cases import ML, ROWS, Case, Drawn, some

_NUMBERS = some(0, 7, -3, 2**31 - 1, 2**31, -(2**31) - 1, 2**40, 2**40 + 1, 2**53 + 1, -(2**53) - 1)
_X, _Y = Drawn("int64", values=_NUMBERS), Drawn("int64", (1, 3), _NUMBERS)
_FACTORS = Drawn("int64", values=some(0, 7, -3, 2**20, 2**31, -(2**30)))
_TABLE = np.array([2**40 + 1, 2**31, -3])
_SMALL = np.array([1, 2, 3])
_WORDS = Drawn("string", values=some("a", "b", "nowhere"))
_FLOATS = some(0.0, 2.0**31, -(2.0**40), 1e15)


def _labels(given: Drawn, **attributes: Any) -> Case:
    return Case("LabelEncoder", (given,), attributes, ML, 2)


CASES = (
    *[Case(kind, (_X, y)) for kind in ("Equal", "Less", "Add", "Sub", "Max") for y in (_Y, _TABLE)],
    *[Case("Mul", (_FACTORS, y)) for y in (_FACTORS, np.array([3, 2**31, -1]))],
    *[Case("Where", (Drawn("bool"), _X, y)) for y in (_Y, _TABLE)],
    Case("Div", (_X, np.array([2, -3, 2**33])), narrow=False),
    Case("Gather", (_TABLE, Drawn("int64", (ROWS,), some(0, 1, 2)))),
    Case("Concat", (_X, _TABLE[None]), {"axis": 0}),
    Case("Identity", (_TABLE,)),
    _labels(_X, keys_int64s=_TABLE, values_int64s=[1, 2**40, 3], default_int64=-(2**33)),
    _labels(_X, keys_int64s=_TABLE, values_strings=["a", "b", "c"]),
    _labels(_WORDS, keys_strings=["a", "b"], values_int64s=[2**40, 3]),
)
_CONSTANT = (
    *[Case(kind, (_TABLE, _SMALL)) for kind in ("Add", "Sub", "Mul", "Max")],
    Case("Equal", (_TABLE, np.array([2**40 + 2, 2**31, -3]))),
    Case("Where", (Drawn("bool"), _TABLE, _SMALL)),
    *[
        Case("Cast", (Drawn(dtype, values=_FLOATS),), {"to": TensorProto.INT64})
        for dtype in ("float32", "float64")
    ],
    Case(
        "ConstantOfShape",
        (Drawn("int64", (2,), some(1, 2)),),
        {"value": numpy_helper.from_array(np.array([2**40]))},
    ),
)


@pytest.mark.parametrize(
    "case",
    [*CASES, *(pytest.param(case) for case in _CONSTANT)],
    ids=[f"{k}-{case.kind}" for k, case in enumerate((*CASES, *_CONSTANT))],
)
def test_whole_numbers_beyond_int32_stay_as_they_are(case: Case) -> None:
    case.check(12)


def test_whole_numbers_that_tflite_cannot_divide_are_refused() -> None:
    with pytest.raises(NotLoweredError):
        Case("Div", (_X, np.array([2, -3, 7]))).check()
