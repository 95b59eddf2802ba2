"""Percentiles of raw times, each only where there are enough of them to tell."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

CONFIDENCE = 0.99


@cache
def least_queries(percent: int, confidence: float = CONFIDENCE) -> int:
    """How many queries a percentile takes, by the early stopping rule of MLPerf LoadGen.

    The smallest n at which n - 1 queries within a bound and one above it are evidence that the
    percentile lies within it: were a share 1 - p of all queries above it, at most one of n would
    be so with a probability of pⁿ + n·(1 - p)·pⁿ⁻¹, which must be below 1 - `confidence`.
    Source: mlcommons/inference, loadgen/early_stopping.cc and results.cc (SingleStream), at a
    tolerance of 0.

    >>> least_queries(50), least_queries(90), least_queries(99)
    (11, 64, 662)

    Args:
        percent: between 1 and 99.
        confidence: of the statement.
    """
    p = percent / 100
    n = 2
    while p**n + n * (1 - p) * p ** (n - 1) >= 1 - confidence:
        n += 1
    return n


def percentile(times_ns: Sequence[int], percent: int) -> int | None:
    """The nearest-rank percentile of raw times; None where they are fewer than it takes.

    It is the smallest of the times that at least `percent` of 100 of them do not exceed, so always
    one that was measured; numpy calls the method `inverted_cdf`.

    Args:
        times_ns: nanoseconds, in any order.
        percent: between 1 and 99.
    """
    if len(times_ns) < least_queries(percent):
        return None
    rank = -(-len(times_ns) * percent // 100)
    return sorted(times_ns)[rank - 1]
