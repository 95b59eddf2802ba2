"""Percentiles of raw times, and how many of these they take."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeship_benchmarks.percentiles import least_queries, percentile


@pytest.mark.parametrize(("percent", "queries"), [(50, 11), (90, 64), (99, 662)])
def test_the_least_queries_are_those_of_mlperf_loadgen(percent: int, queries: int) -> None:
    assert least_queries(percent) == queries


@pytest.mark.parametrize("percent", [50, 90, 99])
def test_the_least_queries_are_the_first_to_pass_the_binomial_bound(percent: int) -> None:
    def at_most_one_above(n: int) -> float:
        above = 1 - percent / 100
        return sum(math.comb(n, k) * above**k * (1 - above) ** (n - k) for k in (0, 1))

    n = least_queries(percent)
    assert at_most_one_above(n) < 0.01 <= at_most_one_above(n - 1)


@pytest.mark.parametrize(("percent", "queries"), [(50, 11), (90, 64), (99, 662)])
def test_a_percentile_is_withheld_below_its_least_queries(percent: int, queries: int) -> None:
    assert percentile(range(queries - 1), percent) is None
    assert percentile(range(queries), percent) is not None


@pytest.mark.parametrize("percent", [50, 90, 99])
@given(count=st.integers(662, 5000), spread=st.integers(1, 10**9), seed=st.integers(0, 2**32))
def test_a_percentile_is_numpys_by_nearest_rank(
    percent: int, count: int, spread: int, seed: int
) -> None:
    times = np.random.default_rng(seed).integers(0, spread, count).tolist()
    assert percentile(times, percent) == np.percentile(times, percent, method="inverted_cdf")


def test_a_percentile_was_measured_itself_whatever_the_order() -> None:
    times = [1000, *[10] * 98, 500] * 10
    assert percentile(times, 90) == 10
    assert percentile(times, 99) == 500
