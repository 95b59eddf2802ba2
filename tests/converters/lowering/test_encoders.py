"""Operators that put numbers or words in place of others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import numpy_helper

from tests.converters.lowering.cases import ML, Case, Drawn, near, some

_WORDS = Drawn("string", values=some("a", "b", "zz", "nowhere", ""))
_INTS = Drawn("int64", values=some(0, 3, 7, -2, 100))
_FLOATS = Drawn(values=some(0.0, -0.0, 0.5, 3.0, float("nan"), 1e30))
_DOUBLES = Drawn("float64", values=some(0.0, 0.5, 3.0, float("nan")))


def _labels(given: Drawn, attributes: dict[str, object], opset: int = 2) -> Case:
    return Case("LabelEncoder", (given,), attributes, ML, opset)


_KEYS = {
    "strings": (_WORDS, ["a", "zz", "b"]),
    "int64s": (_INTS, [3, 7, 0]),
    "floats": (_FLOATS, [0.5, float("nan"), 3.0]),
}
_VALUES: dict[str, tuple[Any, dict[str, Any]]] = {
    "strings": (["u", "v", "w"], {"default_string": "none"}),
    "int64s": ([5, 6, 7], {"default_int64": -9}),
    "floats": ([0.1, 0.2, 0.3], {"default_float": 9.5}),
}

CASES = (
    *[
        _labels(
            given, {f"keys_{keys}": known, f"values_{values}": table, **(default if told else {})}
        )
        for keys, (given, known) in _KEYS.items()
        for values, (table, default) in _VALUES.items()
        for told in (False, True)
        if keys != values
    ],
    _labels(_WORDS, {"keys_strings": ["a", "b", "a"], "values_int64s": [1, 2, 3]}),
    _labels(_FLOATS, {"keys_floats": [0.5, float("nan")], "values_int64s": [3, 4]}, 4),
    _labels(_WORDS, {"keys_strings": ["a", "b"], "values_strings": ["b", "c"]}, 4),
    _labels(
        _DOUBLES,
        {
            "keys_tensor": numpy_helper.from_array(np.array([0.5, np.nan])),
            "values_tensor": numpy_helper.from_array(np.array([0.25, 4.0])),
            "default_tensor": numpy_helper.from_array(np.array([-1.5])),
        },
        4,
    ),
    _labels(
        _WORDS,
        {
            "keys_tensor": numpy_helper.from_array(np.array(["a", "b"], object)),
            "values_tensor": numpy_helper.from_array(np.array([3, 4], np.int16)),
            "default_tensor": numpy_helper.from_array(np.array([-7], np.int16)),
        },
        4,
    ),
    _labels(_WORDS, {"classes_strings": ["a", "zz"], "default_int64": 5}, 1),
    _labels(_INTS, {"classes_strings": ["a", "zz"], "default_string": "?"}, 1),
    *[
        Case(
            "CategoryMapper", (given,), {"cats_strings": ["a", "zz"], "cats_int64s": [7, 3]}, ML, 1
        )
        for given in (_WORDS, _INTS)
    ],
    Case("OneHotEncoder", (_WORDS,), {"cats_strings": ["a", "zz", "b"], "zeros": 1}, ML, 1),
    *[
        Case(
            "OneHotEncoder",
            (Drawn(dtype, values=near(4.0, (0.0, 1.0, 3.0))),),
            {"cats_int64s": [3, 0, -1], "zeros": 1},
            ML,
            1,
        )
        for dtype in ("int64", "float32", "float64")
    ],
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_stands_for_a_value_is_what_onnxruntime_puts_there(case: Case) -> None:
    case.check()
