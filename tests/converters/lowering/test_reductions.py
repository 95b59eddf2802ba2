"""Operators that make one entry of many, or order them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.converters.lowering.cases import ROWS, Case, Drawn, near

_FEW = near(3.0, (0.0, -0.0, 1.0, 2.0))
_CUBE = Drawn(shape=(ROWS, 2, 3))
_POSITIVE = near(10.0, (1.0, 0.5)).map(lambda value: abs(value) + 0.01)
_WHOLE = near(100.0, (0.0, 3.0))


def _reductions(kind: str, **more: object) -> list[Case]:
    values = _POSITIVE if kind == "ReduceLogSum" else near(10.0)
    dtypes = ("float32", "float64") if "Log" not in kind else ("float32",)
    last = [
        Case(
            kind, (Drawn(dtype, (ROWS, 2, 3), values),), {"axes": [-1], "keepdims": keep}, opset=12
        )
        for dtype in dtypes
        for keep in (0, 1)
    ]
    both = (Drawn(shape=(ROWS, 2, 3), values=values), np.array([1, 2]))
    return [
        *last,
        Case(kind, both, {"keepdims": 0}, note="several"),
        Case(kind, both[:1], note="all", empty=False),
    ]


CASES = (
    *[
        Case(
            kind,
            (Drawn(dtype, (ROWS, 4), _FEW),),
            {"axis": 1, "keepdims": keep, "select_last_index": last},
        )
        for kind in ("ArgMax", "ArgMin")
        for dtype in ("float32", "float64", "int64")
        for keep, last in ((0, 0), (1, 1))
        if (dtype, last) != ("int64", 1)
    ],
    *[
        Case("CumSum", (Drawn(dtype, values=near(10.0)), np.int64(1)), attributes)
        for dtype in ("float32", "float64", "int64")
        for attributes in ({}, {"exclusive": 1}, {"reverse": 1})
    ],
    *[
        Case("Hardmax", (Drawn(shape=(ROWS, 2, 3), values=_FEW),), {"axis": axis})
        for axis in (-1, 1)
    ],
    *[
        Case(kind, (Drawn(dtype, (ROWS, 2, 3), near(90.0)),), {"axis": axis}, atol=1e-5)
        for kind in ("Softmax", "LogSoftmax")
        for dtype in ("float32", "float64")
        for axis in (-1, 1)
    ],
    Case("Softmax", (Drawn(),), {"axis": 1}, opset=11),
    Case("LogSoftmax", (Drawn(),), {"axis": 1}, opset=11, atol=1e-5),
    *_reductions("ReduceL1"),
    *_reductions("ReduceL2"),
    *_reductions("ReduceLogSum"),
    *_reductions("ReduceLogSumExp"),
    *_reductions("ReduceMax"),
    *_reductions("ReduceMean"),
    *_reductions("ReduceMin"),
    *_reductions("ReduceProd"),
    *_reductions("ReduceSum"),
    *_reductions("ReduceSumSquare"),
    Case("ReduceSum", (_CUBE, np.zeros(0, np.int64)), {"noop_with_empty_axes": 1}, note="none"),
    Case(
        "ReduceSum", (Drawn("int64", values=_WHOLE), np.array([1])), {"keepdims": 0}, note="whole"
    ),
    Case(
        "ReduceMax",
        (Drawn("int64", values=_WHOLE),),
        {"axes": [1], "keepdims": 0},
        opset=12,
        note="whole",
    ),
    *[
        Case(
            "TopK",
            (Drawn(dtype, (ROWS, 5), _FEW), np.array([3])),
            {"axis": 1, "largest": largest},
            outputs=2,
        )
        for dtype in ("float32", "float64")
        for largest in (0, 1)
    ],
    Case("TopK", (_CUBE, np.array([2])), {"axis": 1}, outputs=2, note="middle"),
    Case("TopK", (Drawn(shape=(ROWS, 5)),), {"axis": 1, "k": 2}, opset=9, outputs=2),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_comes_of_many_entries_is_what_onnxruntime_makes(case: Case) -> None:
    case.check()
