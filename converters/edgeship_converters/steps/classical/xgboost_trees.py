"""XGBoost's models: boosted trees, dropped ones and random forests, missing values, categories."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgeship_converters.sources.boosters import categories_of, trees_of_xgboost
from edgeship_converters.steps.classical.answers import Answers, flat
from edgeship_converters.steps.classical.dispatch import through
from edgeship_converters.steps.classical.ensembles import (
    LEAF,
    Tree,
    ensemble,
    most_likely,
    singles,
    with_nan,
)
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.membership import (
    THRESHOLD,
    Split,
    with_codes,
    with_memberships,
)
from edgeship_converters.steps.classical.rows import Rows
from edgeship_runtime.arrays import Array

_LOGARITHMIC = (
    "count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft",
)  # fmt: skip
_LOGISTIC = ("binary:logistic", "reg:logistic")
_PLAIN = (
    "reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror", "reg:quantileerror",
    "reg:squaredlogerror", "rank:ndcg", "rank:map", "rank:pairwise", "multi:softprob",
    "multi:softmax",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Read:
    """A booster's own description, as far as it answers.

    Attributes:
        objective: its name.
        start: what the sums of the leaves start from, one for each output.
        trees: the trees of the iterations that answer, in XGBoost's form.
        targets: which output each adds to.
        weights: by what the leaves of each are multiplied.
    """

    objective: str
    start: Array
    trees: list[dict[str, Any]]
    targets: list[int]
    weights: list[float]


def classifier(model: Any, rows: Rows, graph: Graph) -> Answers:
    """XGBClassifier: of two classes the second one above a half, else the most probable."""
    read = _read(model)
    binary = read.objective == "binary:logistic" and len(read.start) == 1
    if not binary and read.objective not in ("multi:softprob", "multi:softmax"):
        raise ValueError(_no_form(read))
    trees, rows, named = _trees(read, model, rows, graph)
    return most_likely(trees, read.start, rows, graph, sums="float32", missing=named)


def regressor(model: Any, rows: Rows, graph: Graph) -> Answers:
    """XGBRegressor and XGBRanker: the sum of the leaves, bent back as the objective says."""
    read = _read(model)
    trees, rows, named = _trees(read, model, rows, graph)
    # Summed in float32, as XGBoost does.
    raw = graph.Add(ensemble(trees, rows, graph, missing=named), read.start)
    values = raw if len(read.start) > 1 else flat(graph, raw)
    if read.objective in _LOGARITHMIC:
        return Answers(prediction=graph.Exp(values))
    if read.objective in _LOGISTIC:
        return Answers(prediction=graph.Sigmoid(values))
    if read.objective not in _PLAIN:
        raise ValueError(_no_form(read))
    return Answers(prediction=values)


def _no_form(read: _Read) -> str:
    return f"its objective is {read.objective!r}, which has no ONNX form here"


def _read(model: Any) -> _Read:
    booster = model.get_booster()
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    gradient = learner["gradient_booster"]
    kind = gradient["name"]
    if kind not in ("gbtree", "dart"):
        raise ValueError(f"its booster is {kind!r}, expected 'gbtree' or 'dart'")
    held = trees_of_xgboost(gradient)
    trees = held["trees"]
    if any(int(tree["tree_param"]["size_leaf_vector"]) > 1 for tree in trees):
        raise ValueError("its leaves hold several outputs (multi_strategy)")
    # Since XGBoost 3.4 they stand among the trees, whatever the booster.
    weights = held.get("weight_drop") or gradient.get("weight_drop") or [1.0] * len(trees)
    ends = held["iteration_indptr"]
    # After early stopping only the iterations up to the best one answer.
    best = learner["attributes"].get("best_iteration")
    count = ends[int(best) + 1] if best is not None else len(trees)
    parameters = learner["learner_model_param"]
    outputs = max(int(parameters["num_class"]), int(parameters["num_target"]), 1)
    objective = learner["objective"]["name"]
    score = np.array(
        [float(value) for value in parameters["base_score"].strip("[]").split(",")], np.float64
    )
    if objective in _LOGISTIC:
        score = np.log(score / (1.0 - score))
    elif objective in _LOGARITHMIC:
        score = np.log(score)
    return _Read(
        objective=objective,
        start=np.broadcast_to(score, (outputs,)),
        trees=trees[:count],
        targets=held["tree_info"][:count],
        weights=weights[:count],
    )


def _trees(read: _Read, model: Any, rows: Rows, graph: Graph) -> tuple[list[Tree], Rows, bool]:
    """The trees, the rows that they look at, and whether these may hold NaN in any case."""
    splits = [split for tree in read.trees for split in _splits(tree).values()]
    known = categories_of(model)
    rows = with_codes(known, rows, graph)
    sentinel = model.missing
    named = sentinel is not None and not np.isnan(sentinel)
    if named:
        rows = through(rows, graph)
        matrix = singles(rows, graph)
        same = graph.Equal(matrix, graph.exactly(np.array(sentinel, np.float32)))
        rows = with_nan(matrix, same, rows, graph)
    rows, columns = with_memberships(splits, rows, graph)
    trees = [
        _tree(tree, columns, target, len(read.start), weight)
        for tree, target, weight in zip(read.trees, read.targets, read.weights, strict=True)
    ]
    return trees, rows, bool(named or known)


def _splits(tree: dict[str, Any]) -> dict[int, Split]:
    """By node the categories that it sends to the right."""
    return {
        node: (
            tree["split_indices"][node],
            frozenset(tree["categories"][start : start + size]),
        )
        for node, start, size in zip(
            tree["categories_nodes"],
            tree["categories_segments"],
            tree["categories_sizes"],
            strict=True,
        )
    }


def _tree(
    tree: dict[str, Any], columns: dict[Split, int], target: int, targets: int, weight: float
) -> Tree:
    left = np.array(tree["left_children"], np.int64)
    leaf = left == LEAF
    given = np.array(tree["split_conditions"], np.float32)
    feature = np.array(tree["split_indices"], np.int64)
    # XGBoost sends what is less to the left: at most the float32 below.
    threshold = np.nextafter(given, np.float32(-np.inf)).astype(np.float64)
    for node, split in _splits(tree).items():
        feature[node], threshold[node] = columns[split], THRESHOLD
    values = np.zeros((len(left), targets))
    values[leaf, target] = given[leaf] * np.float32(weight)
    return Tree(
        left=left,
        right=np.array(tree["right_children"], np.int64),
        feature=feature,
        threshold=threshold,
        missing_left=np.array(tree["default_left"], bool),
        values=values,
    )
