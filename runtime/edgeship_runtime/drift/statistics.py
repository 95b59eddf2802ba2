"""How far two distributions over the same bins lie apart, and how far chance alone puts them.

Pure functions on plain numbers. PSI is the population stability index, Σ (p - q)·ln(p / q), which
is Jeffreys' divergence (Jeffreys 1946; Kullback and Leibler 1951) under its name in credit scoring
(Lewis 1994; Siddiqi 2006).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

MODERATE = 0.1
MAJOR = 0.2
_SUM_TOLERANCE = 1e-6
# Jeffreys' prior for a multinomial (Jeffreys 1946).
_PRIOR = 0.5


def psi(expected: Sequence[float], actual: Sequence[float]) -> float:
    """PSI of two lists of proportions; a bin that is empty in both adds nothing.

    Args:
        expected: each bin's share in the reference.
        actual: each bin's share now.

    Raises:
        ValueError: for other than two lists of at least two shares that each sum to 1, and for a
            bin that is empty on one side only, where PSI is infinite.

    >>> round(psi((0.30, 0.50, 0.20), (0.45, 0.40, 0.15)), 4)
    0.0975
    >>> round(psi((0.5, 0.3, 0.2), (0.4, 0.4, 0.2)), 4)
    0.0511
    """
    _check_lengths(expected, actual)
    for shares in (expected, actual):
        if not all(share >= 0 for share in shares):
            raise ValueError("a proportion is negative or NaN: give shares from 0 to 1")
        total = math.fsum(shares)
        if abs(total - 1) > _SUM_TOLERANCE:
            raise ValueError(
                f"the proportions sum to {total:.6g}, expected 1: divide by their sum first, "
                "or give counts to psi_counts"
            )
    pairs = [(p, q) for p, q in zip(expected, actual, strict=True) if p > 0 or q > 0]
    if not all(p > 0 and q > 0 for p, q in pairs):
        raise ValueError(
            "a bin is empty on one side only, which makes PSI infinite: "
            "give counts to psi_counts, which smooths them"
        )
    return _divergence(pairs)


def psi_counts(reference_counts: Sequence[int], counts: Sequence[int]) -> float:
    """PSI of two lists of counts, smoothed so that an empty bin keeps it finite.

    Half a row is added to each bin of both lists. Against an epsilon floor this holds the law of
    `psi_noise` down to windows of 50 rows. Bins that are empty in both lists are left out first
    (see `occupied_bins`): nothing says that a value can fall there, and between unlike numbers of
    rows the half row by itself would count as drift, three such bins as 0.03 at 200 rows against
    10 000.

    Raises:
        ValueError: for lists of unlike length or of less than two bins, negative counts, or no
            rows on one side.

    >>> psi_counts((10, 20, 0), (10, 20, 0))
    0.0
    >>> round(psi_counts((900, 100, 0), (80, 15, 5)), 2)
    0.29
    """
    _check_counts(reference_counts, counts)
    pairs = [(m, n) for m, n in zip(reference_counts, counts, strict=True) if m or n]
    rows_m = sum(m for m, _ in pairs) + _PRIOR * len(pairs)
    rows_n = sum(n for _, n in pairs) + _PRIOR * len(pairs)
    return _divergence([((m + _PRIOR) / rows_m, (n + _PRIOR) / rows_n) for m, n in pairs])


def occupied_bins(reference_counts: Sequence[int], counts: Sequence[int]) -> int:
    """How many bins hold a row on either side: the k of `psi_noise` for `psi_counts`.

    >>> occupied_bins((5, 0, 0, 2), (7, 1, 0, 0))
    3
    """
    return sum(1 for m, n in zip(reference_counts, counts, strict=True) if m or n)


def psi_noise(k: int, n: int, m: int) -> tuple[float, float]:
    """Mean and standard deviation of PSI where nothing has drifted.

    PSI then follows χ²(k - 1)·(1/n + 1/m) (Yurdakul 2018, "Statistical Properties of Population
    Stability Index").

    Args:
        k: number of bins.
        n: rows now.
        m: rows in the reference.

    Raises:
        ValueError: where one of them is less than 1.

    >>> mean, deviation = psi_noise(10, 200, 10_000)
    >>> round(mean, 4), round(deviation, 4)
    (0.0459, 0.0216)
    """
    if min(k, n, m) < 1:
        raise ValueError(f"expected at least one bin and one row a side, got k={k}, n={n}, m={m}")
    scale = 1 / n + 1 / m
    return (k - 1) * scale, math.sqrt(2 * (k - 1)) * scale


def severity(psi: float) -> Literal["none", "moderate", "major"]:
    """The field's name for a PSI: moderate from 0.1, major from 0.2.

    A rule of thumb, never a test: it knows nothing of n (Siddiqi 2006 has 0.1 and 0.25).

    >>> severity(0.0975), severity(0.1), severity(0.2)
    ('none', 'moderate', 'major')
    """
    if psi >= MAJOR:
        return "major"
    return "moderate" if psi >= MODERATE else "none"


def _divergence(pairs: Sequence[tuple[float, float]]) -> float:
    return math.fsum((p - q) * math.log(p / q) for p, q in pairs if p > 0)


def _check_counts(reference_counts: Sequence[int], counts: Sequence[int]) -> None:
    _check_lengths(reference_counts, counts)
    for side, numbers in (("reference", reference_counts), ("current", counts)):
        if min(numbers) < 0:
            raise ValueError(f"a {side} count is negative: give the number of rows in each bin")
        if sum(numbers) == 0:
            raise ValueError(f"the {side} counts hold no row: PSI compares at least one a side")


def _check_lengths(one: Sequence[float], other: Sequence[float]) -> None:
    if len(one) != len(other) or len(one) < 2:
        raise ValueError(
            f"expected two lists over the same two or more bins, got {len(one)} and {len(other)}"
        )
