"""Rows by column name, as data frames, records and files hold them, to the inputs of a model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle.manifest import InputSpec
from edgeship_runtime.errors import InputError

# What a text input holds for a missing value, as no engine has text that is missing.
MISSING_TEXT = ""


def columns_of(given: object) -> dict[str, Any] | None:
    """The columns of a data frame (pandas, polars) or of records; None for anything else.

    >>> columns_of([{"age": 3, "city": "Oslo"}, {"age": 5}])
    {'age': array([3, 5], dtype=object), 'city': array(['Oslo', None], dtype=object)}
    """
    if hasattr(given, "columns") and hasattr(given, "__getitem__"):
        return {str(name): np.asarray(given[name]) for name in given.columns}
    if not isinstance(given, list | tuple) or not given:
        return None
    if not all(isinstance(row, Mapping) for row in given):
        return None
    names = dict.fromkeys(str(name) for row in given for name in row)
    return {name: np.array([row.get(name) for row in given], object) for name in names}


def by_column(specs: Sequence[InputSpec]) -> bool:
    """Whether each input of a model is a column of a table.

    Of several inputs a column may also have an axis of one, as in files of skl2onnx.
    """
    axes = ((), (1,)) if len(specs) > 1 else ((),)
    return all(spec.shape[1:] in axes for spec in specs)


def as_column(spec: InputSpec, values: Any) -> Any:
    """A column of a table with the axes that the input has."""
    array = np.asarray(values)
    return array[:, None] if len(spec.shape) == 2 and array.ndim == 1 else values


def from_columns(specs: Sequence[InputSpec], columns: Mapping[str, Any]) -> dict[str, Any]:
    """A model's inputs from a table: one for each column, or its only one of all features.

    Columns that the model does not take are left aside, unless it has no names for its features.

    Raises:
        InputError: where a column is missing, or there are too few or many of them.
    """
    columns = aligned(columns_wanted(specs), columns)
    if by_column(specs):
        _check_there([spec.name for spec in specs], columns)
        return {spec.name: as_column(spec, columns[spec.name]) for spec in specs}
    if len(specs) != 1:
        names = ", ".join(repr(spec.name) for spec in specs)
        raise InputError(f"one table cannot fill the inputs {names}: give an array for each")
    (spec,) = specs
    features = spec.feature_names or tuple(columns)
    _check_there(features, columns)
    sizes = [size for size in spec.shape[1:] if size is not None]
    if len(sizes) == len(spec.shape) - 1 and math.prod(sizes) != len(features):
        raise InputError(
            f"the table has {len(features)} columns, the model takes {math.prod(sizes)}: "
            "give one column for each feature"
        )
    stacked = np.stack([plain(spec, np.asarray(columns[name]), name) for name in features], axis=1)
    return {spec.name: shaped(spec, stacked)}


def columns_wanted(specs: Sequence[InputSpec]) -> tuple[str, ...]:
    """The names of the columns that a model takes; none where it has no names for its features."""
    return tuple(spec.name for spec in specs) if by_column(specs) else specs[0].feature_names


def aligned(names: Sequence[str], columns: Mapping[str, Any]) -> dict[str, Any]:
    """The columns under the names that a model has for them.

    LightGBM has an underscore for each space of a name.

    >>> aligned(["mean_radius"], {"mean radius": 1, "y": 2})
    {'mean_radius': 1, 'y': 2}
    """
    wanted = set(names) - set(columns)
    spelled = {str(name).replace(" ", "_"): name for name in columns if " " in str(name)}
    renamed = {spelled[name]: name for name in wanted if name in spelled}
    return {renamed.get(name, name): column for name, column in columns.items()}


def plain(spec: InputSpec, array: Array, name: str | None = None) -> Array:
    """An array of Python objects as one of numbers or text, missing ones (None, NaN) as such.

    Anything else is given back as it is. Text that is missing becomes `MISSING_TEXT`, numbers that
    are become NaN.

    Raises:
        InputError: for objects that are not what the input takes.
    """
    if array.dtype.kind != "O":
        return array
    values = list(array.flat)
    gone = np.array([is_missing(value) for value in values], bool)
    what = f"input {spec.name!r}" if name in (None, spec.name) else f"column {name!r}"
    text = spec.dtype == "string"
    for place, value in enumerate(values):
        if not gone[place] and isinstance(value, str) != text:
            wanted = "text" if text else "numbers"
            raise InputError(
                f"{what} takes {wanted}, got {str(value)[:40]!r} in row {_row(place, array)}"
            )
    if gone.any() and not spec.missing and not spec.dtype.startswith("float"):
        raise InputError(
            f"{what} has no value in row {_row(int(np.argmax(gone)), array)}: this model was not "
            "proven on missing values, fill or drop those rows"
        )
    if text:
        filled = [MISSING_TEXT if lost else value for value, lost in zip(values, gone, strict=True)]
        return np.array(filled, np.str_).reshape(array.shape)
    numbers = [math.nan if lost else value for value, lost in zip(values, gone, strict=True)]
    try:
        made = np.array(numbers).reshape(array.shape)
    except (ValueError, OverflowError) as error:
        raise InputError(f"{what} is not a regular array: {error}") from error
    if made.dtype.kind == "O":
        raise InputError(f"{what} takes {spec.dtype}, got numbers that no array can hold")
    return made


def is_missing(value: Any) -> bool:
    """Whether a Python object stands for a missing value: None, NaN, pandas's NA and NaT."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def _row(place: int, array: Array) -> int:
    return place // max(1, array.size // max(1, len(array)))


def _check_there(names: Sequence[str], columns: Mapping[str, Any]) -> None:
    missing = [name for name in names if name not in columns]
    if missing:
        raise InputError(
            f"the model's columns {listed(missing)} are missing: got {listed(list(columns))}; name "
            "them as the model does"
        )


def shaped(spec: InputSpec, matrix: Array) -> Array:
    """The columns of a table, side by side, with the axes that an input has."""
    if None in spec.shape[1:]:
        return matrix
    return matrix.reshape(len(matrix), *(int(size or 0) for size in spec.shape[1:]))


def listed(names: Sequence[str]) -> str:
    """Names for a message, the first six of them."""
    shown = ", ".join(repr(name) for name in names[:6])
    return shown + (f" and {len(names) - 6} more" if len(names) > 6 else "")
