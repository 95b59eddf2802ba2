"""Drift: baselines made at conversion, sketches kept on the board, and what they mean."""

from edgeship_runtime.drift.baseline import (
    Baseline,
    FeatureBaseline,
    decode,
    encode,
    load_baseline,
    make_baseline,
)
from edgeship_runtime.drift.features import feature_names, features
from edgeship_runtime.drift.sketch import Sketch
from edgeship_runtime.drift.statistics import (
    occupied_bins,
    psi,
    psi_counts,
    psi_noise,
    severity,
)
from edgeship_runtime.drift.verdict import DriftReport, FeatureDrift, Severity, judge

__all__ = [
    "Baseline",
    "DriftReport",
    "FeatureBaseline",
    "FeatureDrift",
    "Severity",
    "Sketch",
    "decode",
    "encode",
    "feature_names",
    "features",
    "judge",
    "load_baseline",
    "make_baseline",
    "occupied_bins",
    "psi",
    "psi_counts",
    "psi_noise",
    "severity",
]
