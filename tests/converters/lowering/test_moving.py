"""Operators that move values about, pick some of them, or make them of none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, numpy_helper

from tests.converters.lowering.cases import ML, ROWS, WITH_NAN, Case, Drawn, near, some

_X = Drawn(values=WITH_NAN)
_CUBE = Drawn(shape=(ROWS, 2, 3))
_INTS = Drawn("int64", values=near(1000.0, (0.0, 2.0**20)))
_WORDS = Drawn("string", values=some("a", "b", "zz"))
_PLACES = Drawn("int64", (ROWS, 2), some(0, 1, 2))


def _axes(*places: int) -> Any:
    return np.array(places, np.int64)


def _to(dtype: int, **more: Any) -> dict[str, Any]:
    return {"to": dtype, **more}


CASES = (
    *[
        Case("Cast", (Drawn(dtype, values=near(1000.0, (0.0, -0.0, 0.5))),), _to(to), note=str(to))
        for dtype in ("float32", "float64", "int64", "int32", "bool")
        for to in (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.BOOL)
    ],
    Case("CastLike", (_X, np.zeros(1, np.float64)), opset=19),
    Case("CastLike", (_INTS, _X), opset=19),
    Case("Concat", (_X, _X), {"axis": 1}),
    Case("Concat", (_X, np.ones((2, 3), np.float32)), {"axis": 0}),
    Case("Concat", (_INTS, _INTS), {"axis": -1}),
    Case("Concat", (_WORDS, _WORDS), {"axis": 1}, narrow=False),
    *[
        Case("Constant", (), {name: value}, note=name)
        for name, value in {
            "value": numpy_helper.from_array(np.arange(6.0).reshape(2, 3)),
            "value_float": 1.5,
            "value_floats": [1.5, 2.5],
            "value_int": 3,
            "value_ints": [3, 4],
        }.items()
    ],
    Case("ConstantOfShape", (_axes(2, 3),), {"value": numpy_helper.from_array(np.array([7]))}),
    Case("ConstantOfShape", (Drawn("int64", (2,), some(1, 2, 3)),)),
    Case("Dropout", (_X,), opset=13),
    # Its second output is no computed one, whose name would tell its place.
    Case("Dropout", (_X,), opset=13, outputs=2, narrow=False),
    Case("Expand", (Drawn(shape=(ROWS, 1)), _axes(1, 4))),
    Case("Expand", (Drawn(shape=(ROWS, 3)), _axes(2, 1, 3))),
    *[Case("Flatten", (_CUBE,), {"axis": axis}) for axis in (0, 1, 2, -1)],
    *[
        Case("Gather", (_X, _axes(2, 0, -1)), {"axis": 1}),
        Case("Gather", (_X, np.int64(1)), {"axis": 1}),
    ],
    Case("Gather", (np.arange(12.0).reshape(3, 4), _PLACES)),
    Case("Gather", (np.array(["u", "v", "w"], object), Drawn("int64", (ROWS,), some(0, 1, 2)))),
    Case("GatherElements", (_X, _PLACES), {"axis": 1}),
    Case("GatherElements", (np.arange(6.0).reshape(3, 2), _PLACES), {"axis": 0}),
    Case("Identity", (_X,)),
    Case("Identity", (_INTS,)),
    *[
        Case(
            "OneHot",
            (Drawn("int64", (ROWS, 2), some(0, 2, -1, -3, 7)), np.int64(3), values),
            {"axis": axis},
        )
        for values, axis in ((np.array([0.0, 1.0], np.float32), -1), (np.array([5, 7]), 1))
    ],
    Case("Pad", (_X, _axes(0, 1, 0, 2), np.float32(3.5))),
    Case("Pad", (Drawn("float64"), _axes(0, 1, 0, 2))),
    Case("Pad", (_X, _axes(0, 2, 0, 1)), {"mode": "reflect"}, empty=False),
    Case("Range", (np.int64(1), np.int64(9), np.int64(3))),
    Case("Range", (np.int64(0), Drawn("int64", (), some(1, 4)), np.int64(1))),
    *[
        Case("Reshape", (_CUBE, _axes(*to)), empty=-1 not in to)
        for to in ((0, 6), (-1, 6), (0, 3, 2), (0, -1), (-1, 2, 1, 3))
    ],
    Case(
        "ScatterElements",
        (_X, Drawn("int64", (ROWS, 1), some(0, 1, 2)), Drawn(shape=(ROWS, 1))),
        {"axis": 1},
    ),
    Case("Shape", (_CUBE,), opset=15),
    Case("Shape", (_CUBE,), {"start": 1, "end": 3}, opset=15),
    Case("Size", (_CUBE,)),
    Case("Size", (Drawn(shape=(2, 3)),), note="known"),
    Case("Slice", (_CUBE, _axes(1), _axes(3), _axes(2))),
    Case("Slice", (_CUBE, _axes(-1, -1), _axes(-4, -3), _axes(2, 1), _axes(-1, -1))),
    Case("Slice", (_CUBE, _axes(0, 0), _axes(2**62, 2), _axes(0, 2), _axes(1, 2))),
    Case("Slice", (_CUBE,), {"starts": [0, 1], "ends": [1, 9], "axes": [1, 2]}, opset=9),
    Case("Split", (Drawn(shape=(ROWS, 5)), _axes(2, 3)), {"axis": 1}, outputs=2, note="sizes"),
    Case("Split", (Drawn(shape=(ROWS, 5)),), {"axis": 1, "num_outputs": 3}, outputs=3),
    Case("Split", (Drawn(shape=(ROWS, 4)),), {"axis": 1}, opset=13, outputs=2),
    Case("Squeeze", (Drawn(shape=(ROWS, 1, 3)), _axes(1))),
    Case("Squeeze", (Drawn(shape=(2, 1, 3)),)),
    Case("Squeeze", (Drawn(shape=(ROWS, 3, 1)),), {"axes": [-1]}, opset=11),
    Case("Tile", (_X, _axes(1, 2))),
    Case("Transpose", (_CUBE,), {"perm": [0, 2, 1]}),
    Case("Transpose", (_X,)),
    Case("Unsqueeze", (_X, _axes(-1, 1))),
    Case("Unsqueeze", (_X,), {"axes": [1]}, opset=11),
    Case("Where", (Drawn("bool"), _X, np.zeros((1, 3), np.float32))),
    Case("Where", (Drawn("bool"), _INTS, _INTS)),
    Case("Where", (Drawn("bool"), Drawn("float64"), Drawn("float64", (1, 3)))),
    Case("Compress", (_X, np.array([True, False, True])), {"axis": 1}),
    Case("Compress", (_X, Drawn("bool", (3,))), {"axis": 1}, empty=False),
    Case("Compress", (Drawn("float64", (2, 3)), Drawn("bool", (6,)))),
    Case("GatherND", (np.arange(12.0).reshape(3, 4), Drawn("int64", (ROWS, 2), some(0, 1, 2)))),
    Case("GatherND", (Drawn(shape=(2, 3)), _axes(0, -1)[None])),
    Case("NonZero", (Drawn(values=near(2.0, (0.0, -0.0, 1.0))),)),
    Case("NonZero", (Drawn("bool"),)),
    *[
        Case("ArrayFeatureExtractor", (given, _axes(2, 0)[None]), domain=ML, opset=1)
        for given in (_X, Drawn("float64"), _INTS)
    ],
    Case(
        "ArrayFeatureExtractor",
        (np.array([[4, 5, 6]]), Drawn("int64", (ROWS,), some(0, 1, 2))),
        domain=ML,
        opset=1,
        empty=False,
    ),
    *[
        Case(
            "FeatureVectorizer",
            (Drawn(dtype), Drawn(dtype, (ROWS, 2))),
            {"inputdimensions": [3, 2]},
            ML,
            1,
            empty=False,
        )
        for dtype in ("float32", "float64", "int64")
    ],
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_values_end_up_where_onnxruntime_puts_them(case: Case) -> None:
    case.check()
