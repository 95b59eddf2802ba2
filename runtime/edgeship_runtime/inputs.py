"""What callers give, checked against the contract before any engine sees it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from edgeship_runtime.arrays import Array, numpy_dtype
from edgeship_runtime.bundle.manifest import InputSpec
from edgeship_runtime.errors import InputError
from edgeship_runtime.tables import (
    MISSING_TEXT,
    aligned,
    as_column,
    by_column,
    columns_of,
    from_columns,
    is_missing,
    plain,
)

ANY_NAME = "x"


def check_inputs(
    specs: Sequence[InputSpec], given: object, *, finite: bool = True
) -> dict[str, Array]:
    """Bring `given` into the contract's form, or say what is wrong with it.

    Args:
        specs: the contract's inputs.
        given: a mapping from input name to array; for a model with one input also the bare array,
            or that array under the name `x`; a data frame, a list of records, or a mapping of
            columns, where the model takes columns or knows its features by name.
        finite: whether NaN and infinities are refused; NaN is welcome where the contract says so.

    Returns:
        One array for each input, in the contract's dtype, all with the same number of rows.

    Raises:
        InputError: for a missing or unknown name, a dtype that would lose values, a shape that
            does not fit, unlike numbers of rows, or values that are not finite.
    """
    named = by_name(specs, given)
    arrays = {spec.name: _check_one(spec, named[spec.name], finite=finite) for spec in specs}
    rows = {name: len(array) for name, array in arrays.items()}
    if len(rows) > 1 and len(set(rows.values())) > 1:
        counts = ", ".join(f"{name!r} {count}" for name, count in rows.items())
        raise InputError(f"inputs have unlike numbers of rows ({counts}): give as many of each")
    return arrays


def by_name(specs: Sequence[InputSpec], given: object) -> dict[str, Any]:
    """What is given, by input name; see `check_inputs`, which checks it too.

    Raises:
        InputError: for a missing or unknown name.
    """
    names = [spec.name for spec in specs]
    table = columns_of(given)
    if table is not None:
        return from_columns(specs, table)
    if not isinstance(given, Mapping):
        if by_column(specs) and isinstance(given, np.ndarray) and given.shape[1:] == (len(specs),):
            columns = zip(specs, given.T, strict=True)
            return {spec.name: as_column(spec, column) for spec, column in columns}
        if len(specs) > 1:
            raise InputError(
                f"the model has the inputs {_join(names)}: give a mapping from name to array"
            )
        return {names[0]: given}
    if len(specs) == 1 and set(given) == {ANY_NAME}:
        return {names[0]: given[ANY_NAME]}
    features = specs[0].feature_names if len(specs) == 1 else ()
    if features and names[0] not in given and set(features) <= set(aligned(features, given)):
        return from_columns(specs, given)
    missing = [name for name in names if name not in given]
    unknown = [str(name) for name in given if name not in names]
    if missing or unknown:
        what = (
            f"input {_join(missing)} is missing"
            if missing
            else f"there is no input {_join(unknown)}"
        )
        raise InputError(f"{what}: the model takes {_join(names)}, got {_join(given) or 'nothing'}")
    return dict(given)


def _check_one(spec: InputSpec, given: object, *, finite: bool) -> Array:
    try:
        # Among words numpy would make a word of what is missing.
        words = spec.dtype == "string" and isinstance(given, list | tuple)
        array = np.asarray(given, object if words else None)
    except ValueError as error:
        raise InputError(f"input {spec.name!r} is not a regular array: {error}") from error
    _check_shape(spec, array)
    array = _cast(spec, plain(spec, array))
    if spec.closed:
        _check_known(spec, array)
    if finite and array.dtype.kind == "f":
        wrong = np.isinf(array) if spec.missing else ~np.isfinite(array)
        if wrong.any():
            raise InputError(_not_finite(spec, wrong))
    return array


def _check_known(spec: InputSpec, array: Array) -> None:
    """Refuse a category that the source model refuses."""
    known = _known(spec.categories, spec.missing)
    # For a few rows a set is many times as fast as numpy's search.
    unknown = [
        value not in known and not (spec.missing and is_missing(value)) for value in array.tolist()
    ]
    if any(unknown):
        row = unknown.index(True)
        shown = ", ".join(repr(category) for category in spec.categories[:6])
        more = f" and {len(spec.categories) - 6} more" if len(spec.categories) > 6 else ""
        raise InputError(
            f"input {spec.name!r} holds {array[row].item()!r} in row {row}, which the model does "
            f"not know and refuses: expected {shown}{more}"
        )


@cache
def _known(categories: tuple[Any, ...], missing: bool) -> frozenset[Any]:
    return frozenset({*categories, MISSING_TEXT} if missing else categories)


def _check_shape(spec: InputSpec, array: Array) -> None:
    if _fits(spec.shape, array.shape):
        return
    remedy = _shape_remedy(spec.shape, array.shape)
    want = "(" + ", ".join("any" if size is None else str(size) for size in spec.shape) + ")"
    raise InputError(f"input {spec.name!r} expects the shape {want}, got {array.shape}: {remedy}")


def _fits(want: Sequence[int | None], got: Sequence[int]) -> bool:
    if len(want) != len(got):
        return False
    for size, have in zip(want, got, strict=True):
        if size is not None and size != have:
            return False
    return True


def _shape_remedy(want: Sequence[int | None], got: Sequence[int]) -> str:
    if len(got) > 2 and _fits(want, (got[0], *got[2:], got[1])):
        return "these have the channels first: transpose with np.moveaxis(x, 1, -1)"
    if len(got) > 2 and _fits(want, (got[0], got[-1], *got[1:-1])):
        return "these have the channels last: transpose with np.moveaxis(x, -1, 1)"
    if _fits(want[1:], got):
        return "the first axis counts rows, so give one row as array[None]"
    if want[-1:] == (1,) and _fits(want[:-1], got):
        return "the last axis is missing: add it with x[..., None]"
    if len(got) == 2 < len(want) and want[-1] == 1 and got[1] == _size(want[1:]):
        sizes = ", ".join(str(size) for size in want[1:])
        return f"these rows are flat: give them their axes with x.reshape(-1, {sizes})"
    return "check the order of the axes and the number of features"


def _size(shape: Sequence[int | None]) -> int | None:
    """How many values a shape holds; None where an axis is free."""
    return None if None in shape else math.prod(size or 0 for size in shape)


def _cast(spec: InputSpec, array: Array) -> Array:
    want = numpy_dtype(spec.dtype)
    if array.dtype == want:
        return array
    if want.kind == "U" and array.dtype.kind in "UT":
        return array.astype(np.str_)
    if want.kind == "b" and array.dtype.kind in "iu" and np.isin(array, (0, 1)).all():
        return array.astype(want)
    if want.kind == "f" and array.dtype.kind in "fiub":
        with np.errstate(over="ignore"):
            return array.astype(want)
    if want.kind in "iu" and array.dtype.kind in "iub":
        if array.size:
            limits = np.iinfo(want)
            low, high = int(array.min()), int(array.max())
            if low < limits.min or high > limits.max:
                raise InputError(
                    f"input {spec.name!r} takes {spec.dtype}, got values from {low} to {high}: "
                    "bring them into range first"
                )
        return array.astype(want)
    raise InputError(
        f"input {spec.name!r} takes {spec.dtype}, got {array.dtype}: "
        "convert it first, so that no value changes unseen"
    )


def _not_finite(spec: InputSpec, wrong: Array) -> str:
    row, *rest = (int(index) for index in np.argwhere(wrong)[0])
    rows = int(wrong.reshape(len(wrong), -1).any(axis=1).sum())
    where = f"row {row}"
    if len(rest) == 1:
        named = rest[0] < len(spec.feature_names)
        name = spec.feature_names[rest[0]] if named else str(rest[0])
        where += f", column {name!r}"
    count = "1 row is" if rows == 1 else f"{rows} rows are"
    affected = f"({count} affected, first {where})"
    if spec.missing:
        return (
            f"input {spec.name!r} holds infinite values {affected}: "
            "a missing value is NaN, check the scale of any other"
        )
    return (
        f"input {spec.name!r} holds NaN or infinite values {affected}: "
        "this model was not proven on missing values, fill or drop those rows"
    )


def _join(names: Any) -> str:
    return ", ".join(repr(str(name)) for name in names)
