"""Inputs, rows and columns that hold one value, and values that are no numbers."""

from __future__ import annotations

import numpy as np

from edgeship_converters.lint.finding import Finding, figure, some
from edgeship_converters.lint.values import Values, some_rows
from edgeship_runtime.arrays import Array

_FEWEST_VALUES_IN_A_ROW = 16
_MOST_BLANK = 0.2
_BACKGROUND = 0.05


def not_finite(values: Values) -> Finding | None:
    """NaN or infinity: no range can be taken from them."""
    if np.isfinite(values.low) and np.isfinite(values.high):
        return None
    if values.spec.missing and not np.isinf(values.rows).any():
        return None
    bad = int((~np.isfinite(values.rows)).any(axis=1).sum())
    return Finding(
        "not-finite",
        True,
        f"input {values.spec.name!r} holds NaN or infinite values in {bad} of {len(values.rows)} "
        "rows, and no range can be taken from them: fill or drop those rows",
    )


def one_value(values: Values, *, alone: bool) -> Finding | None:
    """An input that is one value throughout.

    Beside other inputs a whole-number one may be: a mask of ones, segment ids of zeros.
    """
    if values.low != values.high or values.rows.size == 1:
        return None
    if not alone and values.array.dtype.kind != "f":
        return None
    zero = values.low == 0
    return Finding(
        "all-zero" if zero else "one-value",
        alone,
        f"input {values.spec.name!r} is {figure(values.low)} in all {len(values.rows)} rows: "
        "expected real data; look at how the file was written",
    )


def blank_rows(values: Values) -> Finding | None:
    """Rows that are one value throughout, as images are that could not be read."""
    if values.rows.shape[1] < _FEWEST_VALUES_IN_A_ROW or values.low == values.high:
        return None
    count, total = int(values.flat.sum()), len(values.rows)
    if count <= _MOST_BLANK * total:
        return None
    every = count == total
    return Finding(
        "flat-rows",
        every,
        f"input {values.spec.name!r}: {count} of {total} rows ({count / total:.0%}) hold one value "
        f"throughout (limit {_MOST_BLANK:.0%}): look at how they were read or scaled, and drop "
        "those that are empty",
    )


def constant_columns(values: Values, judged: Values | None) -> Finding | None:
    """Columns of a table that never change, though nothing says that they are background.

    A value that is common in the other columns too is background: a black pixel of a flattened
    image, the 0 of a rare category. Where most judged rows have other values in that column, more
    than one, it is no background.
    """
    rows = values.rows
    if not values.is_table or len(rows) < 2 or rows.shape[1] < 2:
        return None
    constant = (rows == rows[0]).all(axis=0)
    if not constant.any() or constant.all():
        return None
    varying = some_rows(rows[:, ~constant])
    found = [
        int(index)
        for index in np.flatnonzero(constant)
        if (varying == float(rows[0, index])).mean() < _BACKGROUND
        or _varies(judged, int(index), float(rows[0, index]))
    ]
    if not found:
        return None
    names = some([f"{values.column(index)} = {figure(float(rows[0, index]))}" for index in found])
    return Finding(
        "constant-columns",
        False,
        f"input {values.spec.name!r}: {len(found)} of {rows.shape[1]} columns never change "
        f"({names}), so no range is known for them: give rows in which they do",
    )


def _varies(judged: Values | None, index: int, constant: float) -> bool:
    if judged is None:
        return False
    column: Array = judged.rows[:, index]
    return bool((column == constant).mean() < 0.5 and len(np.unique(column)) > 2)
