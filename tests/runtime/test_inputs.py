"""What callers give is brought into the contract's form, or refused with the remedy."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from edgeship_runtime.bundle import InputSpec
from edgeship_runtime.errors import InputError
from edgeship_runtime.inputs import check_inputs

TABLE = InputSpec(name="table", dtype="float32", shape=(None, 2), feature_names=("a", "b"))
COUNTS = InputSpec(name="counts", dtype="int8", shape=(None,))
WORDS = InputSpec(name="words", dtype="string", shape=(None, 1))
IMAGE = InputSpec(name="image", dtype="float32", shape=(None, 4, 4, 1))


def refused(specs: list[InputSpec], given: object, *phrases: str) -> None:
    with pytest.raises(InputError) as caught:
        check_inputs(specs, given)
    said = str(caught.value)
    assert said.isprintable()
    for phrase in phrases:
        assert phrase in said, said


def one(spec: InputSpec, given: object) -> Any:
    return check_inputs([spec], given)[spec.name]


@pytest.mark.parametrize("given", [[[1, 2]], {"table": [[1, 2]]}, {"x": [[1, 2]]}])
def test_one_input_may_be_given_bare_or_by_its_name_or_as_x(given: object) -> None:
    checked = one(TABLE, given)
    assert checked.dtype == np.float32
    assert checked.tolist() == [[1.0, 2.0]]


def test_an_input_that_is_itself_called_x_goes_by_that_name_only() -> None:
    x = InputSpec(name="x", dtype="float32", shape=(None,))
    other = InputSpec(name="y", dtype="float32", shape=(None,))
    assert set(check_inputs([x, other], {"y": [1.0], "x": [2.0]})) == {"x", "y"}
    refused([x, other], {"x": [1.0]}, "input 'y' is missing")


def test_several_inputs_must_be_named() -> None:
    refused([TABLE, COUNTS], [[1, 2]], "'table', 'counts'", "mapping from name to array")


def test_a_missing_input_is_named() -> None:
    refused([TABLE, COUNTS], {"table": [[1, 2]]}, "input 'counts' is missing", "got 'table'")
    nothing: dict[str, object] = {}
    refused([TABLE], nothing, "input 'table' is missing", "got nothing")


def test_an_unknown_input_is_named() -> None:
    given: dict[object, object] = {"table": [[1, 2]], "tabel": [[1, 2]]}
    refused([TABLE], given, "there is no input 'tabel'", "takes 'table'")
    refused([TABLE], {**given, 3: 1}, "no input 'tabel', '3'")


def test_one_row_without_a_batch_axis_is_refused_with_the_remedy() -> None:
    refused([TABLE], [1.0, 2.0], "expects the shape (any, 2), got (2,)", "array[None]")
    refused([IMAGE], np.zeros((4, 4, 1)), "array[None]")


@pytest.mark.parametrize("shape", [(1, 3), (1, 1), (1, 2, 1), ()])
def test_another_shape_is_refused_with_both_shapes(shape: tuple[int, ...]) -> None:
    got = str(shape)
    refused([TABLE], np.zeros(shape), "expects the shape (any, 2)", got, "number of features")


@pytest.mark.parametrize(
    ("want", "got", "remedy"),
    [
        ((None, 28, 28, 1), (5, 1, 28, 28), "channels first: transpose with np.moveaxis(x, 1, -1)"),
        ((None, None, None, 3), (5, 3, 9, 7), "np.moveaxis(x, 1, -1)"),
        ((None, 3, 32, 32), (5, 32, 32, 3), "channels last: transpose with np.moveaxis(x, -1, 1)"),
        ((None, 49, 10), (5, 10, 49), "np.moveaxis(x, 1, -1)"),
        ((None, 28, 28, 1), (5, 28, 28), "the last axis is missing: add it with x[..., None]"),
        ((None, 28, 28, 1), (28, 28, 1), "array[None]"),
        ((None, 28, 28, 1), (5, 784), "flat: give them their axes with x.reshape(-1, 28, 28, 1)"),
        ((None, None, 28, 1), (5, 784), "check the order of the axes"),
        ((None, 28, 28, 1), (5, 32, 32, 1), "check the order of the axes"),
    ],
)
def test_axes_in_another_order_are_named_with_the_remedy(
    want: tuple[int | None, ...], got: tuple[int, ...], remedy: str
) -> None:
    spec = InputSpec(name="image", dtype="float32", shape=want)
    refused([spec], np.zeros(got), str(got), remedy)


def test_a_shape_with_a_fixed_batch_takes_just_that_many_rows() -> None:
    fixed = InputSpec(name="fixed", dtype="float32", shape=(2, 1))
    assert len(one(fixed, [[1], [2]])) == 2
    refused([fixed], [[1]], "expects the shape (2, 1)")


def test_rows_of_unlike_length_are_refused() -> None:
    refused([TABLE], [[1, 2], [3]], "'table' is not a regular array")


def test_integers_that_do_not_fit_are_refused_with_their_range() -> None:
    assert one(COUNTS, [-128, 127]).dtype == np.int8
    refused([COUNTS], [0, 128], "takes int8", "from 0 to 128")
    refused([COUNTS], np.array([-129]), "from -129 to -129")
    unsigned = InputSpec(name="u", dtype="uint64", shape=(None,))
    refused([unsigned], [-1], "takes uint64")
    refused([unsigned], [2**64], "takes uint64, got numbers that no array can hold")
    assert one(unsigned, np.array([2**64 - 1], np.uint64)).tolist() == [2**64 - 1]


@pytest.mark.parametrize("given", [[1.0], np.array([1.0], np.float32), [1 + 0j], ["1"], [b"1"]])
def test_what_is_not_an_integer_is_not_made_one_unseen(given: object) -> None:
    refused([COUNTS], given, "'counts' takes int8, got", "convert it first")


@pytest.mark.parametrize("dtype", ["float16", "float64", "int64", "uint8", "bool", ">f4"], ids=str)
def test_numbers_become_floats(dtype: str) -> None:
    checked = one(TABLE, np.array([[0, 1]], dtype))
    assert checked.dtype == np.float32
    assert checked.dtype.isnative
    assert checked.tolist() == [[0.0, 1.0]]


def test_a_number_too_large_for_the_contract_is_refused_like_an_infinity() -> None:
    refused([TABLE], np.array([[1.0, 1e300]]), "NaN or infinite", "row 0, column 'b'")


def test_text_is_not_made_a_number_unseen() -> None:
    refused([TABLE], [["1", "2"]], "takes float32, got <U1")
    refused([TABLE], np.array([["1", 2]], object), "takes numbers, got '1' in row 0")


def test_strings_of_any_length_and_kind_are_taken() -> None:
    for given in ([["a"], ["long one"]], np.array([["a"], ["long one"]], object)):
        checked = one(WORDS, given)
        assert checked.dtype.kind == "U"
        assert checked.tolist() == [["a"], ["long one"]]


@pytest.mark.parametrize("odd", [3.5, b"bytes"])
def test_what_is_not_a_string_is_not_made_one_unseen(odd: object) -> None:
    refused([WORDS], np.array([["a"], [odd]], object), "takes text, got", "in row 1")


@pytest.mark.parametrize("gone", [None, float("nan")])
def test_missing_text_is_refused_where_the_model_is_not_proven_on_it(gone: object) -> None:
    refused([WORDS], np.array([["a"], [gone]], object), "no value in row 1", "missing values")
    able = InputSpec(name="words", dtype="string", shape=(None, 1), missing=True)
    assert one(able, np.array([["a"], [gone]], object)).tolist() == [["a"], [""]]


def test_missing_numbers_are_taken_where_the_model_is_proven_on_them() -> None:
    able = InputSpec(name="x", dtype="float32", shape=(None, 2), missing=True)
    checked = one(able, np.array([[1, None], [2.5, 3]], object))
    assert np.isnan(checked[0, 1])
    assert checked.dtype == np.float32
    refused([able], [[1.0, float("inf")]], "infinite", "row 0")


class Frame:
    """As much of a data frame as pandas's and polars's have in common."""

    columns = ("b", "a", "left over")

    def __getitem__(self, name: str) -> list[Any]:
        columns: dict[str, list[Any]] = {"a": [1, 2], "b": [3.5, None], "left over": ["p", "q"]}
        return columns[name]


def test_frames_records_and_columns_are_taken_by_name() -> None:
    able = InputSpec(name="x", dtype="float32", shape=(None, 2), feature_names=("a", "b"))
    records = [{"a": 1, "b": 3.5}, {"b": 4, "a": 2, "left over": "p"}]
    assert one(able, records).tolist() == [[1.0, 3.5], [2.0, 4.0]]
    assert one(able, {"b": [3.5], "a": [1]}).tolist() == [[1.0, 3.5]]
    refused([able], Frame(), "NaN", "row 1, column 'b'")
    refused([able], [{"a": 1}], "'b' are missing")
    columns = [
        InputSpec(name="a", dtype="int64", shape=(None,)),
        InputSpec(name="b", dtype="float32", shape=(None,), missing=True),
    ]
    checked = check_inputs(columns, Frame())
    assert checked["a"].tolist() == [1, 2]
    assert np.isnan(checked["b"][1])


def test_nan_and_infinity_are_refused_with_row_and_column() -> None:
    rows = np.zeros((5, 2))
    rows[3, 1] = np.nan
    refused([TABLE], rows, "1 row is affected, first row 3, column 'b'", "fill or drop")
    rows[1, 0] = -np.inf
    refused([TABLE], rows, "2 rows are affected, first row 1, column 'a'")


def test_a_column_without_a_name_goes_by_its_number() -> None:
    bare = InputSpec(name="bare", dtype="float64", shape=(None, None))
    refused([bare], [[0.0, np.nan]], "row 0, column '1'")
    refused([InputSpec(name="v", dtype="float64", shape=(None,))], [0.0, np.nan], "first row 1)")
    refused([IMAGE], np.full((1, 4, 4, 1), np.nan), "first row 0)")


def test_missing_values_may_be_let_through() -> None:
    assert np.isnan(check_inputs([TABLE], [[np.nan, 1]], finite=False)["table"][0, 0])


def test_unlike_numbers_of_rows_are_refused() -> None:
    given = {"table": np.zeros((2, 2)), "counts": [1, 2, 3]}
    refused([TABLE, COUNTS], given, "('table' 2, 'counts' 3)")


def test_no_rows_are_fine() -> None:
    assert one(TABLE, np.empty((0, 2))).shape == (0, 2)
    assert one(COUNTS, np.empty(0, np.int64)).dtype == np.int8


def test_what_is_given_is_not_changed() -> None:
    given = {"x": np.array([[1.0, 2.0]])}
    kept = given["x"].copy()
    one(TABLE, given)
    assert list(given) == ["x"]
    assert re.match("float64", str(given["x"].dtype))
    assert np.array_equal(given["x"], kept)
