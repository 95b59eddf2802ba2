"""Trees that decide on float32 rows exactly as scikit-learn does.

scikit-learn compares a row's float32 value with a float64 threshold, and scales the row in float64
before that; an ONNX tree compares float32 with float32, and the usual conversion scales in float32.
Both round, and a row next to a threshold then goes the other way. Here each threshold becomes the
largest float32 number that scikit-learn sends to the left, scaling included, so no row does.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)
from sklearn.tree._tree import TREE_LEAF

from edgeship_converters.sources.trees import trees_in
from edgeship_runtime.arrays import Array

_TREES = (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
# Steps that never decrease in a feature, and look at no other: these fold into thresholds.
_MONOTONE = (MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler)
_LARGEST = 0x7F7FFFFF
_COUNT = 2 * (_LARGEST + 1)


def with_scaling_folded(steps: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The steps of a pipeline, where trees at its end have taken in the scaling before them."""
    kept = list(steps)
    if not kept or type(kept[-1][1]) not in _TREES:
        return kept
    first = len(kept) - 1
    while first and type(kept[first - 1][1]) in _MONOTONE:
        first -= 1
    if first == len(kept) - 1:
        return kept
    return [*kept[:first], (kept[-1][0], with_exact_thresholds(Pipeline(kept[first:])))]


def with_exact_thresholds(estimator: Any) -> Any:
    """The trees of an estimator with exact float32 thresholds, the scaling before them folded in.

    Anything else than trees, alone or in a Pipeline behind scalers, is returned as it is.
    """
    steps = [estimator]
    if isinstance(estimator, Pipeline):
        steps = [step for _, step in estimator.steps if step not in (None, "passthrough")]
    *before, last = steps
    if type(last) not in _TREES or not all(type(step) in _MONOTONE for step in before):
        return estimator

    def prepare(rows: Array) -> Array:
        for step in before:
            rows = step.transform(rows)
        with np.errstate(over="ignore"):
            return rows.astype(np.float32)

    if not before and all(
        np.array_equal(tree.threshold, tree.threshold.astype(np.float32)) for tree in trees_in(last)
    ):
        # Folded already, as all in a pipeline are before its steps are converted.
        return last
    exact = copy.deepcopy(last)
    trees = list(trees_in(exact))
    inner = [np.flatnonzero(tree.children_left != TREE_LEAF) for tree in trees]
    features = np.concatenate([t.feature[nodes] for t, nodes in zip(trees, inner, strict=True)])
    thresholds = np.concatenate([t.threshold[nodes] for t, nodes in zip(trees, inner, strict=True)])
    folded = _fold(prepare, features, thresholds, int(last.n_features_in_))
    ends = np.cumsum([len(nodes) for nodes in inner])
    for tree, nodes, values in zip(trees, inner, np.split(folded, ends[:-1]), strict=True):
        tree.threshold[nodes] = values
    return exact


def _fold(
    prepare: Callable[[Array], Array], features: Array, thresholds: Array, width: int
) -> Array:
    """The largest float32 row value that `prepare` keeps at or below each threshold."""
    if not len(features):
        return thresholds
    # One column a feature, its thresholds below each other, so that a search step is one call.
    order = np.argsort(features, kind="stable")
    counts = np.bincount(features, minlength=width)
    line = np.arange(len(features)) - np.repeat(np.cumsum(counts) - counts, counts)
    table = np.full((int(counts.max()), width), np.nan)
    table[line, features[order]] = thresholds[order]
    found = _largest(lambda rows: prepare(rows.astype(np.float64)) <= table, table.shape)
    folded = np.empty(len(features))
    folded[order] = found[line, features[order]]
    return folded


def _largest(goes_left: Callable[[Array], Array], shape: tuple[int, ...]) -> Array:
    """By bisection over all finite float32 numbers in order; -inf where none goes left."""
    low = np.full(shape, -1, np.int64)
    high = np.full(shape, _COUNT, np.int64)
    while (high - low > 1).any():
        middle = (low + high) // 2
        left = goes_left(_number(np.clip(middle, 0, _COUNT - 1))) & (middle >= 0)
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    return np.where(low < 0, -np.inf, _number(np.maximum(low, 0)).astype(np.float64))


def _number(rank: Array) -> Array:
    """The float32 number of a rank, from the most negative (0) to the largest."""
    bits = np.where(rank <= _LARGEST, 0x80000000 | (_LARGEST - rank), rank - _LARGEST - 1)
    return bits.astype(np.uint32).view(np.float32)
