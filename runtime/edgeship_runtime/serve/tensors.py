"""Tensors as the protocol writes them in JSON, to arrays and back.

Nothing is converted unseen: data that is not of its declared datatype is refused here, and a
datatype that is not the contract's is left to `check_inputs`, which knows what may be cast.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from typing import Any

import msgspec
import numpy as np

from edgeship_runtime.arrays import Array, numpy_dtype
from edgeship_runtime.bundle.manifest import DType
from edgeship_runtime.errors import InputError

DATATYPES: dict[DType, str] = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
    "string": "BYTES",
}
_DTYPES: dict[str, DType] = {datatype: dtype for dtype, datatype in DATATYPES.items()}
# JSON has no word for NaN, which is a missing number: null.
_SCALARS: dict[str, Any] = {"b": bool, "i": int, "u": int, "f": float | None, "U": str}
_NESTED = re.compile(rb"\s*\[\s*\[")
# As many as the oldest numpy that we run on can hold.
_MAX_AXES = 32
_MAX_SIZE = (1 << 63) - 1
# numpy gives every string of an array the room of the longest one, so that one long string among
# many short ones would take far more memory than its request.
_MAX_STRING_BYTES = 256 << 20


def decode_tensor(name: str, datatype: str, shape: list[int], data: bytes | memoryview) -> Array:
    """The array that an input of a request stands for.

    Args:
        name: the input's name, for messages.
        datatype: the protocol's name of the dtype, such as `FP32`.
        shape: the declared shape.
        data: the JSON of the values, flat or nested, in row-major order.

    Returns:
        An array of the declared datatype and shape.

    Raises:
        InputError: where datatype, shape and data do not belong together.

    >>> decode_tensor("x", "INT32", [2, 2], b"[[1, 2], [3, 4]]").tolist()
    [[1, 2], [3, 4]]
    >>> decode_tensor("x", "INT32", [2, 2], b"[1, 2, 3, 4]").tolist()
    [[1, 2], [3, 4]]
    """
    if datatype not in _DTYPES:
        raise InputError(
            f"input {name!r} has the unknown datatype {datatype!r}: "
            f"expected one of {', '.join(_DTYPES)}"
        )
    if not 1 <= len(shape) <= _MAX_AXES or min(shape) < 0 or max(shape) > _MAX_SIZE:
        raise InputError(
            f"input {name!r} does not declare a shape: expected 1 to {_MAX_AXES} sizes, "
            "none of them negative, the first one the number of rows"
        )
    dtype = numpy_dtype(_DTYPES[datatype])
    values = _values(name, datatype, shape, data, _SCALARS[dtype.kind])
    count = math.prod(shape)
    if len(values) != count:
        raise InputError(
            f"input {name!r} has the shape {shape}, so {count} values, but its data holds "
            f"{len(values)}: give as many as the shape says"
        )
    _check_values(name, datatype, dtype, values)
    with np.errstate(over="ignore"):
        array = np.array(values, dtype)
    try:
        return array.reshape(shape)
    except (ValueError, OverflowError) as error:
        raise InputError(f"input {name!r} has the shape {shape}: no array can have it") from error


def encode_tensor(array: Array) -> list[Any]:
    """An array's values, flat, in row-major order, as JSON can write them.

    Raises:
        ValueError: for NaN and infinities, which JSON has no words for.
    """
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError("the array holds NaN or infinite values")
    values: list[Any] = array.reshape(-1).tolist()
    return values


def _values(
    name: str, datatype: str, shape: list[int], data: bytes | memoryview, scalar: Any
) -> list[Any]:
    nested = _NESTED.match(data) is not None
    try:
        values = _decoder(scalar, len(shape) if nested else 1).decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            f"the data of input {name!r} is not a list of {datatype}, flat or nested by its shape "
            f"{shape}: {error}"
        ) from error
    return _flatten(name, shape, values) if nested else values


@functools.cache
def _decoder(scalar: Any, depth: int) -> msgspec.json.Decoder[list[Any]]:
    kind: Any = scalar
    for _ in range(depth):
        kind = list[kind]
    return msgspec.json.Decoder(kind)


def _flatten(name: str, shape: list[int], values: list[Any]) -> list[Any]:
    for axis, size in enumerate(shape):
        if axis > 0:
            values = list(itertools.chain.from_iterable(values))
        inner = shape[axis + 1] if axis + 1 < len(shape) else None
        regular = inner is None or all(len(item) == inner for item in values)
        if (axis == 0 and len(values) != size) or not regular:
            raise InputError(
                f"the data of input {name!r} is not nested by its shape {shape}: "
                "give lists of those lengths, or one flat list in row-major order"
            )
    return values


def _check_values(name: str, datatype: str, dtype: np.dtype[Any], values: list[Any]) -> None:
    if not values:
        return
    if dtype.kind in "iu":
        limits, low, high = np.iinfo(dtype), min(values), max(values)
        if low < limits.min or high > limits.max:
            raise InputError(
                f"input {name!r} is declared {datatype}, but holds values outside "
                f"{limits.min} to {limits.max}: declare a wider datatype, or bring them into range"
            )
    if dtype.kind == "U":
        longest = max(map(len, values))
        if longest * len(values) * np.dtype("U1").itemsize > _MAX_STRING_BYTES:
            raise InputError(
                f"input {name!r} holds {len(values)} strings of up to {longest} characters: "
                "send fewer rows at once, or shorter strings"
            )
