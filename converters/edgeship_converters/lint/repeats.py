"""Too few rows, the same ones again and again, and rows that both calibrate and judge."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from edgeship_converters.lint.finding import Finding
from edgeship_converters.lint.values import some_rows
from edgeship_runtime.arrays import Array, Arrays

_FEWEST = 100
_MOST_SAME = 0.2
_WIDE = 32
_MOST_JUDGED = 2000


def few_rows(count: int) -> Finding | None:
    """Fewer rows than the ranges of activations need to settle."""
    if count >= _FEWEST:
        return None
    return Finding(
        "few-rows",
        count == 0,
        f"{count} rows calibrate, expected {_FEWEST} or more: the ranges of activations do not "
        "settle on so few; give more with --data",
    )


def repeated_rows(calibration: Arrays, judged: Arrays | None) -> list[Finding]:
    """Rows that repeat within the calibration rows, and judged rows found among them."""
    hashes = row_hashes(calibration)
    total, distinct = len(hashes), len(set(hashes))
    if total > 1 and distinct == 1:
        return [
            Finding(
                "rows-equal",
                True,
                f"all {total} calibration rows are the same: expected rows that differ; look at "
                "how the file was written",
            )
        ]
    if not any(_rarely_repeats(array, distinct) for array in calibration.values()):
        return []
    found = []
    share = 1 - distinct / max(1, total)
    if share > _MOST_SAME:
        found.append(
            Finding(
                "duplicate-rows",
                False,
                f"{share:.0%} of the {total} calibration rows repeat another one, only {distinct} "
                f"differ (limit {_MOST_SAME:.0%}): give each row once",
            )
        )
    if judged is not None:
        found += _judged_too(set(hashes), judged)
    return found


def row_hashes(inputs: Arrays) -> list[bytes]:
    """A hash of each row over all inputs: rows that are equal bit by bit have the same."""
    arrays = [_rows(array) for array in inputs.values()]
    hashes = []
    for parts in zip(*arrays, strict=True):
        row = blake2b(digest_size=16)
        for part in parts:
            row.update(part)
        hashes.append(row.digest())
    return hashes


def _judged_too(calibrating: set[bytes], judged: Arrays) -> Sequence[Finding]:
    hashes = row_hashes({name: array[:_MOST_JUDGED] for name, array in judged.items()})
    share = sum(row in calibrating for row in hashes) / max(1, len(hashes))
    if share <= _MOST_SAME:
        return []
    return [
        Finding(
            "judged-rows-calibrate",
            False,
            f"{share:.0%} of {len(hashes)} judging rows are calibration rows too (limit "
            f"{_MOST_SAME:.0%}), so the evidence flatters: judge on rows of their own",
        )
    ]


def _rows(array: Array) -> Array:
    flat = np.ascontiguousarray(array).reshape(len(array), -1)
    return flat.view(np.uint8) if flat.size else flat


def _rarely_repeats(array: Array, distinct_rows: int) -> bool:
    """Whether equal rows are a sign of copies, as they are not in a table of a few categories."""
    if array.dtype.kind == "U" or array.size == 0:
        return False
    if array.ndim >= 3:
        return True
    columns = some_rows(array.reshape(len(array), -1))
    counts = np.array([len(np.unique(column)) for column in columns.T[:_MOST_JUDGED]])
    if (counts > 2).sum() >= _WIDE:
        return True
    fractions = (columns != np.rint(columns)).any(axis=0)[: len(counts)]
    return bool((fractions & (2 * counts >= distinct_rows)).any())
