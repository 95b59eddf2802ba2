"""Rows that trees decide by little, or by their own rules: beside thresholds, tied, with gaps."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import helper, numpy_helper
from sklearn.ensemble import RandomForestClassifier

from edgeship_converters.artifact import Task
from edgeship_converters.sources.sklearn_model import SklearnSource
from edgeship_converters.steps.sklearn_to_onnx import classical_model
from edgeship_runtime.arrays import Array

WIDTH = 4


def ties() -> tuple[Any, Array]:
    """A forest, and rows on which half of its trees vote against the other half."""
    random = np.random.default_rng(3)
    rows = random.normal(size=(300, WIDTH))
    model = RandomForestClassifier(100, random_state=3).fit(rows, random.integers(0, 2, 300))
    probes = random.normal(size=(4000, WIDTH)).astype(np.float32)
    found = probes[model.predict_proba(probes)[:, 0] == 0.5]
    assert len(found) > 20
    return model, found


def with_missing(kind: Any) -> tuple[Any, Array]:
    """A model of a kind that was fitted on missing values, and these rows."""
    random = np.random.default_rng(5)
    rows = random.normal(size=(300, WIDTH))
    rows[random.random(rows.shape) < 0.3] = np.nan
    model = kind(random_state=0).fit(rows, np.isnan(rows[:, 0]) ^ (rows[:, 1] > 0))
    return model, rows.astype(np.float32)


def rows_at_thresholds(model: Any) -> Array:
    """Rows of which one feature lies on a threshold, or one float32 step beside it."""
    source = SklearnSource(model, "0" * 64)
    rows = []
    middle = np.zeros(WIDTH, np.float32)
    for node in classical_model(source, Task("m", source.contract)).graph.node:
        if not node.op_type.startswith("TreeEnsemble"):
            continue
        given = {
            attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute
        }
        modes, thresholds = given["nodes_modes"], given.get("nodes_values")
        if thresholds is None:
            compact = "nodes_splits" in given
            held = given["nodes_splits" if compact else "nodes_values_as_tensor"]
            thresholds = numpy_helper.to_array(held)
            modes = numpy_helper.to_array(modes) if compact else modes
        for feature, threshold, mode in zip(
            given["nodes_featureids"], thresholds, modes, strict=True
        ):
            if mode == b"LEAF" or not np.isfinite(threshold):
                continue
            at = np.float32(threshold)
            for value in (at, np.nextafter(at, np.float32(np.inf)), np.nextafter(at, -np.inf)):
                row = middle.copy()
                row[feature] = value
                rows.append(row)
    return np.array(rows, np.float32).reshape(-1, WIDTH)
