"""Operators that shift, scale, threshold or fill in columns."""

from __future__ import annotations

import numpy as np
import pytest

from tests.converters.lowering.cases import ML, ROWS, WIDE, WITH_NAN, Case, Drawn, near

_ROW = np.array([0.5, -2.0, 1.5], np.float32)
_NUMBERS = ("float32", "float64", "int64", "int32")

CASES = (
    *[
        Case("Scaler", (Drawn(dtype),), {"offset": [1.0, -0.5, 0.1], "scale": scale}, ML, 1)
        for dtype in _NUMBERS
        for scale in ([0.5, 2.0, -3.0],)
    ],
    Case("Scaler", (Drawn(),), {"offset": [1.0], "scale": [0.5]}, ML, 1),
    *[
        Case("Normalizer", (Drawn(dtype, values=near(50.0)),), {"norm": norm}, ML, 1)
        for dtype in ("float32", "float64", "int64")
        for norm in ("L1", "L2", "MAX")
    ],
    *[
        Case("Binarizer", (Drawn(values=WIDE),), {"threshold": limit}, ML, 1)
        for limit in (0.0, 0.5)
    ],
    Case(
        "Imputer",
        (Drawn(values=WITH_NAN),),
        {"imputed_value_floats": [1.0, 2.0, 3.0], "replaced_value_float": float("nan")},
        ML,
        1,
    ),
    Case(
        "Imputer",
        (Drawn(values=WITH_NAN),),
        {"imputed_value_floats": [7.0], "replaced_value_float": 0.5},
        ML,
        1,
    ),
    Case(
        "Imputer",
        (Drawn("int64"),),
        {"imputed_value_int64s": [7, 8, 9], "replaced_value_int64": 1},
        ML,
        1,
    ),
    *[
        Case("LpNormalization", (Drawn(dtype, values=near(50.0)),), {"p": p, "axis": 1})
        for dtype in ("float32", "float64")
        for p in (1, 2)
    ],
    Case("LayerNormalization", (Drawn(values=near(2.0)), _ROW, _ROW), opset=17, atol=1e-4),
    Case(
        "LayerNormalization",
        (Drawn(values=near(2.0)), _ROW),
        {"axis": 1, "epsilon": 0.1},
        opset=17,
        atol=1e-4,
    ),
    *[
        Case(
            "BatchNormalization",
            (Drawn(shape=shape), _ROW, _ROW, _ROW, np.abs(_ROW)),
            opset=15,
            atol=1e-4,
        )
        for shape in ((ROWS, 3), (ROWS, 3, 2))
    ],
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_columns_are_scaled_as_onnxruntime_does(case: Case) -> None:
    case.check()
