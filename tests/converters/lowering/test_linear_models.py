"""Linear models and support vector machines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.converters.lowering.cases import ML, ROWS, Case, Drawn, near
from tests.converters.lowering.engines import Wide

_RANDOM = np.random.default_rng(7)
_TAME = Drawn(values=near(3.0))
_DTYPES = ("float32", "float64", "int64", "int32")
_TRANSFORMS = ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO")


def _drawn(*shape: int, low: float = -1.0) -> list[float]:
    return [float(v) for v in np.float32(_RANDOM.uniform(low, 1.0, shape)).ravel()]


_NINE, _THREE = _drawn(3, 3), _drawn(3)


def _linear(kind: str, attributes: dict[str, Any], dtype: str = "float32", **more: Any) -> Case:
    outputs = 2 if kind.endswith("Classifier") else 1
    drawn = Drawn(dtype, values=near(more.pop("most", 3.0)))
    return Case(
        kind, (drawn,), attributes, ML, 1, outputs, rtol=1e-4, atol=more.pop("atol", 2e-5), **more
    )


def _chances(rows: int) -> dict[str, Any]:
    # Scores stay between 0 and 1, what the inverse of chances takes.
    return {
        "coefficients": [0.01] * (3 * rows),
        "intercepts": [0.3, 0.5, 0.6][:rows],
        "post_transform": "PROBIT",
    }


def _vectors(counts: list[int]) -> dict[str, Any]:
    total, classes = sum(counts), len(counts)
    pairs = classes * (classes - 1) // 2
    return {
        "vectors_per_class": counts,
        "support_vectors": _drawn(total, 3),
        "coefficients": _drawn(classes - 1, total),
        "rho": _drawn(pairs),
    }


def _calibrated(counts: list[int]) -> dict[str, Any]:
    pairs = len(counts) * (len(counts) - 1) // 2
    return {**_vectors(counts), "prob_a": _drawn(pairs), "prob_b": _drawn(pairs)}


_KERNELS = {
    "LINEAR": [0.0, 0.0, 0.0],
    "POLY": [0.5, 1.0, 3.0],
    "RBF": [0.25, 0.0, 0.0],
    "SIGMOID": [0.25, 0.5, 0.0],
}


def _kernel(name: str) -> dict[str, Any]:
    return {"kernel_type": name, "kernel_params": _KERNELS[name]}


_NAMES = ["a", "b", "c"]
CASES = (
    *[
        _linear("LinearRegressor", {"coefficients": _THREE, "intercepts": [0.5]}, dtype)
        for dtype in _DTYPES[:1]
    ],
    *[
        _linear("LinearRegressor", {"coefficients": _NINE, "targets": 3, "post_transform": how})
        for how in _TRANSFORMS
    ],
    _linear("LinearRegressor", {"coefficients": _THREE, "post_transform": "LOGISTIC"}),
    _linear("LinearRegressor", {**_chances(1), "targets": 1}, note="probit", atol=1e-3),
    *[
        _linear(
            "LinearClassifier",
            {"coefficients": _NINE, "intercepts": _THREE, "classlabels_strings": _NAMES},
            dtype,
        )
        for dtype in _DTYPES
    ],
    *[
        _linear(
            "LinearClassifier",
            {
                "coefficients": _NINE,
                "intercepts": _THREE,
                "classlabels_ints": [4, 5, 9],
                "post_transform": how,
            },
        )
        for how in _TRANSFORMS[1:]
    ],
    _linear(
        "LinearClassifier", {**_chances(3), "classlabels_ints": [0, 1, 2]}, note="probit", atol=1e-3
    ),
    *[
        _linear(
            "LinearClassifier",
            {"coefficients": _THREE, "intercepts": [0.25], kind: names, "post_transform": how},
        )
        for kind, names in (("classlabels_ints", [3, 5]), ("classlabels_strings", ["no", "yes"]))
        for how in ("NONE", "LOGISTIC")
    ],
    *[
        _linear(
            "SVMRegressor",
            {
                **_kernel(name),
                "support_vectors": _drawn(4, 3),
                "n_supports": 4,
                "coefficients": _drawn(4),
                "rho": [0.5],
                "one_class": one,
            },
        )
        for name in _KERNELS
        for one in (0, 1)
    ],
    _linear("SVMRegressor", {**_kernel("LINEAR"), "coefficients": _THREE, "rho": [0.5]}),
    *[
        _linear(
            "SVMClassifier",
            {**_kernel(name), **made(counts), "classlabels_strings": _NAMES[: len(counts)]},
        )
        for name in _KERNELS
        for made in (_vectors, _calibrated)
        for counts in ([2, 2], [2, 1, 3])
    ],
    *[
        _linear(
            "SVMClassifier",
            {
                **_kernel("RBF"),
                **made([1, 2, 1]),
                "classlabels_ints": [0, 1, 2],
                "post_transform": how,
            },
        )
        for made in (_vectors, _calibrated)
        for how in _TRANSFORMS[1:]
    ],
    _linear(
        "SVMClassifier",
        {
            **_kernel("RBF"),
            **_vectors([1, 2]),
            "classlabels_ints": [0, 1],
            "post_transform": "LOGISTIC",
        },
    ),
    _linear(
        "SVMClassifier",
        {**_kernel("RBF"), **_calibrated([2, 1, 3, 1, 2]), "classlabels_ints": [0, 1, 2, 3, 4]},
    ),
    *[
        _linear(
            "SVMClassifier",
            {
                **_kernel("LINEAR"),
                "coefficients": coefficients,
                "rho": [0.25],
                "classlabels_ints": names,
            },
        )
        for coefficients, names in ((_NINE, [0, 1, 2]), (_NINE[:6], [4, 5]), ([0.25] * 6, [4, 5]))
    ],
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_scores_and_labels_are_onnxruntimes(case: Case) -> None:
    case.check()


def _many_vectors(offset: float = 0.0) -> Case:
    vectors, features = 90, 200
    made = {
        "support_vectors": [offset + 0.1 * number for number in _drawn(vectors, features)],
        "n_supports": vectors,
        "coefficients": _drawn(vectors),
        "rho": [0.5],
    }
    attributes = {"kernel_type": "RBF", "kernel_params": [0.5, 0.0, 0.0], **made}
    drawn = Drawn(
        shape=(ROWS, features),
        values=near(0.125, (0.0,)).map(lambda v: float(np.float32(offset + v))),
    )
    return Case("SVMRegressor", (drawn,), attributes, ML, 1, rtol=1e-4, atol=2e-4)


@pytest.mark.parametrize("offset", [0.0, 8.0])
def test_rows_are_measured_from_many_vectors_too_wherever_these_lie(offset: float) -> None:
    _many_vectors(offset).check()


def test_memory_does_not_hold_the_difference_of_each_row_and_vector() -> None:
    case = _many_vectors()
    for operation in Wide(case.model(), case.specs()).graph.get_operations():
        assert all(tensor.shape.rank <= 2 for tensor in operation.outputs), operation.name
