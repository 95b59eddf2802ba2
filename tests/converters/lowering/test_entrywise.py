"""Operators that compute each entry by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.converters.lowering.cases import (
    EDGES,
    WIDE,
    WITH_NAN,
    Case,
    Drawn,
    near,
)

_POSITIVE = near(100.0, (1e-30, 0.0, 1.0)).map(abs)
_UNIT = near(1.0, (0.0, -0.0, 1.0, -1.0, float("nan")))
_INTS = near(1000.0, (0.0, 2.0**20))


def _of_one(kind: str, values: Any = WIDE, **more: Any) -> list[Case]:
    return [Case(kind, (Drawn(dtype, values=values),), **more) for dtype in ("float32", "float64")]


def _of_two(kind: str, dtypes: tuple[str, ...], values: Any, **more: Any) -> list[Case]:
    cases = []
    for dtype in dtypes:
        x, y = Drawn(dtype, values=values), Drawn(dtype, (1, 3), values)
        constant = np.array([[1, 0, 2], [3, 1, 0]], dtype)[:, None]
        cases.append(Case(kind, (x, y), note="broadcast", **more))
        cases.append(Case(kind, (x, constant), note="constant", **more))
    return cases


CASES = (
    *_of_one("Abs", WITH_NAN),
    Case("Abs", (Drawn("int64", values=_INTS),)),
    *_of_one("Acos", _UNIT)[:1],
    *_of_one("Asin", _UNIT)[:1],
    *_of_one("Atan")[:1],
    *_of_one("Ceil", WITH_NAN),
    *_of_one("Celu", near(30.0), opset=12, attributes={"alpha": 0.75})[:1],
    *_of_one("Cos", near(20.0)),
    *_of_one("Cosh", near(80.0))[:1],
    *_of_one("Elu", near(80.0))[:1],
    *_of_one("Elu", near(80.0), attributes={"alpha": 0.5})[:1],
    *_of_one("Erf", near(6.0, EDGES))[:1],
    *_of_one("Exp", near(80.0)),
    *_of_one("Floor", WITH_NAN),
    *_of_one("Gelu", near(8.0), opset=20, rtol=1e-4)[:1],
    *_of_one("Gelu", near(8.0), opset=20, attributes={"approximate": "tanh"}, rtol=1e-4)[:1],
    *_of_one("HardSigmoid", WIDE)[:1],
    *_of_one("HardSwish", near(100.0))[:1],
    *_of_one("IsInf", near(1.0, (0.0, float("inf"), float("-inf"), float("nan"), 3e38)), opset=20),
    *_of_one("IsInf", near(1.0, (float("inf"), float("-inf"))), attributes={"detect_negative": 0}),
    *_of_one("IsInf", near(1.0, (float("inf"), float("-inf"))), attributes={"detect_positive": 0}),
    *_of_one("IsNaN", WITH_NAN),
    *_of_one("LeakyRelu", attributes={"alpha": 0.3}),
    *_of_one("Log", _POSITIVE),
    *_of_one("Mish", near(50.0), opset=18)[:1],
    *_of_one("Neg"),
    Case("Neg", (Drawn("int64", values=_INTS),)),
    Case("Not", (Drawn("bool"),)),
    *_of_one("Reciprocal", near(100.0, (1.0, -2.0, 1e-30, 1e30))),
    *_of_one("Relu"),
    *_of_one("Round", near(100.0, (0.5, 1.5, 2.5, -0.5, -1.5, -2.5, -0.0, 1e30))),
    *_of_one("Selu", near(80.0))[:1],
    *_of_one("Shrink", near(5.0), opset=9, attributes={"lambd": 0.75, "bias": 0.25}),
    *_of_one("Sigmoid", near(100.0, EDGES)),
    *_of_one("Sign", WIDE),
    Case("Sign", (Drawn("int64", values=_INTS),)),
    *_of_one("Sin", near(20.0)),
    *_of_one("Sinh", near(80.0))[:1],
    *_of_one("Softplus", near(100.0, EDGES), atol=1e-6),
    *_of_one("Softsign")[:1],
    *_of_one("Sqrt", _POSITIVE),
    *_of_one("Tan", near(1.5))[:1],
    *_of_one("Tanh", near(50.0, EDGES)),
    *_of_one("ThresholdedRelu", attributes={"alpha": 0.75})[:1],
    *_of_one("Clip", opset=6, attributes={"min": -1.0, "max": 2.0})[:1],
    Case("Clip", (Drawn(values=WITH_NAN), np.float32(-1.0), np.float32(2.0))),
    Case("Clip", (Drawn("float64", values=WIDE), None, np.float64(0.1))),
    Case("Clip", (Drawn("int64", values=_INTS), np.int64(-3))),
    Case("PRelu", (Drawn(values=near(100.0)), np.array([0.5, -1.0, 2.0], np.float32))),
    *_of_two("Add", ("float32", "float64", "int64"), near(1000.0)),
    *_of_two("Sub", ("float32", "float64", "int64"), near(1000.0)),
    *_of_two("Mul", ("float32", "float64", "int64"), near(1000.0)),
    *_of_two(
        "Div",
        ("float32", "float64"),
        near(1000.0, (1.0, 3.0)).map(lambda v: v if abs(v) > 1e-3 else 1.0),
    )[::2],
    Case("Div", (Drawn("int64", values=_INTS), np.array([2, -3, 7])), narrow=False),
    Case("Div", (Drawn("int32", values=_INTS), np.array([2, -3, 7], np.int32))),
    Case("Mod", (Drawn("int64", values=_INTS), np.array([2, -3, 7]))),
    Case("Mod", (Drawn("int64", values=_INTS), np.array([2, -3, 7])), {"fmod": 1}),
    Case("Mod", (Drawn(), np.array([2, -3, 7], np.float32)), {"fmod": 1}, atol=1e-4),
    *[
        Case("Pow", (Drawn(dtype, values=near(10.0)), np.asarray(power, dtype)), note=str(power))
        for dtype in ("float32", "float64")
        for power in (1.0, 2.0, 3.0)
    ],
    Case("Pow", (Drawn(values=_POSITIVE), np.float32(0.5))),
    Case("Pow", (Drawn(values=near(10.0)), np.int64(2)), note="whole"),
    Case("Pow", (Drawn(values=_POSITIVE.map(lambda v: v % 3)), Drawn(values=near(3.0).map(abs)))),
    *_of_two("Equal", ("float32", "float64", "int64", "bool"), near(2.0, (0.0, -0.0, 1.0, 2.0)))[
        ::2
    ],
    Case(
        "Equal", (Drawn("float32", values=WITH_NAN), Drawn("float32", (1, 3), WITH_NAN)), note="nan"
    ),
    Case(
        "Equal",
        (Drawn("string", values=near().map(lambda v: "ab"[v > 0])), np.array(["a"], object)),
        opset=19,
    ),
    *[
        case
        for kind in ("Greater", "GreaterOrEqual", "Less", "LessOrEqual")
        for case in _of_two(kind, ("float32", "float64", "int64"), near(3.0, (1.0, 2.0, 0.0)))
        if case.note == "constant"
    ],
    *[Case(kind, (Drawn("bool"), Drawn("bool", (1, 3)))) for kind in ("And", "Or", "Xor")],
    *[
        Case(kind, (Drawn(dtype), Drawn(dtype, (1, 3)), np.ones(1, dtype)))
        for kind in ("Max", "Min", "Mean", "Sum")
        for dtype in ("float32", "float64")
        if (kind, dtype) != ("Mean", "float64")
    ],
    Case("Max", (Drawn("int64", values=_INTS), np.array([1, 2, 3])), note="whole"),
    Case("Min", (Drawn("int64", values=_INTS), np.array([1, 2, 3])), note="whole"),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_entries_are_what_onnxruntime_computes(case: Case) -> None:
    case.check()
