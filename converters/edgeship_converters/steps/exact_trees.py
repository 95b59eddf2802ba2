"""Trees that decide on float32 rows exactly as scikit-learn does.

scikit-learn compares a row's float32 value with a float64 threshold, and scales the row in float64
before that; an ONNX tree compares float32 with float32, and the usual conversion scales in float32.
Both round, and a row next to a threshold then goes the other way. Here each threshold becomes the
largest float32 number that scikit-learn sends to the left, scaling included, so no row does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from edgeship_runtime.arrays import Array

Reads: TypeAlias = Literal["float32", "float64"]

_LARGEST = 0x7F7FFFFF
_COUNT = 2 * (_LARGEST + 1)


def exact_thresholds(
    features: Array,
    thresholds: Array,
    width: int,
    behind: Sequence[Any] = (),
    *,
    reads: Reads = "float32",
) -> Array:
    """For each threshold the largest float32 row value that the model sends to the left.

    Args:
        features: which column each threshold is for.
        thresholds: float64; the model sends what is at most that to the left.
        width: how many columns the rows have.
        behind: fitted steps before the trees, which never decrease in a column and look at no
            other; the new thresholds are for rows before them.
        reads: the precision to which the model rounds what these steps give.

    Returns:
        float64, each a float32 number or -inf, where no row goes to the left.
    """
    if not len(behind):
        with np.errstate(over="ignore"):
            near = thresholds.astype(np.float32)
        # What is too large for float32 rounds to infinity, which is not a row's value.
        below = np.nextafter(near, np.float32(-np.inf))
        return np.where(near.astype(np.float64) > thresholds, below, near).astype(np.float64)

    def prepare(rows: Array) -> Array:
        with np.errstate(over="ignore"):
            return _passed(rows, behind).astype(reads)

    return _fold(prepare, features, thresholds, width)


def without_value(behind: Sequence[Any], width: int) -> Array:
    """For each column the largest float32 number that the steps have no value for.

    Such are the numbers below 0 of a logarithm: NaN, which a model takes for missing.

    Args:
        behind: fitted steps, see `exact_thresholds`.
        width: how many columns the rows have.

    Returns:
        float64 (width,), -inf where they have one for every number.
    """
    with np.errstate(all="ignore"):
        found = _largest(
            lambda rows: np.isnan(_passed(rows.astype(np.float64), behind)), (1, width)
        )
    return np.asarray(found[0])


def ranks_within(counts: Array) -> Array:
    """The place of each in its group, from 0, of groups so large that follow each other."""
    ranks: Array = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return ranks


def _passed(rows: Array, behind: Sequence[Any]) -> Array:
    for step in behind:
        rows = step.transform(rows)
    return rows


def _fold(
    prepare: Callable[[Array], Array], features: Array, thresholds: Array, width: int
) -> Array:
    """The largest float32 row value that `prepare` keeps at or below each threshold."""
    if not len(features):
        return thresholds
    # One column a feature, its thresholds below each other, so that a search step is one call.
    order = np.argsort(features, kind="stable")
    counts = np.bincount(features, minlength=width)
    line = ranks_within(counts)
    table = np.full((int(counts.max()), width), np.inf)
    table[line, features[order]] = thresholds[order]
    # What a step has no value for, as the logarithm below 0, lies below all that it has one for.
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        found = _largest(lambda rows: ~(prepare(rows.astype(np.float64)) > table), table.shape)
    folded = np.empty(len(features))
    folded[order] = found[line, features[order]]
    return folded


def _largest(goes_left: Callable[[Array], Array], shape: tuple[int, ...]) -> Array:
    """By bisection over all finite float32 numbers in order; -inf where none goes left."""
    low = np.full(shape, -1, np.int64)
    high = np.full(shape, _COUNT, np.int64)
    while (high - low > 1).any():
        middle = (low + high) // 2
        left = goes_left(_number(np.clip(middle, 0, _COUNT - 1))) & (middle >= 0)
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    return np.where(low < 0, -np.inf, _number(np.maximum(low, 0)).astype(np.float64))


def _number(rank: Array) -> Array:
    """The float32 number of a rank, from the most negative (0) to the largest."""
    bits = np.where(rank <= _LARGEST, 0x80000000 | (_LARGEST - rank), rank - _LARGEST - 1)
    return bits.astype(np.uint32).view(np.float32)
