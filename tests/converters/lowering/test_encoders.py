"""Operators that put numbers or words in place of others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from onnx import numpy_helper

from edgeship_converters.steps.lowering.word_tables import places_of_words, tables_of
from tests.converters.lowering.cases import ML, Case, Drawn, near, some
from tests.converters.lowering.engines import Wide

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


_MANY = np.random.default_rng(0).permutation(300)
_QUARTERS = [*(_MANY / 4.0).tolist(), 1.0, float("nan"), float("inf")]
_NUMBERED: dict[str, Any] = {"values_int64s": np.arange(303), "default_int64": -5}
_QUARTER = near(80.0, (0.0, -0.0, 1.0, 0.25, 74.75, float("nan"), float("inf"), -float("inf")))


@pytest.mark.parametrize(
    "case",
    [
        _labels(
            Drawn("string", values=some("w0", "w1", "w299", "w300", "")),
            {"keys_strings": [*(f"w{k}" for k in _MANY), "w1", "w2", "w3"], **_NUMBERED},
        ),
        _labels(
            Drawn("int64", values=near(400.0, (0.0, 299.0, 2.0**40))),
            {"keys_int64s": [*_MANY, 2**40, 3, 5], **_NUMBERED},
        ),
        *[
            Case(
                "LabelEncoder",
                (Drawn(values=_QUARTER),),
                {"keys_floats": _QUARTERS, **_NUMBERED},
                ML,
                opset,
                narrow=False,
            )
            for opset in (2, 4)
        ],
        Case(
            "OneHotEncoder",
            (Drawn("string", values=some("w0", "w299", "w300")),),
            {"cats_strings": [f"w{k}" for k in _MANY], "zeros": 1},
            ML,
            1,
        ),
    ],
    ids=["words", "whole numbers", "floats", "floats and NaN", "one hot"],
)
def test_a_value_is_found_among_many_keys_too(case: Case) -> None:
    case.check(12)


@pytest.mark.parametrize("kind", ["strings", "int64s"])
def test_a_savedmodel_compares_no_value_with_each_of_many_keys(kind: str) -> None:
    many = 5003
    keys = [f"w{k}" for k in range(many)] if kind == "strings" else list(range(many))
    given = {"strings": _WORDS, "int64s": _INTS}[kind]
    case = _labels(given, {f"keys_{kind}": keys, "values_floats": [0.5] * many})
    for operation in Wide(case.model(), case.specs()).graph.get_operations():
        for tensor in operation.outputs:
            assert many not in tensor.shape or tensor.shape.is_fully_defined(), operation.name


def test_the_tables_of_loops_are_found_with_the_whole_graphs() -> None:
    keys = np.array(["a", "b", "a"], object)

    def serve(words: Any) -> Any:
        return tf.map_fn(lambda word: places_of_words(word, keys), words, tf.int32)

    traced = tf.function(serve).get_concrete_function(tf.TensorSpec([None], tf.string))
    assert len(tables_of(traced)) == 1
    assert traced(tf.constant(["b", "?", "a"])).numpy().tolist() == [1, 3, 0]
