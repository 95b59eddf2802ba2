"""The calibration rows held against the judged ones, and against themselves: scale and outliers."""

from __future__ import annotations

import numpy as np

from edgeship_converters.lint.finding import Finding, figure, some
from edgeship_converters.lint.values import Values, some_rows
from edgeship_runtime.arrays import Array

_OFF = 50.0
_WILD = 100.0
_FEWEST_NONZERO = 20
_MOST_COLUMNS = 512
_FRACTIONS = 0.1


def unlike_judged(values: Values, judged: Values) -> Finding | None:
    """A scale fifty times off between the rows that calibrate and those that judge.

    Both the root mean square and the median magnitude must say so: outliers move the one, two
    clusters of values the other.
    """
    if not _is_measured(values):
        return None
    ratios = {
        index: ratio
        for index, (ours, theirs) in _columns(values, judged).items()
        if (ratio := _scale_ratio(ours, theirs)) is not None
    }
    off = [index for index, ratio in ratios.items() if not 1 / _OFF < ratio < _OFF]
    if not off:
        return None
    most = 2 * len(off) > len(ratios)
    worst = max(off, key=lambda index: abs(np.log(ratios[index])))
    where = f"columns {some([values.column(index) for index in off])}: " if values.is_table else ""
    return Finding(
        "scale",
        most,
        f"input {values.spec.name!r}: {where}calibration rows are {_times(ratios[worst])} than "
        f"judging rows (expected within {figure(_OFF)} either way; values up to "
        f"{figure(values.largest)} and {figure(judged.largest)}): scale both as in training",
    )


def whole_numbers(values: Values, judged: Values) -> Finding | None:
    """Whole numbers only, where the judged rows have fractions: a cast has cut them off."""
    if values.array.dtype.kind != "f" or values.low == values.high:
        return None
    if (values.sample != np.rint(values.sample)).any():
        return None
    share = float((judged.sample != np.rint(judged.sample)).mean())
    if share <= _FRACTIONS:
        return None
    return Finding(
        "whole-numbers",
        False,
        f"input {values.spec.name!r}: calibration rows are whole numbers from "
        f"{figure(values.low)} to {figure(values.high)}, {share:.0%} of the values in judging rows "
        "have fractions: a cast to an integer dtype has cut them off, or one file is scaled",
    )


def binary_bytes(values: Values) -> Finding | None:
    """Bytes of pictures that are 0 or 1: fractions from 0 to 1, cut off."""
    if values.spec.dtype != "uint8" or values.array.ndim < 3 or not 0 < values.high <= 1:
        return None
    return Finding(
        "whole-numbers",
        False,
        f"input {values.spec.name!r} takes bytes, and no value is above {figure(values.high)} "
        "(expected up to 255): give raw pixels, not those divided by 255",
    )


def outliers(values: Values) -> Finding | None:
    """A value so wild that it widens the range of all others.

    The bulk is the 99th percentile of the magnitudes above 0 in a table's column, the 99.9th
    elsewhere.
    """
    if values.array.dtype.kind != "f":
        return None
    worst: tuple[float, str, float, float] | None = None
    if values.is_table:
        largest = np.abs(values.rows).max(axis=0)
        columns = some_rows(values.rows)
        bulks = _bulk(columns, 99)
        where = [f", column {values.column(index)}" for index in range(len(largest))]
    else:
        largest, bulks = np.array([values.largest]), _bulk(values.sample[:, None], 99.9)
        where = [""]
    for high, bulk, place in zip(largest.tolist(), bulks, where, strict=True):
        if bulk and high > _WILD * bulk and (worst is None or high / bulk > worst[0]):
            worst = (high / bulk, place, high, bulk)
    if worst is None:
        return None
    ratio, place, high, bulk = worst
    return Finding(
        "outliers",
        False,
        f"input {values.spec.name!r}{place}: the largest magnitude {figure(high)} is "
        f"{figure(ratio)} times that of the bulk, {figure(bulk)} (limit {figure(_WILD)}), and "
        "widens the int8 range for all: drop such rows, or give --recipe percentile",
    )


def _bulk(columns: Array, percent: float) -> list[float | None]:
    """The percentile of each column's magnitudes above 0; None where there are few."""
    bulks: list[float | None] = []
    for column in np.abs(columns).T:
        nonzero = column[column > 0]
        enough = len(nonzero) >= _FEWEST_NONZERO
        bulks.append(float(np.percentile(nonzero, percent, method="lower")) if enough else None)
    return bulks


def _times(ratio: float) -> str:
    return f"{figure(ratio)} times larger" if ratio > 1 else f"{figure(1 / ratio)} times smaller"


def _is_measured(values: Values) -> bool:
    """Whether values have a scale, which ids have not."""
    return values.array.dtype.kind == "f" or values.array.ndim >= 4


def _columns(values: Values, judged: Values) -> dict[int, tuple[Array, Array]]:
    if not values.is_table:
        return {0: (values.sample, judged.sample)}
    ours, theirs = some_rows(values.rows), some_rows(judged.rows)
    chosen = np.unique(np.linspace(0, ours.shape[1] - 1, _MOST_COLUMNS).astype(int))
    return {int(index): (ours[:, index], theirs[:, index]) for index in chosen}


def _scale_ratio(ours: Array, theirs: Array) -> float | None:
    """The smaller one of two ratios, that of root mean squares and that of median magnitudes."""
    one, other = np.abs(ours[ours != 0]), np.abs(theirs[theirs != 0])
    if min(len(one), len(other)) < _FEWEST_NONZERO:
        return None
    whole = float(np.sqrt(np.mean(np.square(ours)) / np.mean(np.square(theirs))))
    middle = float(np.median(one) / np.median(other))
    if (whole > 1) != (middle > 1):
        return 1.0
    return min(whole, middle, key=lambda ratio: abs(np.log(ratio)))
