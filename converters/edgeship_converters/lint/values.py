"""The figures of one input that several checks look at, each taken once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle import InputSpec

_SEED = 0
_MOST = 500_000
_FEWEST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Values:
    """One numeric input of the data.

    Attributes:
        spec: the contract's.
        array: in the contract's shape and dtype, the first axis rows.
        rows: the same, all axes but the first made one, and missing values filled in.
        low: the least value; NaN where there is a NaN that is no missing value.
        high: the largest value; NaN where there is such a NaN.
        flat: which rows hold one value throughout.
        sample: values drawn from all of them with a fixed seed, float64; all where there are few.
    """

    spec: InputSpec
    array: Array
    rows: Array
    low: float
    high: float
    flat: Array
    sample: Array

    @property
    def largest(self) -> float:
        """The largest magnitude."""
        return max(abs(self.low), abs(self.high))

    @property
    def is_table(self) -> bool:
        """Whether each column is a feature of its own, as it is not in images and token ids."""
        named = bool(self.spec.feature_names)
        return self.array.ndim == 2 and (named or self.array.dtype.kind == "f")

    def column(self, index: int) -> str:
        """A column's name, or its number where it has none."""
        names = self.spec.feature_names
        return repr(names[index]) if index < len(names) else str(index)


def measure(spec: InputSpec, array: Array) -> Values | None:
    """Take the figures; None for words, and for an array without values."""
    if array.size == 0 or array.dtype.kind not in "fiub":
        return None
    rows = np.ascontiguousarray(array).reshape(len(array), -1)
    if spec.missing and array.dtype.kind == "f":
        rows = _filled(rows)
    lows, highs = rows.min(axis=1), rows.max(axis=1)
    return Values(
        spec=spec,
        array=array,
        rows=rows,
        low=float(lows.min()),
        high=float(highs.max()),
        flat=lows == highs,
        sample=_sample(rows.reshape(-1)),
    )


def _filled(rows: Array) -> Array:
    """The rows with each column's median where a value is missing, which moves no figure far."""
    missing = np.isnan(rows)
    known = np.where(missing.all(axis=0), 0.0, rows)
    return np.where(missing, np.nanmedian(known, axis=0), rows).astype(rows.dtype)


def some_rows(rows: Array) -> Array:
    """Rows drawn with a fixed seed, as float64 [rows, columns]; all where there are few."""
    most = max(_FEWEST_ROWS, _MOST // rows.shape[1])
    if len(rows) > most:
        rows = rows[np.random.default_rng(_SEED).choice(len(rows), most, replace=False)]
    return rows.astype(np.float64)


def _sample(flat: Array) -> Array:
    if flat.size > _MOST:
        flat = flat[np.random.default_rng(_SEED).integers(0, flat.size, _MOST)]
    return flat.astype(np.float64)
