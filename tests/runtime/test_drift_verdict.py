"""Verdicts: on real rows with and without drift, and never more than the rows can tell."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer

from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle import Contract, InputSpec
from edgeship_runtime.drift import (
    DriftReport,
    FeatureDrift,
    Sketch,
    judge,
    make_baseline,
    psi_noise,
)
from edgeship_runtime.errors import SketchError


def table(columns: int) -> Contract:
    return Contract(
        task="other",
        inputs=(InputSpec(name="x", dtype="float32", shape=(None, columns)),),
        outputs=(),
    )


def compare(reference: Array, now: Array, bins: int = 10) -> DriftReport:
    baseline = make_baseline(table(reference.shape[1]), reference, bins)
    sketch = Sketch(baseline)
    sketch.update(now)
    return judge(baseline, sketch)


def one(reference: Array, now: Array) -> FeatureDrift:
    (feature,) = compare(reference[:, None], now[:, None]).features
    return feature


def halves(seed: int) -> tuple[Array, Array]:
    rows = load_breast_cancer().data
    order = np.random.default_rng(seed).permutation(len(rows))
    return rows[order[: len(rows) // 2]], rows[order[len(rows) // 2 :]]


@pytest.mark.parametrize("bins", [5, 10])
@pytest.mark.parametrize("seed", range(5))
def test_halves_of_real_data_do_not_drift(seed: int, bins: int) -> None:
    report = compare(*halves(seed), bins)
    assert report.severity != "major"
    assert len(report.features) == 30
    # 30 features, 1 to 2 in 100 of them above chance.
    assert sum(feature.severity == "moderate" for feature in report.features) <= 3


@pytest.mark.parametrize("bins", [5, 10])
@pytest.mark.parametrize("column", [0, 7, 19, 29])
def test_a_column_moved_by_one_standard_deviation_comes_first_as_major(
    column: int, bins: int
) -> None:
    reference, now = halves(0)
    now[:, column] += reference[:, column].std()
    report = compare(reference, now, bins)
    assert report.features[0].name == f"x[{column}]"
    assert [f.name for f in report.features if f.severity == "major"] == [f"x[{column}]"]
    assert report.severity == "major"


def test_the_training_rows_show_no_drift_at_all() -> None:
    rows = load_breast_cancer().data
    report = compare(rows, rows)
    assert report.rows == report.reference_rows == 569
    assert report.severity == "none"
    assert all(feature.psi == 0.0 for feature in report.features)


def test_few_rows_are_said_to_be_too_few_and_how_many_are_needed() -> None:
    rng = np.random.default_rng(3)
    feature = one(rng.normal(size=10_000), rng.normal(size=40))
    assert feature.psi is not None
    assert feature.psi > 0.1
    assert feature.severity == "insufficient data"
    assert feature.rows_needed == 223
    assert one(rng.normal(size=10_000), rng.normal(size=223)).severity == "none"


@pytest.mark.parametrize(("m", "n"), [(300, 100), (1_000, 1_000), (10_000, 50), (10_000, 200)])
def test_without_drift_few_windows_are_called_moderate_or_worse(m: int, n: int) -> None:
    rng = np.random.default_rng(0)
    found = [
        feature.severity
        for _ in range(10)
        for feature in compare(rng.normal(size=(m, 200)), rng.normal(size=(n, 200))).features
    ]
    assert len(found) == 2_000
    assert sum(name in ("moderate", "major") for name in found) <= 50


def test_no_number_of_rows_makes_up_for_a_small_baseline() -> None:
    rng = np.random.default_rng(0)
    feature = one(rng.normal(size=50), rng.normal(size=100_000))
    assert feature.rows_needed is None
    assert feature.severity == "insufficient data"


def test_a_broken_sensor_is_seen_in_a_few_rows() -> None:
    rng = np.random.default_rng(0)
    feature = one(rng.normal(size=10_000), np.full(20, 99.0))
    assert feature.severity == "major"
    assert feature.out_of_range == 1.0


def test_values_that_go_missing_are_drift() -> None:
    rows = np.random.default_rng(0).normal(size=4_000)
    holes = rows.copy()
    holes[:1_000] = np.nan
    feature = one(rows, holes)
    assert (feature.reference_missing, feature.missing) == (0.0, 0.25)
    assert feature.severity == "major"
    assert one(holes, holes).severity == "none"
    assert one(holes, holes).reference_missing == 0.25


def test_zeros_that_stop_being_exact_are_drift() -> None:
    rows = np.concatenate([np.zeros(600), np.random.default_rng(0).uniform(1, 2, 400)])
    assert one(rows, np.where(rows == 0, 1e-6, rows)).severity == "major"


def test_shares_out_of_range_are_of_all_rows() -> None:
    feature = one(np.arange(1_000.0), np.array([-1.0, 5.0, 2_000.0, np.inf, np.nan]))
    assert feature.out_of_range == pytest.approx(0.6)
    assert feature.missing == pytest.approx(0.2)


def test_features_come_by_psi_the_largest_first() -> None:
    rng = np.random.default_rng(0)
    reference, now = rng.normal(size=(5_000, 4)), rng.normal(size=(5_000, 4))
    now += [0.3, 0.0, 1.0, 0.6]
    assert [f.name for f in compare(reference, now).features] == ["x[2]", "x[3]", "x[0]", "x[1]"]


def test_without_rows_there_are_no_figures() -> None:
    report = compare(np.arange(1_000.0)[:, None], np.empty((0, 1)))
    assert (report.rows, report.severity) == (0, "insufficient data")
    (feature,) = report.features
    assert feature.psi is None
    assert feature.missing is None
    assert feature.rows_needed == 278


def test_where_nothing_is_watched_nothing_is_called_sound() -> None:
    words = Contract(
        task="other", inputs=(InputSpec(name="city", dtype="string", shape=(None,)),), outputs=()
    )
    baseline = make_baseline(words, np.array(["Delft"]))
    assert judge(baseline, Sketch(baseline)).severity == "insufficient data"


def test_a_sketch_over_other_bins_is_refused() -> None:
    one, other = (make_baseline(table(1), np.full((3, 1), value)) for value in (1.0, 2.0))
    with pytest.raises(SketchError, match="use the baseline that it was made from"):
        judge(one, Sketch(other))


_COLUMN = st.lists(st.one_of(st.floats(width=32), st.sampled_from([0.0, 1.0, math.nan, math.inf])))


@settings(deadline=None)
@given(reference=_COLUMN.filter(bool), now=_COLUMN)
def test_a_report_is_json_without_nan_for_any_rows(
    reference: list[float], now: list[float]
) -> None:
    report = compare(np.array(reference)[:, None], np.array(now, np.float64).reshape(-1, 1))
    data = msgspec.json.encode(report)
    # msgspec writes NaN and infinities as null, which would then not come back as they were.
    assert msgspec.json.decode(data, type=DriftReport) == report
    (feature,) = report.features
    figures = [f for f in msgspec.structs.astuple(feature) if isinstance(f, float)]
    assert all(math.isfinite(figure) for figure in figures)
    assert (feature.psi is None) == (report.rows == 0)


@settings(deadline=None)
@given(m=st.integers(300, 100_000), seed=st.integers(0, 9))
def test_the_rows_needed_are_the_least_that_hold_chance_below_a_tenth(m: int, seed: int) -> None:
    column = np.random.default_rng(seed).permutation(m)
    needed = one(column, column[:1]).rows_needed
    assert needed is not None

    def chance(n: int) -> float:
        mean, deviation = psi_noise(10, n, m)
        return mean + 3 * deviation

    assert chance(needed) <= 0.1 < chance(needed - 1)
