"""Products of matrices, triangles, distances."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto

from tests.converters.lowering.cases import ROWS, Case, Drawn, near
from tests.converters.lowering.engines import Wide

_A = np.arange(12, dtype=np.float32).reshape(3, 4) / 4 - 1
_SQUARE = Drawn(shape=(ROWS, 3, 3))

CASES = (
    *[
        Case("Gemm", (Drawn(dtype), _A.astype(dtype), np.ones(4, dtype)), atol=1e-4)
        for dtype in ("float32", "float64")
    ],
    Case("Gemm", (Drawn(), _A.T.copy()), {"transB": 1, "alpha": 0.5}, atol=1e-4),
    Case(
        "Gemm",
        (Drawn(shape=(3, ROWS)), _A, np.ones((1, 4), np.float32)),
        {"transA": 1, "beta": 2.0},
        atol=1e-4,
        empty=False,
    ),
    *[
        Case("MatMul", (Drawn(dtype), _A.astype(dtype)), atol=1e-4)
        for dtype in ("float32", "float64")
    ],
    Case("MatMul", (Drawn(), np.ones(3, np.float32)), atol=1e-4, note="column"),
    Case("MatMul", (np.ones(3, np.float32), Drawn(shape=(3, 2))), atol=1e-4, note="row"),
    Case("MatMul", (_SQUARE, Drawn(shape=(3, 2))), atol=1e-3, note="batches"),
    *[
        Case("Einsum", (Drawn(), given), {"equation": equation}, atol=1e-4)
        for equation, given in (
            ("ij,jk->ik", _A),
            ("ij,kj->ik", _A.T.copy()),
            ("ij,ij->i", Drawn()),
        )
    ],
    Case("Einsum", (Drawn(),), {"equation": "ij->ji"}),
    Case("EyeLike", (Drawn(shape=(3, 4)),)),
    Case("EyeLike", (Drawn(),), {"dtype": TensorProto.DOUBLE, "k": 1}),
    Case("Trilu", (_SQUARE,)),
    Case("Trilu", (_SQUARE, np.int64(-1)), {"upper": 0}),
    Case("Trilu", (Drawn("int64", (ROWS, 3)), np.int64(1))),
    *[
        Case(
            "CDist",
            (Drawn(dtype, values=near(10.0)), _A.T.astype(dtype)),
            {"metric": metric},
            "com.microsoft",
            1,
            # onnxruntime itself rounds where distances are small beside what they lie between.
            atol=2e-3 if metric == "euclidean" else 2e-4,
            empty=False,
        )
        for dtype in ("float32", "float64")
        for metric in ("euclidean", "sqeuclidean")
    ],
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_matrices_are_what_onnxruntime_makes(case: Case) -> None:
    case.check()


@pytest.mark.parametrize("others", [3, 6000])
def test_distances_far_from_zero_are_those_that_a_row_has_in_float64(others: int) -> None:
    random = np.random.default_rng(0)
    rows, points = (1000.0 + random.random((many, 3)) for many in (5, others))
    rows, points = rows.astype(np.float32), points.astype(np.float32)
    wanted = np.square(rows[:, None].astype(np.float64) - points).sum(2)
    case = Case("CDist", (Drawn(), points), {"metric": "sqeuclidean"}, "com.microsoft", 1)
    (made,) = Wide(case.model(), case.specs())({"x0": rows})
    np.testing.assert_allclose(made, wanted, rtol=1e-5 if others == 3 else 1e-3, atol=1e-6)
