"""Infinite numbers, in graphs for a SavedModel; those for TFLite hold finite constants only."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeship_converters.steps.classical.compact_trees import compacted
from edgeship_converters.steps.lowering.values import NotLoweredError
from tests.converters.lowering.cases import ML, Case, Drawn, near

_INF = float("inf")
_NUMBERS = near(10.0, (0.0, 1.0, _INF, -_INF, 3e38, -3e38))
_MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")
_LIMITS = (0.5, *(pytest.param(limit) for limit in (_INF, -_INF)))


def _wide(kind: str, *inputs: Any, **attributes: Any) -> Case:
    return Case(kind, inputs, attributes, narrow=False)


def _entrywise(dtype: str) -> list[Case]:
    x, y = Drawn(dtype, values=_NUMBERS), Drawn(dtype, (1, 3), _NUMBERS)
    low, high, endless = np.array([-1.0, 2.0, _INF], dtype)
    constant = np.array([_INF, -_INF, 1.0], dtype)
    two = ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Min", "Add")
    return [
        *[_wide(kind, x, other) for kind in two for other in (y, constant)],
        *[_wide(kind, x) for kind in ("Abs", "Neg", "Identity")],
        _wide("Clip", x, low, high),
        _wide("Clip", x, -endless, endless),
        _wide("Where", Drawn("bool"), x, constant),
    ]


CASES = [*_entrywise("float32"), *_entrywise("float64")]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_infinite_entries_are_what_onnxruntime_makes(case: Case) -> None:
    case.check(12)


def _nodes(mode: str, limit: float, track: int) -> dict[str, list[Any]]:
    """A branch, and its two leaves."""
    return {
        "nodes_treeids": [0, 0, 0],
        "nodes_nodeids": [0, 1, 2],
        "nodes_featureids": [1, 0, 0],
        "nodes_modes": [mode, "LEAF", "LEAF"],
        "nodes_values": [limit, 0.0, 0.0],
        "nodes_truenodeids": [1, 0, 0],
        "nodes_falsenodeids": [2, 0, 0],
        "nodes_missing_value_tracks_true": [track, 0, 0],
    }


def _leaves(prefix: str, votes: list[int]) -> dict[str, list[Any]]:
    return {
        f"{prefix}_treeids": [0, 0],
        f"{prefix}_nodeids": [1, 2],
        f"{prefix}_ids": votes,
        f"{prefix}_weights": [1.5, -2.5],
    }


def _drawn(dtype: str) -> tuple[Drawn]:
    return (Drawn(dtype, values=near(4.0, (0.5, _INF, -_INF, 3e38, float("nan")))),)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize("limit", _LIMITS)
def test_infinite_values_and_thresholds_go_where_onnxruntime_sends_them(
    dtype: str, mode: str, limit: float
) -> None:
    if limit == -_INF and mode not in ("BRANCH_LEQ", "BRANCH_GT"):
        with pytest.raises(NotLoweredError, match="a tree asks what is below"):
            _regressor(dtype, mode, limit, 0).check()
        return
    for track in (0, 1):
        _regressor(dtype, mode, limit, track).check(12)


def _regressor(dtype: str, mode: str, limit: float, track: int) -> Case:
    made = _nodes(mode, limit, track) | _leaves("target", [0, 0]) | {"n_targets": 1}
    opset = 1 if dtype == "float32" else 3
    return Case("TreeEnsembleRegressor", _drawn(dtype), made, ML, opset, narrow=False)


@pytest.mark.parametrize("limit", _LIMITS)
def test_classifiers_and_compact_trees_send_infinite_values_alike(limit: float) -> None:
    nodes = _nodes("BRANCH_LEQ", limit, 0)
    votes = _leaves("class", [1, 1]) | {"classlabels_int64s": [0, 1]}
    Case("TreeEnsembleClassifier", _drawn("float32"), nodes | votes, ML, 1, 2, narrow=False).check(
        12
    )
    made = {name: np.asarray(c) for name, c in (nodes | _leaves("target", [0, 0])).items()}
    thresholds = made.pop("nodes_values").astype(np.float32)
    weights = made.pop("target_weights").astype(np.float32)
    attributes = {**compacted(made, thresholds, made, weights), "n_targets": 1}
    Case("TreeEnsemble", _drawn("float32"), attributes, ML, 5, narrow=False).check(12)
