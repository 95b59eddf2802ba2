"""LightGBM's models: boosted trees, random forests, with missing values and categories."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from edgeship_converters.sources.boosters import categories_of
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

# Numbers as near to 0 as this count as 0 (kZeroThreshold in LightGBM's meta.h).
_ZERO = 1e-35
_LOGARITHMIC = ("poisson", "gamma", "tweedie")
_PLAIN = (
    "regression", "regression_l1", "huber", "fair", "quantile", "mape", "lambdarank",
    "rank_xendcg",
)  # fmt: skip


def classifier(model: Any, rows: Rows, graph: Graph) -> Answers:
    """LGBMClassifier: the most probable class, the first one on a tie."""
    dump = model.booster_.dump_model()
    name, options = _objective(dump)
    factor = float(options.get("sigmoid", "1"))
    if name in ("binary", "multiclass"):
        trees, rows, missing = _trees(model, dump, rows, graph)
        share = (factor if name == "binary" else 1.0) / _divisor(dump, trees)
        scaled = [replace(tree, values=tree.values * share) for tree in trees]
        start = np.zeros(trees[0].values.shape[1])
        return most_likely(scaled, start, rows, graph, reads="float64", missing=missing)
    if name != "multiclassova":
        raise ValueError(_no_form(name))
    likely = graph.Sigmoid(graph.Mul(_raw(model, dump, rows, graph), factor))
    return Answers(index=graph.ArgMax(likely, axis=1, keepdims=0), probabilities=likely)


def regressor(model: Any, rows: Rows, graph: Graph) -> Answers:
    """LGBMRegressor and LGBMRanker: the sum of the leaves, bent back as the objective says."""
    dump = model.booster_.dump_model()
    raw = flat(graph, _raw(model, dump, rows, graph))
    name, options = _objective(dump)
    if name in _LOGARITHMIC:
        return Answers(prediction=graph.Exp(raw))
    if name == "cross_entropy":
        return Answers(prediction=graph.Sigmoid(raw))
    if name not in _PLAIN:
        raise ValueError(_no_form(name))
    if "sqrt" in options:
        raw = graph.Mul(graph.Sign(raw), graph.Mul(raw, raw))
    return Answers(prediction=raw)


def _objective(dump: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """A booster's objective and its options: `binary sigmoid:1` gives `{"sigmoid": "1"}`."""
    name, *options = str(dump.get("objective", "none")).split() or ["none"]
    return name, {key: value for key, _, value in (option.partition(":") for option in options)}


def _no_form(name: str) -> str:
    return f"its objective is {name!r}, which has no ONNX form here"


def _raw(model: Any, dump: dict[str, Any], rows: Rows, graph: Graph) -> str:
    """(rows, trees of an iteration): the sums of the leaves, or their means in a random forest."""
    trees, rows, missing = _trees(model, dump, rows, graph)
    sums = ensemble(trees, rows, graph, exact=True, reads="float64", missing=missing)
    divisor = _divisor(dump, trees)
    return graph.Div(sums, divisor) if divisor != 1 else sums


def _divisor(dump: dict[str, Any], trees: list[Tree]) -> float:
    """By what sums are divided: 1, or in a random forest how many trees each target has."""
    return len(trees) / trees[0].values.shape[1] if dump["average_output"] else 1.0


def _trees(
    model: Any, dump: dict[str, Any], rows: Rows, graph: Graph
) -> tuple[list[Tree], Rows, bool]:
    """The trees, the rows that they look at, and whether these may hold NaN in any case."""
    outputs = dump["num_tree_per_iteration"]
    known = categories_of(model)
    rows = with_codes(known, rows, graph)
    found = [_nodes(info["tree_structure"]) for info in dump["tree_info"]]
    inner = [node for nodes in found for node in nodes if "split_feature" in node]
    zeros = {node["split_feature"] for node in inner if node["missing_type"] == "Zero"}
    splits = [split for node in inner if (split := _split(node)) is not None]
    if zeros:
        rows = _zeros_missing(sorted(zeros), rows, graph)
    rows, columns = with_memberships(splits, rows, graph)
    trees = [_tree(nodes, columns, number % outputs, outputs) for number, nodes in enumerate(found)]
    return trees, rows, bool(zeros or known)


def _nodes(root: dict[str, Any]) -> list[dict[str, Any]]:
    """A tree's nodes, the root first, each with the places of its children."""
    nodes = [dict(root)]
    for node in nodes:
        if "linear_tree" in node or "leaf_features" in node:
            raise ValueError("its leaves are linear models (linear_tree)")
        for side in ("left_child", "right_child"):
            if side in node:
                nodes.append(dict(node[side]))
                node[side] = len(nodes) - 1
    return nodes


def _split(node: dict[str, Any]) -> Split | None:
    """The categories that a node sends to the left; None for a node of numbers."""
    if node.get("decision_type") != "==":
        return None
    return node["split_feature"], frozenset(int(c) for c in str(node["threshold"]).split("||"))


def _tree(
    nodes: list[dict[str, Any]], columns: dict[Split, int], target: int, targets: int
) -> Tree:
    size = len(nodes)
    left, right = np.full(size, LEAF), np.full(size, LEAF)
    feature, threshold = np.zeros(size, np.int64), np.zeros(size)
    missing_left = np.zeros(size, bool)
    values = np.zeros((size, targets))
    for place, node in enumerate(nodes):
        if "split_feature" not in node:
            values[place, target] = node["leaf_value"]
            continue
        split = _split(node)
        if split is not None:
            # A member lies above the threshold, and goes to the left here, as LightGBM has it; a
            # missing one is no member.
            left[place], right[place] = node["right_child"], node["left_child"]
            feature[place], threshold[place] = columns[split], THRESHOLD
            missing_left[place] = True
            continue
        left[place], right[place] = node["left_child"], node["right_child"]
        feature[place], threshold[place] = node["split_feature"], node["threshold"]
        # A model that saw no missing value takes one for 0.
        missing_left[place] = (
            node["threshold"] >= 0 if node["missing_type"] == "None" else node["default_left"]
        )
    return Tree(left, right, feature, threshold, missing_left, values)


def _zeros_missing(features: list[int], rows: Rows, graph: Graph) -> Rows:
    """The rows with NaN for 0 in the columns where the model takes 0 for missing."""
    rows = through(rows, graph)
    matrix = singles(rows, graph)
    near = graph.LessOrEqual(graph.Abs(matrix), graph.exactly(np.array(_ZERO, np.float32)))
    watched = np.isin(np.arange(rows.width), features)
    return with_nan(matrix, graph.And(near, watched), rows, graph)
