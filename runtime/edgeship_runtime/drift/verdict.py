"""What a sketch means against its baseline: a figure for each feature, and what chance explains.

A PSI is named by its severity only where it can be told from chance, that is, where one of these
holds; otherwise the feature has `insufficient data`:

- there are enough rows that PSI stays below 0.1 without drift (mean + 3 standard deviations);
- it lies above what it stays below without drift, at however few rows.

Either way a feature that has not drifted is named moderate or worse in 1 or 2 windows of a hundred.
Many features are many chances of that; the rate over all of them is not held here.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from edgeship_runtime.arrays import Array
from edgeship_runtime.drift.baseline import Baseline, FeatureBaseline
from edgeship_runtime.drift.bins import ABOVE, BELOW, MISSING
from edgeship_runtime.drift.sketch import Sketch
from edgeship_runtime.drift.statistics import (
    MODERATE,
    occupied_bins,
    psi_counts,
    psi_noise,
    severity,
)
from edgeship_runtime.errors import SketchError

Severity = Literal["none", "insufficient data", "moderate", "major"]

_RANK: dict[Severity, int] = {"none": 0, "insufficient data": 1, "moderate": 2, "major": 3}
_DEVIATIONS = 3


class FeatureDrift(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one feature's rows lie against the baseline. What needs rows is null without any.

    Attributes:
        name: the feature.
        severity: see `drift.verdict`.
        psi: population stability index, smoothed.
        noise_mean: the PSI to expect without drift.
        noise_deviation: the standard deviation of that.
        rows_needed: from how many rows on a PSI of 0.1 can be told from chance; null where the
            baseline has too few rows for any number.
        reference_missing: share of NaN in the baseline.
        missing: share of NaN now.
        out_of_range: share of values now below or above all that training saw.
    """

    name: str
    severity: Severity
    psi: float | None
    noise_mean: float | None
    noise_deviation: float | None
    rows_needed: int | None
    reference_missing: float
    missing: float | None
    out_of_range: float | None


class DriftReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a sketch shows.

    Attributes:
        rows: how many the sketch counted.
        reference_rows: how many the baseline did.
        severity: the worst of the features; `insufficient data` where none is watched.
        features: by PSI, the largest first.
    """

    rows: int
    reference_rows: int
    severity: Severity
    features: tuple[FeatureDrift, ...]


def judge(baseline: Baseline, sketch: Sketch) -> DriftReport:
    """Compare what a sketch counted with the baseline.

    Raises:
        SketchError: where the sketch is over other bins.
    """
    if sketch.edge_hash != baseline.edge_hash:
        raise SketchError(
            f"cannot judge a sketch over the bins {sketch.edge_hash[:12]} by a baseline over "
            f"{baseline.edge_hash[:12]}: use the baseline that it was made from"
        )
    judged = [
        _judge_one(feature, counts, baseline.rows, sketch.rows)
        for feature, counts in zip(baseline.features, sketch.counts, strict=True)
    ]
    judged.sort(key=lambda feature: -1.0 if feature.psi is None else feature.psi, reverse=True)
    worst: Severity = max(
        (feature.severity for feature in judged),
        key=_RANK.__getitem__,
        default="insufficient data",
    )
    return DriftReport(
        rows=sketch.rows, reference_rows=baseline.rows, severity=worst, features=tuple(judged)
    )


def _judge_one(feature: FeatureBaseline, counted: Array, m: int, n: int) -> FeatureDrift:
    counts = counted.tolist()
    bins = occupied_bins(feature.counts, counts)
    needed = _rows_needed(bins, m)
    reference_missing = feature.counts[MISSING] / m
    if n == 0:
        return FeatureDrift(
            name=feature.name,
            severity="insufficient data",
            psi=None,
            noise_mean=None,
            noise_deviation=None,
            rows_needed=needed,
            reference_missing=reference_missing,
            missing=None,
            out_of_range=None,
        )
    psi = psi_counts(feature.counts, counts)
    mean, deviation = psi_noise(bins, n, m)
    enough = needed is not None and n >= needed
    stands_out = psi > mean + _DEVIATIONS * deviation
    return FeatureDrift(
        name=feature.name,
        severity=severity(psi) if enough or stands_out else "insufficient data",
        psi=psi,
        noise_mean=mean,
        noise_deviation=deviation,
        rows_needed=needed,
        reference_missing=reference_missing,
        missing=counts[MISSING] / n,
        out_of_range=(counts[BELOW] + counts[ABOVE]) / n,
    )


def _rows_needed(bins: int, m: int) -> int | None:
    """The least n at which `psi_noise` has mean + 3 standard deviations of at most 0.1."""
    # At one row a side 1/n + 1/m is 2.
    mean, deviation = psi_noise(bins, 1, 1)
    limit = (mean + _DEVIATIONS * deviation) / 2
    if limit == 0:
        return 1
    rest = MODERATE / limit - 1 / m
    return math.ceil(1 / rest) if rest > 0 else None
