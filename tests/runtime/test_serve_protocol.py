"""Requests and answers of the Open Inference Protocol, without a server."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgeship_runtime.arrays import Array, dtype_name
from edgeship_runtime.bundle import OutputSpec
from edgeship_runtime.errors import InputError
from edgeship_runtime.serve.protocol import (
    decode_request,
    request_arrays,
    requested_outputs,
)
from edgeship_runtime.serve.tensors import DATATYPES, decode_tensor, encode_tensor

OUTPUTS = (
    OutputSpec(name="label", dtype="int64", shape=(None,), role="label"),
    OutputSpec(name="probabilities", dtype="float32", shape=(None, 2), role="probabilities"),
)


def tensor(datatype: str, shape: list[int], data: object) -> Array:
    return decode_tensor("x", datatype, shape, json.dumps(data).encode())


def request(**fields: Any) -> bytes:
    given = {"name": "x", "shape": [1], "datatype": "FP32", "data": [1]}
    return json.dumps({"inputs": [given], **fields}).encode()


@pytest.mark.parametrize(
    ("datatype", "dtype", "values"),
    [
        ("BOOL", "bool", [True, False]),
        ("UINT8", "uint8", [0, 255]),
        ("UINT16", "uint16", [0, 65535]),
        ("UINT32", "uint32", [0, 2**32 - 1]),
        ("UINT64", "uint64", [0, 2**64 - 1]),
        ("INT8", "int8", [-128, 127]),
        ("INT16", "int16", [-32768, 32767]),
        ("INT32", "int32", [-(2**31), 2**31 - 1]),
        ("INT64", "int64", [-(2**63), 2**63 - 1]),
        ("FP16", "float16", [0.5, -65504.0]),
        ("FP32", "float32", [0.5, 1.0]),
        ("FP64", "float64", [0.1, 1e300]),
    ],
)
def test_every_datatype_reaches_its_dtype_with_its_extremes(
    datatype: str, dtype: str, values: list[Any]
) -> None:
    array = tensor(datatype, [2], values)
    assert array.dtype == np.dtype(dtype)
    assert array.tolist() == values


def test_bytes_are_strings() -> None:
    array = tensor("BYTES", [2, 1], [["low"], ["grün"]])
    assert array.dtype.kind == "U"
    assert array.tolist() == [["low"], ["grün"]]


def test_whole_numbers_are_floats_where_floats_are_declared() -> None:
    assert tensor("FP32", [2], [1, 2]).tolist() == [1.0, 2.0]


def test_flat_and_nested_data_mean_the_same() -> None:
    flat = tensor("INT32", [2, 3, 2], list(range(12)))
    nested = tensor("INT32", [2, 3, 2], flat.tolist())
    assert np.array_equal(flat, nested)


def test_a_batch_of_no_rows_is_one() -> None:
    assert tensor("FP32", [0, 3], []).shape == (0, 3)


@given(
    hnp.arrays(
        st.sampled_from([np.dtype(name) for name in DATATYPES if name != "string"]),
        hnp.array_shapes(max_dims=4, max_side=4, min_side=0),
        elements={"allow_nan": False, "allow_infinity": False},
    ),
    st.booleans(),
)
def test_every_array_survives_the_way_through_json(array: Array, nested: bool) -> None:
    values = array.tolist() if nested else encode_tensor(array)
    data = msgspec.json.encode(values)
    # No list says how long the lists are that it does not hold: such data is flat and empty.
    if array.size == 0:
        data = b"[]"
    back = decode_tensor("x", DATATYPES[dtype_name(array.dtype)], list(array.shape), data)
    assert back.dtype == array.dtype
    assert np.array_equal(back, array)


@pytest.mark.parametrize(
    ("datatype", "shape", "data", "message"),
    [
        ("FP32", [2], [1.0], "holds 1: give as many"),
        ("FP32", [2, 2], [[1.0, 2.0], [3.0]], "not nested by its shape"),
        ("FP32", [2, 2], [[1.0, 2.0, 3.0, 4.0]], "not nested by its shape"),
        ("FP32", [2, 2], [[[1.0, 2.0], [3.0, 4.0]]], "Expected `float | null`, got `array`"),
        ("FP32", [4], [[1.0, 2.0], [3.0, 4.0]], "Expected `float | null`, got `array`"),
        ("FP32", [1], 1.0, "Expected `array`"),
        ("FP32", [1], ["1.0"], "Expected `float | null`, got `str`"),
        ("INT32", [1], [None], "Expected `int`, got `null`"),
        ("INT32", [1], [1.5], "Expected `int`, got `float`"),
        ("INT32", [1], [2**31], "outside -2147483648 to 2147483647"),
        ("UINT8", [1], [-1], "outside 0 to 255"),
        ("UINT64", [1], [2**64], "outside 0 to"),
        ("BOOL", [1], [1], "Expected `bool`"),
        ("BYTES", [1], [1], "Expected `str`"),
        ("BF16", [1], [1.0], "unknown datatype 'BF16'"),
        ("fp32", [1], [1.0], "unknown datatype 'fp32'"),
        ("FP32", [], [1.0], "does not declare a shape"),
        ("FP32", [-1], [1.0], "does not declare a shape"),
        ("FP32", [1] * 40, [1.0], "does not declare a shape"),
        ("FP32", [10**4000] * 32, [1.0], "does not declare a shape"),
        ("FP32", [2**62] * 32, [1.0], "holds 1: give as many"),
        ("FP32", [0, 2**62, 2**62], [], "no array can have it"),
    ],
)
def test_data_that_does_not_fit_its_declaration_is_refused(
    datatype: str, shape: list[int], data: object, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        tensor(datatype, shape, data)


def test_strings_that_would_take_far_more_memory_than_their_request_are_refused() -> None:
    with pytest.raises(InputError, match="fewer rows at once"):
        tensor("BYTES", [1001], ["x" * 100_000] + [""] * 1000)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_json_cannot_carry_is_not_written(value: float) -> None:
    with pytest.raises(ValueError, match="NaN or infinite"):
        encode_tensor(np.array([1.0, value]))


def test_a_request_may_hold_fields_that_nobody_knows() -> None:
    body = request(id="7", priority=3, parameters={"sequence_id": 9}, outputs=[{"name": "label"}])
    assert decode_request(body).id == "7"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"\xff",
        b'{"inputs": [], "id": "\xff"}',
        b'{"inputs": [], "id": 7}',
        b'{"inputs": [{"name": "x", "shape": [1], "data": [1]}]}',
        b'{"inputs": [], "extra": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_a_body_that_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(InputError, match="not an inference request in JSON"):
        decode_request(body)


def test_an_input_given_twice_is_refused() -> None:
    one = {"name": "x", "shape": [1], "datatype": "FP32", "data": [1]}
    with pytest.raises(InputError, match="given twice"):
        request_arrays(decode_request(request(inputs=[one, one])))


def test_binary_tensors_are_refused_with_the_way_to_send_json() -> None:
    binary = {
        "name": "x",
        "shape": [1],
        "datatype": "FP32",
        "parameters": {"binary_data_size": 4},
    }
    with pytest.raises(InputError, match="binary_data=False"):
        request_arrays(decode_request(request(inputs=[binary])))


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (None, ["label", "probabilities"]),
        ([], ["label", "probabilities"]),
        ([{"name": "probabilities"}], ["probabilities"]),
        ([{"name": "probabilities"}, {"name": "label"}], ["probabilities", "label"]),
        ([{"name": "label"}, {"name": "label"}], ["label"]),
    ],
)
def test_the_outputs_asked_for_are_those_given(asked: object, names: list[str]) -> None:
    assert requested_outputs(OUTPUTS, decode_request(request(outputs=asked))) == names


def test_an_output_that_the_model_does_not_have_is_refused_with_those_it_has() -> None:
    asked = decode_request(request(outputs=[{"name": "score"}]))
    with pytest.raises(InputError, match="no output 'score': the model gives 'label', 'prob"):
        requested_outputs(OUTPUTS, asked)
