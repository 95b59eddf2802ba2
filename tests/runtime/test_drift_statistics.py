"""PSI and what chance makes of it, against worked examples and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeship_runtime.drift import occupied_bins, psi, psi_counts, psi_noise, severity

_COUNTS = st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), min_size=2).filter(
    lambda pairs: any(m for m, _ in pairs) and any(n for _, n in pairs)
)


@pytest.mark.parametrize(
    ("expected", "actual", "value"),
    [
        ((0.30, 0.50, 0.20), (0.45, 0.40, 0.15), 0.0975),
        ((0.5, 0.3, 0.2), (0.4, 0.4, 0.2), 0.0511),
        ((0.25, 0.25, 0.25, 0.25), (0.25, 0.25, 0.25, 0.25), 0.0),
        ((0.6, 0.4, 0.0), (0.6, 0.4, 0.0), 0.0),
    ],
)
def test_psi_gives_the_worked_examples(
    expected: tuple[float, ...], actual: tuple[float, ...], value: float
) -> None:
    assert round(psi(expected, actual), 4) == value
    assert round(psi(actual, expected), 4) == value


@pytest.mark.parametrize(
    ("expected", "actual", "message"),
    [
        ((0.5, 0.5), (0.2, 0.3, 0.5), "same two or more bins, got 2 and 3"),
        ((1.0,), (1.0,), "two or more bins"),
        ((), (), "two or more bins"),
        ((0.5, 0.5), (0.4, 0.5), "sum to 0.9, expected 1"),
        ((1.5, -0.5), (0.5, 0.5), "negative or NaN"),
        ((math.nan, 0.5), (0.5, 0.5), "negative or NaN"),
        ((math.inf, 0.5), (0.5, 0.5), "sum to inf"),
        ((1.0, 0.0), (0.9, 0.1), "give counts to psi_counts"),
        ((30, 70), (0.3, 0.7), "give counts to psi_counts"),
    ],
)
def test_psi_refuses_what_are_not_two_distributions(
    expected: tuple[float, ...], actual: tuple[float, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        psi(expected, actual)


def test_psi_of_counts_is_that_of_the_shares_where_there_are_many_rows() -> None:
    assert psi_counts((3000000, 5000000, 2000000), (4500000, 4000000, 1500000)) == pytest.approx(
        psi((0.30, 0.50, 0.20), (0.45, 0.40, 0.15)), abs=1e-6
    )


def test_psi_of_counts_adds_half_a_row_to_each_occupied_bin() -> None:
    p, q = np.array([8.5, 2.5, 0.5]) / 11.5, np.array([1.5, 0.5, 4.5]) / 6.5
    expected = float(((p - q) * np.log(p / q)).sum())
    assert psi_counts((8, 2, 0), (1, 0, 4)) == pytest.approx(expected, rel=1e-12)
    assert psi_counts((8, 0, 2, 0), (1, 0, 0, 4)) == pytest.approx(expected, rel=1e-12)
    assert occupied_bins((8, 0, 2, 0), (1, 0, 0, 4)) == 3


@settings(deadline=None)
@given(pairs=_COUNTS)
def test_psi_of_counts_is_finite_symmetric_and_not_negative(pairs: list[tuple[int, int]]) -> None:
    reference, now = [m for m, _ in pairs], [n for _, n in pairs]
    value = psi_counts(reference, now)
    assert math.isfinite(value)
    assert value >= 0
    assert value == pytest.approx(psi_counts(now, reference), rel=1e-9, abs=1e-12)
    assert psi_counts(reference, reference) == 0.0


@pytest.mark.parametrize(
    ("reference", "now", "message"),
    [
        ((1, 2), (1, 2, 3), "got 2 and 3"),
        ((1,), (1,), "two or more bins"),
        ((1, -1), (1, 1), "a reference count is negative"),
        ((1, 1), (2, -1), "a current count is negative"),
        ((0, 0), (1, 1), "the reference counts hold no row"),
        ((1, 1), (0, 0), "the current counts hold no row"),
    ],
)
def test_psi_of_counts_refuses_what_are_not_counts(
    reference: tuple[int, ...], now: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        psi_counts(reference, now)


@pytest.mark.parametrize(("k", "n", "m"), [(10, 100, 10_000), (10, 500, 500), (4, 200, 2_000)])
def test_noise_is_what_simulation_without_drift_gives(k: int, n: int, m: int) -> None:
    rng = np.random.default_rng(1)
    shares = np.full(k, 1 / k)
    # Three bins that no row can fall into must change nothing.
    pad = [0, 0, 0]
    simulated = [
        psi_counts(
            rng.multinomial(m, shares).tolist() + pad, rng.multinomial(n, shares).tolist() + pad
        )
        for _ in range(2_000)
    ]
    mean, deviation = psi_noise(k, n, m)
    assert np.mean(simulated) == pytest.approx(mean, rel=0.08)
    assert np.std(simulated) == pytest.approx(deviation, rel=0.08)


def test_noise_of_a_single_bin_is_nothing() -> None:
    assert psi_noise(1, 5, 5) == (0.0, 0.0)


@pytest.mark.parametrize(("k", "n", "m"), [(0, 1, 1), (2, 0, 1), (2, 1, 0)])
def test_noise_refuses_no_bins_and_no_rows(k: int, n: int, m: int) -> None:
    with pytest.raises(ValueError, match="at least one bin and one row"):
        psi_noise(k, n, m)


def test_severity_changes_at_a_tenth_and_a_fifth() -> None:
    figures = (0.0, 0.0999, 0.1, 0.1999, 0.2, 9.0)
    assert [severity(figure) for figure in figures] == [
        "none", "none", "moderate", "moderate", "major", "major",
    ]  # fmt: skip
