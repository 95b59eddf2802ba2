"""Sketches: what is counted is what a recount of every value gives, merged in any order."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle import Contract, InputSpec
from edgeship_runtime.drift import Baseline, FeatureBaseline, Sketch, make_baseline, psi_counts
from edgeship_runtime.errors import InputError, SketchError

TWO = Contract(
    task="other", inputs=(InputSpec(name="x", dtype="float64", shape=(None, 2)),), outputs=()
)
_VALUES = st.one_of(
    st.floats(),
    st.sampled_from([0.0, -0.0, 1.0, 2.0, 3.0, 1e308, -1e308, math.nan, math.inf, -math.inf]),
)
_ROWS = st.lists(st.tuples(_VALUES, _VALUES), max_size=30)
_TRAINING = st.lists(st.tuples(_VALUES, _VALUES), min_size=1, max_size=30)


def table(rows: list[tuple[float, float]]) -> Array:
    return np.array(rows, np.float64).reshape(-1, 2)


def counted(baseline: Baseline, *batches: Array) -> list[list[int]]:
    sketch = Sketch(baseline)
    for batch in batches:
        sketch.update(batch)
    return lists(sketch)


def lists(sketch: Sketch) -> list[list[int]]:
    return [counts.tolist() for counts in sketch.counts]


def bin_of(feature: FeatureBaseline, value: float) -> int:
    """The bin of one value, by the words of `drift.bins`."""
    if math.isnan(value):
        return len(feature.counts) - 1
    if value < feature.lowest:
        return 0
    for place, edge in enumerate(feature.edges):
        if value <= edge:
            return place + 1
    return len(feature.counts) - 2


@settings(deadline=None)
@given(training=_TRAINING, rows=_ROWS)
def test_counts_are_those_of_a_recount_value_by_value(
    training: list[tuple[float, float]], rows: list[tuple[float, float]]
) -> None:
    baseline = make_baseline(TWO, table(training), bins=4)
    expected = [[0] * len(feature.counts) for feature in baseline.features]
    for row in rows:
        for column, feature in enumerate(baseline.features):
            expected[column][bin_of(feature, row[column])] += 1
    assert counted(baseline, table(rows)) == expected


@settings(deadline=None)
@given(training=_TRAINING)
def test_the_training_rows_count_as_the_baseline_does(
    training: list[tuple[float, float]],
) -> None:
    baseline = make_baseline(TWO, table(training))
    counts = counted(baseline, table(training))
    assert counts == [list(feature.counts) for feature in baseline.features]
    for feature, own in zip(baseline.features, counts, strict=True):
        assert psi_counts(feature.counts, own) == 0.0


@settings(deadline=None)
@given(one=_ROWS, other=_ROWS, third=_ROWS)
def test_merging_is_exact_in_any_order(
    one: list[tuple[float, float]],
    other: list[tuple[float, float]],
    third: list[tuple[float, float]],
) -> None:
    baseline = make_baseline(TWO, np.arange(40.0).reshape(20, 2) - 10, bins=5)
    batches = [table(one), table(other), table(third)]

    def merged(order: list[int], *, last_two_first: bool = False) -> Sketch:
        parts = []
        for i in order:
            parts.append(Sketch(baseline))
            parts[-1].update(batches[i])
        if last_two_first:
            parts[1].merge(parts[2])
            parts[0].merge(parts[1])
        else:
            parts[0].merge(parts[1])
            parts[0].merge(parts[2])
        return parts[0]

    at_once = Sketch(baseline)
    at_once.update(np.concatenate(batches))
    for sketch in (
        merged([0, 1, 2]), merged([2, 0, 1]), merged([1, 0, 2], last_two_first=True),
    ):  # fmt: skip
        assert lists(sketch) == lists(at_once)
        assert sketch.rows == at_once.rows == len(one) + len(other) + len(third)


@settings(deadline=None)
@given(rows=_ROWS, order=st.randoms())
def test_the_order_of_rows_and_batches_does_not_matter(
    rows: list[tuple[float, float]], order: random.Random
) -> None:
    baseline = make_baseline(TWO, np.arange(40.0).reshape(20, 2) - 10, bins=5)
    shuffled = list(rows)
    order.shuffle(shuffled)
    one_by_one = [table([row]) for row in shuffled]
    assert counted(baseline, table(rows)) == counted(baseline, *one_by_one)


def test_a_value_at_an_edge_belongs_to_the_bin_under_it() -> None:
    baseline = make_baseline(TWO, np.repeat(np.arange(1.0, 5.0), 2).reshape(4, 2), bins=4)
    sketch = Sketch(baseline)
    edge = baseline.features[0].edges[1]
    for value in (edge, np.nextafter(edge, math.inf)):
        sketch.update(np.array([[value, value]]))
    assert sketch.counts[0].tolist() == [0, 0, 1, 1, 0, 0, 0]


def test_values_never_seen_in_training_fall_outside() -> None:
    baseline = make_baseline(TWO, np.full((5, 2), 7.0))
    sketch = Sketch(baseline)
    sketch.update(np.array([[7.0, np.nan], [7.1, 7.0], [6.9, 7.0], [np.inf, -np.inf]]))
    below_seen_above_missing = [counts.tolist() for counts in sketch.counts]
    assert below_seen_above_missing == [[1, 1, 2, 0], [1, 2, 0, 1]]


def test_training_rows_in_a_wider_dtype_count_as_the_models_own() -> None:
    single = Contract(
        task="other", inputs=(InputSpec(name="x", dtype="float32", shape=(None,)),), outputs=()
    )
    rows = np.random.default_rng(0).normal(size=200)
    baseline = make_baseline(single, rows)
    sketch = Sketch(baseline)
    sketch.update(rows.astype(np.float32))
    assert tuple(sketch.counts[0].tolist()) == baseline.features[0].counts


def test_many_rows_are_counted_block_by_block() -> None:
    rng = np.random.default_rng(0)
    baseline = make_baseline(TWO, rng.normal(size=(1_000, 2)))
    rows = rng.normal(size=(50_001, 2))
    sketch = Sketch(baseline)
    sketch.update(rows)
    assert sketch.rows == 50_001
    for column, feature in enumerate(baseline.features):
        inner = np.searchsorted(feature.edges, rows[:, column], side="left")
        assert sketch.counts[column][-2] == (inner == len(feature.edges)).sum()
        assert sketch.counts[column][2:-2].tolist() == np.bincount(inner)[1:-1].tolist()
        assert sketch.counts[column].dtype == np.int64


def test_images_are_counted_by_their_summaries() -> None:
    cameras = Contract(
        task="other",
        inputs=(InputSpec(name="image", dtype="uint8", shape=(None, 8, 8, 3)),),
        outputs=(),
    )
    rng = np.random.default_rng(0)
    images = rng.integers(0, 200, (60, 8, 8, 3), dtype=np.uint8)
    baseline = make_baseline(cameras, images)
    sketch = Sketch(baseline)
    sketch.update(images + np.uint8(55))
    mean, contrast = sketch.counts
    assert mean.tolist()[-2] == 60
    assert contrast.tolist() == list(baseline.features[1].counts)


def test_no_rows_change_nothing() -> None:
    sketch = Sketch(make_baseline(TWO, np.ones((2, 2))))
    sketch.update(np.empty((0, 2)))
    assert sketch.rows == 0
    assert not any(counts.any() for counts in sketch.counts)


def test_what_is_refused_is_not_counted() -> None:
    sketch = Sketch(make_baseline(TWO, np.ones((2, 2))))
    with pytest.raises(InputError):
        sketch.update(np.ones((4, 3)))
    assert sketch.rows == 0


def test_counts_handed_out_are_copies() -> None:
    sketch = Sketch(make_baseline(TWO, np.ones((2, 2))))
    sketch.counts[0][:] = 99
    assert not sketch.counts[0].any()


def test_sketches_over_other_bins_do_not_merge() -> None:
    sketch = Sketch(make_baseline(TWO, np.ones((2, 2))))
    with pytest.raises(SketchError, match="merge only sketches of the same baseline"):
        sketch.merge(Sketch(make_baseline(TWO, np.zeros((2, 2)))))


def test_strings_alone_are_only_counted_as_rows() -> None:
    words = Contract(
        task="other", inputs=(InputSpec(name="city", dtype="string", shape=(None,)),), outputs=()
    )
    sketch = Sketch(make_baseline(words, np.array(["Delft"])))
    sketch.update(np.array(["Gouda", "Breda"]))
    assert (sketch.rows, sketch.counts) == (2, ())
