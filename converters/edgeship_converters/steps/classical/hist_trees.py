"""scikit-learn's gradient boosting over histograms, with missing values and categories."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from edgeship_converters.steps.classical.answers import Answers, flat
from edgeship_converters.steps.classical.ensembles import LEAF, Tree, ensemble, most_likely
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.membership import THRESHOLD, Split, with_memberships
from edgeship_converters.steps.classical.rows import Rows
from edgeship_runtime.arrays import Array


def classifier(model: Any, rows: Rows, graph: Graph) -> Answers:
    """HistGradientBoostingClassifier: the first of the largest sums; of two classes, above 0."""
    trees, rows, missing = _trees(model, rows, graph)
    start = np.ravel(model._baseline_prediction)
    likely = most_likely(trees, start, rows, graph, reads="float64", missing=missing)
    raw = graph.Add(
        ensemble(trees, rows, graph, exact=True, reads="float64", missing=missing), start
    )
    return replace(likely, decision=raw if len(start) > 1 else flat(graph, raw))


def regressor(model: Any, rows: Rows, graph: Graph) -> Answers:
    """HistGradientBoostingRegressor: the sum, or its exponential after a logarithmic link."""
    trees, rows, missing = _trees(model, rows, graph)
    sums = ensemble(trees, rows, graph, exact=True, reads="float64", missing=missing)
    raw = flat(graph, graph.Add(sums, np.ravel(model._baseline_prediction)))
    link = type(model._loss.link).__name__
    if link not in ("LogLink", "IdentityLink"):
        raise ValueError(f"its link is a {link}, which has no ONNX form here")
    return Answers(prediction=graph.Exp(raw) if link == "LogLink" else raw)


def _trees(model: Any, rows: Rows, graph: Graph) -> tuple[list[Tree], Rows, bool]:
    """The trees, the rows that they look at, and whether these may hold NaN in any case."""
    categorical = model._preprocessor is not None
    if categorical:
        encoded = graph.answer(model._preprocessor, rows).transformed
        if encoded is None:
            raise ValueError("its encoder of categories does not transform")
        rows = encoded
    predictors = [one for iteration in model._predictors for one in iteration]
    splits = [split for one in predictors for split in _splits(one).values()]
    rows, columns = with_memberships(splits, rows, graph)
    outputs = model.n_trees_per_iteration_
    trees = [
        _tree(one, columns, number % outputs, outputs) for number, one in enumerate(predictors)
    ]
    # An encoder gives NaN for what it does not know, whatever the rows hold.
    return trees, rows, categorical


def _splits(predictor: Any) -> dict[int, Split]:
    """By node the categories that it sends to the left."""
    nodes = predictor.nodes
    places = np.flatnonzero(nodes["is_categorical"].astype(bool) & ~nodes["is_leaf"].astype(bool))
    return {
        int(place): (
            int(nodes["feature_idx"][place]),
            _members(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][place]]),
        )
        for place in places
    }


def _members(bitset: Array) -> frozenset[int]:
    bits = np.unpackbits(np.ascontiguousarray(bitset).view(np.uint8), bitorder="little")
    return frozenset(np.flatnonzero(bits).tolist())


def _tree(predictor: Any, columns: dict[Split, int], target: int, targets: int) -> Tree:
    nodes = predictor.nodes
    leaf = nodes["is_leaf"].astype(bool)
    left = np.where(leaf, LEAF, nodes["left"].astype(np.int64))
    right = np.where(leaf, LEAF, nodes["right"].astype(np.int64))
    feature = nodes["feature_idx"].astype(np.int64)
    threshold = nodes["num_threshold"].astype(np.float64)
    missing_left = nodes["missing_go_to_left"].astype(bool)
    for place, split in _splits(predictor).items():
        # A member lies above the threshold, so that the children change sides.
        feature[place], threshold[place] = columns[split], THRESHOLD
        left[place], right[place] = right[place], left[place]
        missing_left[place] = not missing_left[place]
    values = np.zeros((len(nodes), targets))
    values[:, target] = nodes["value"]
    return Tree(left, right, feature, threshold, missing_left, values)
