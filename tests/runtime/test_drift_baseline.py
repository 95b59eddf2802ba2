"""Baselines: edges by quantiles, exact counts, and files that are refused."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle import Contract, InputSpec
from edgeship_runtime.bundle.manifest import DType
from edgeship_runtime.drift import (
    Baseline,
    FeatureBaseline,
    decode,
    encode,
    load_baseline,
    make_baseline,
)
from edgeship_runtime.errors import BundleError, DataError, SketchError
from tests import tiny

_HUGE = np.finfo(np.float64).max
_VALUES = st.one_of(
    st.floats(), st.sampled_from([0.0, -0.0, 1.0, 2.0, _HUGE, -_HUGE, 5e-324, math.nan, math.inf])
)


def contract(dtype: DType = "float64") -> Contract:
    return Contract(
        task="other", inputs=(InputSpec(name="x", dtype=dtype, shape=(None,)),), outputs=()
    )


def only(values: Array, dtype: DType = "float64", bins: int = 10) -> FeatureBaseline:
    (feature,) = make_baseline(contract(dtype), values, bins).features
    return feature


def test_bins_hold_a_tenth_each_of_values_without_ties() -> None:
    feature = only(np.random.default_rng(0).permutation(100).astype(np.float64))
    assert feature.lowest == 0.0
    assert feature.edges == (9.0, 19.0, 29.0, 39.0, 49.0, 59.0, 69.0, 79.0, 89.0, 99.0)
    assert feature.counts == (0, *[10] * 10, 0, 0)


def test_a_column_of_60_percent_zeros_keeps_its_mass() -> None:
    feature = only(np.concatenate([np.zeros(60), np.arange(1.0, 41.0)]))
    assert feature.edges == (0.0, 10.0, 20.0, 30.0, 40.0)
    assert feature.counts == (0, 60, 10, 10, 10, 10, 0, 0)


def test_missing_and_infinite_values_have_bins_of_their_own() -> None:
    feature = only(np.array([np.nan, -np.inf, 1.0, 2.0, np.inf, np.nan, np.nan]))
    assert (feature.lowest, feature.edges) == (1.0, (1.0, 2.0))
    assert feature.counts == (1, 1, 1, 1, 3)


def test_a_constant_is_one_bin_between_below_and_above() -> None:
    feature = only(np.full(7, 3.5))
    assert (feature.lowest, feature.edges, feature.counts) == (3.5, (3.5,), (0, 7, 0, 0))


def test_a_feature_that_is_never_there_has_no_edges() -> None:
    feature = only(np.array([np.nan, np.nan, -np.inf]))
    assert (feature.edges, feature.counts) == ((), (1, 0, 2))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16"])
def test_two_values_of_any_dtype_are_told_apart(dtype: DType) -> None:
    feature = only(np.array([0, 1, 1, 0, 1]).astype(dtype), dtype)
    assert (feature.edges, feature.counts) == ((0.0, 1.0), (0, 2, 3, 0, 0))


def test_negative_zero_is_zero() -> None:
    one, other = (make_baseline(contract(), np.array([zero, 1.0])) for zero in (0.0, -0.0))
    assert encode(one) == encode(other)
    assert b"-0" not in encode(other)


@settings(deadline=None)
@given(values=st.lists(_VALUES, min_size=1), bins=st.integers(2, 20))
@example(values=[_HUGE, -_HUGE], bins=2)
@example(values=[math.nan], bins=10)
@example(values=[-0.0], bins=10)
def test_any_data_gives_increasing_edges_and_every_row_is_counted(
    values: list[float], bins: int
) -> None:
    rows = np.array(values)
    feature = only(rows, bins=bins)
    finite = rows[np.isfinite(rows)]
    assert list(feature.edges) == sorted(set(feature.edges))
    assert len(feature.edges) <= bins
    assert sum(feature.counts) == len(values)
    assert feature.counts[-1] == np.isnan(rows).sum()
    assert feature.counts[0] == (rows == -np.inf).sum()
    assert feature.counts[-2] == (rows == np.inf).sum()
    if len(finite):
        assert (feature.lowest, feature.edges[-1]) == (finite.min(), finite.max())
    # Each inner bin ends at a value of the data, so none of them is empty.
    assert all(feature.counts[1:-2])


@settings(deadline=None)
@given(values=st.lists(_VALUES, min_size=1))
def test_a_file_gives_the_same_baseline_again(values: list[float]) -> None:
    baseline = make_baseline(contract(), np.array(values))
    again = decode(encode(baseline))
    assert again == baseline
    assert again.edge_hash == baseline.edge_hash
    assert encode(again) == encode(baseline)


def test_the_hash_is_of_names_and_edges_not_of_counts() -> None:
    rows = np.arange(20.0)
    hashed = make_baseline(contract(), rows).edge_hash
    assert make_baseline(contract(), np.repeat(rows, 2)).edge_hash == hashed
    assert make_baseline(contract(), rows + 1).edge_hash != hashed
    assert make_baseline(contract(), rows, bins=5).edge_hash != hashed
    renamed = Contract(
        task="other", inputs=(InputSpec(name="y", dtype="float64", shape=(None,)),), outputs=()
    )
    assert make_baseline(renamed, rows).edge_hash != hashed


def test_no_rows_make_no_baseline() -> None:
    with pytest.raises(DataError, match="at least one row"):
        make_baseline(contract(), np.empty(0))


@pytest.mark.parametrize("bins", [1, 0, 1025])
def test_a_number_of_bins_that_says_nothing_is_refused(bins: int) -> None:
    with pytest.raises(ValueError, match="from 2 to 1024"):
        make_baseline(contract(), np.arange(3.0), bins)


def sound() -> dict[str, Any]:
    rows = np.arange(40, dtype=np.float64).reshape(20, 2)
    two = Contract(
        task="other", inputs=(InputSpec(name="x", dtype="float64", shape=(None, 2)),), outputs=()
    )
    read: dict[str, Any] = json.loads(encode(make_baseline(two, rows, bins=4)))
    return read


def first(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], object]:
    return lambda baseline: change(baseline["features"][0])


MALFORMED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another format version": (lambda b: b.update(format_version=2), "reads 1: convert"),
    "no format version": (lambda b: b.pop("format_version"), "missing required field"),
    "an unknown field": (lambda b: b.update(extra=1), "unknown field"),
    "an unknown field of a feature": (first(lambda f: f.update(extra=1)), "unknown field"),
    "no rows": (lambda b: b.update(rows=0), ">= 1"),
    "other rows than counted": (lambda b: b.update(rows=19), "counts 20 of 19 rows"),
    "rows as a string": (lambda b: b.update(rows="20"), "got `str`"),
    "rows beyond all integers": (lambda b: b.update(rows=1 << 70), "Expected `int`"),
    "no inputs": (lambda b: b.update(inputs=[]), "no inputs"),
    "an input without a shape": (lambda b: b["inputs"][0].update(shape=[]), "without a shape"),
    "a feature too few": (lambda b: b["features"].pop(), "not those that its inputs give"),
    "another name": (first(lambda f: f.update(name="y")), "not those that its inputs give"),
    "edges that fall": (first(lambda f: f["edges"].reverse()), "do not increase"),
    "an edge twice": (first(lambda f: f["edges"].__setitem__(1, f["edges"][0])), "not increase"),
    "an edge too many": (first(lambda f: f["edges"].append(1e9)), "7 counts for 8 bins"),
    "a count too few": (first(lambda f: f["counts"].pop()), "6 counts for 7 bins"),
    "an edge that is null": (first(lambda f: f["edges"].__setitem__(0, None)), "got `null`"),
    "a lowest above its edges": (first(lambda f: f.update(lowest=1e9)), "above its first edge"),
    "a negative count": (first(lambda f: f["counts"].__setitem__(0, -1)), ">= 0"),
    "half a count": (first(lambda f: f["counts"].__setitem__(0, 0.5)), "Expected `int`"),
    "too many edges": (first(lambda f: f.update(edges=list(range(1025)))), "length <= 1024"),
}  # fmt: skip


@pytest.mark.parametrize("fault", MALFORMED)
def test_a_malformed_baseline_is_refused(fault: str) -> None:
    change, message = MALFORMED[fault]
    baseline = sound()
    decode(json.dumps(baseline).encode())
    broken = copy.deepcopy(baseline)
    change(broken)
    with pytest.raises(BundleError, match=message):
        decode(json.dumps(broken).encode())


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_edges_that_are_not_finite_are_refused(text: str) -> None:
    data = json.dumps(sound()).replace('"lowest": 0.0', f'"lowest": {text}')
    with pytest.raises(BundleError):
        decode(data.encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b"null"])
def test_what_is_no_json_object_is_refused(data: bytes) -> None:
    with pytest.raises(BundleError, match="drift baseline is not valid"):
        decode(data)


def test_two_features_of_one_name_are_refused() -> None:
    inputs = (
        InputSpec(name="a", dtype="float64", shape=(None, 2), feature_names=("b.c", "t")),
        InputSpec(name="a.b", dtype="float64", shape=(None, 2), feature_names=("c", "t")),
    )
    rows = np.zeros((1, 2))
    with pytest.raises(ValueError, match="share a name"):
        make_baseline(Contract(task="other", inputs=inputs, outputs=()), {"a": rows, "a.b": rows})


def test_a_baseline_cannot_be_made_that_contradicts_itself() -> None:
    with pytest.raises(ValueError, match="not finite"):
        FeatureBaseline(name="x", lowest=math.nan, edges=(), counts=(0, 0, 0))
    with pytest.raises(ValueError, match="negative"):
        FeatureBaseline(name="x", lowest=0.0, edges=(), counts=(0, -1, 1))
    with pytest.raises(ValueError, match="at least one"):
        Baseline(inputs=contract().inputs, rows=0, features=())


def test_a_bundle_gives_its_baseline_back(tmp_path: Path) -> None:
    manifest, _ = tiny.manifest_and_files()
    baseline = make_baseline(manifest.contract, tiny.ROWS)
    bundle = tiny.write(tmp_path / "a.edgeship", encode(baseline))
    assert load_baseline(bundle) == baseline
    assert [feature.name for feature in baseline.features] == list(tiny.FEATURES)


def test_a_bundle_without_a_baseline_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SketchError, match="convert the model again with --data"):
        load_baseline(tiny.write(tmp_path / "a.edgeship"))


def test_a_baseline_of_another_contract_is_refused(tmp_path: Path) -> None:
    other = encode(make_baseline(contract(), np.arange(3.0)))
    with pytest.raises(BundleError, match="made for other inputs"):
        load_baseline(tiny.write(tmp_path / "a.edgeship", other))
