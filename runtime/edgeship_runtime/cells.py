"""The columns of a table file as an input takes them: cells of text, or values as they are."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import numpy as np

from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle.manifest import InputSpec
from edgeship_runtime.errors import DataError, InputError
from edgeship_runtime.tables import MISSING_TEXT, plain

# A column of a table: values as they are, or cells of text.
Column: TypeAlias = "Array | list[str]"

# As pandas writes them.
_TRUTHS = {"true": 1.0, "false": 0.0}
_MISSING = ("", "na", "n/a", "nan", "null", "none")


def column_of(path: Path | str, spec: InputSpec, columns: dict[str, Column]) -> Array:
    """A column as the input of its name takes it.

    Raises:
        DataError: naming the first cell that is not of the input's kind.
    """
    column = columns[spec.name]
    if isinstance(column, np.ndarray):
        return column
    if spec.dtype == "string":
        known = set(spec.categories)
        gone = _MISSING if spec.missing else ()
        return np.array(
            [MISSING_TEXT if c.lower() in gone and c not in known else c for c in column], np.str_
        )
    numbers = numbers_of(path, spec.name, column)
    if spec.dtype.startswith("float"):
        return numbers
    if not np.isfinite(numbers).all() or (numbers != np.floor(numbers)).any():
        row = int(np.argmax(~np.isfinite(numbers) | (numbers != np.floor(numbers))))
        raise DataError(
            f"{path} row {row + 1}, column {spec.name!r} holds {column[row][:40]!r}: expected a "
            + ("truth (true, false, 1 or 0)" if spec.dtype == "bool" else "whole number")
        )
    # Whole numbers beyond 2^53 are not what float64 says.
    cells = zip(column, numbers, strict=True)
    return np.array([int(c if c.lstrip("+-").isdigit() else number) for c, number in cells])


def numbers_of(path: Path | str, name: str, column: Column) -> Array:
    """A column as float64, NaN where a value is missing.

    Raises:
        DataError: naming the first cell that is no number.
    """
    if isinstance(column, np.ndarray):
        if column.dtype.kind == "O":
            return _of_objects(path, name, column)
        if column.dtype.kind not in "fiub":
            raise DataError(f"{path} column {name!r} holds {column.dtype}: expected numbers")
        return column.astype(np.float64)
    numbers = np.empty(len(column))
    for index, cell in enumerate(column):
        number = _number(cell)
        if number is None:
            raise DataError(
                f"{path} row {index + 1}, column {name!r} holds {cell[:40]!r}: expected a number"
            )
        numbers[index] = number
    return numbers


def _of_objects(path: Path | str, name: str, column: Array) -> Array:
    spec = InputSpec(name=name, dtype="float64", shape=(None,), missing=True)
    try:
        numbers: Array = plain(spec, column).astype(np.float64)
    except InputError as error:
        raise DataError(f"{path}: {error}") from error
    return numbers


def _number(cell: str) -> float | None:
    if cell.lower() in _MISSING:
        return float("nan")
    if "_" in cell:
        # Python reads 1_000 as a thousand; a data file does not mean that.
        return None
    if cell.lower() in _TRUTHS:
        return _TRUTHS[cell.lower()]
    try:
        return float(cell)
    except ValueError:
        return None


def label_values(labels: Column | None) -> Array | None:
    """Text labels as integers or numbers where that is what they say; 001 stays text."""
    if labels is None:
        return None
    if isinstance(labels, np.ndarray):
        return np.array(labels.tolist()) if labels.dtype.kind == "O" else labels
    numbers = [None if cell.lower() in _TRUTHS else _number(cell) for cell in labels]
    codes = any(len(cell) > 1 and cell[0] == "0" and cell[1].isdigit() for cell in labels)
    if codes or any(number is None for number in numbers):
        return np.array(labels, dtype=np.str_)
    values = np.array(numbers, dtype=np.float64)
    whole = all(cell.lstrip("+-").isdigit() for cell in labels)
    return values.astype(np.int64) if whole else values
