"""Decision trees and their ensembles; thresholds are exact float32 ones, see `exact_trees`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.ensemble._iforest import _average_path_length
from sklearn.tree._tree import TREE_LEAF

from edgeship_converters.steps.classical.answers import Answers, flat, reached, two_columns
from edgeship_converters.steps.classical.graph import ML, Graph
from edgeship_converters.steps.classical.linear import outlier
from edgeship_converters.steps.classical.rows import Rows
from edgeship_converters.steps.exact_trees import with_exact_thresholds
from edgeship_runtime.arrays import Array


def classifier(model: Any, rows: Rows, graph: Graph) -> Answers:
    """A tree or a forest: the mean of its leaves' class shares, the first class on a tie.

    A leaf votes with its own shares, which are 1 and 0 in a fully grown tree and sum exactly; the
    number of trees divides the sums only where probabilities are given. With 1/n as each tree's
    weight, 50 votes against 50 need not be a tie in float32.
    """
    trees = _trees(with_exact_thresholds(model))
    several = isinstance(model.classes_, list)
    classes = model.classes_ if several else [model.classes_]
    places = []
    probabilities = []
    for output, names in enumerate(classes):
        values = [tree.value[:, output, : len(names)] for tree in trees]
        shares = [v / v.sum(axis=1, keepdims=True) for v in values]
        votes = ensemble(trees, shares, rows, graph)
        places.append(graph.ArgMax(votes, axis=1, keepdims=1 if several else 0))
        probabilities.append(graph.Div(votes, float(len(trees))))
    if not several:
        return Answers(index=places[0], probabilities=probabilities[0])
    return Answers(index=graph.Concat(*places, axis=1), several=tuple(probabilities))


def regressor(model: Any, rows: Rows, graph: Graph) -> Answers:
    """A tree or a forest: the mean of its leaves' values."""
    trees = _trees(with_exact_thresholds(model))
    values = ensemble(trees, [tree.value[:, :, 0] for tree in trees], rows, graph)
    if len(trees) > 1:
        values = graph.Div(values, float(len(trees)))
    return Answers(prediction=flat(graph, values) if model.n_outputs_ == 1 else values)


def boosted_classifier(model: Any, rows: Rows, graph: Graph) -> Answers:
    """GradientBoostingClassifier, where its first guess is the same for every row."""
    raw = _boosted(model, rows, graph)
    if len(model.classes_) > 2:
        return Answers(
            index=graph.ArgMax(raw, axis=1, keepdims=0),
            decision=raw,
            probabilities=graph.Softmax(raw, axis=1),
        )
    decision = flat(graph, raw)
    # The exponential loss takes half of the log-odds.
    logit = graph.Mul(decision, 2.0) if model.loss == "exponential" else decision
    return Answers(
        # scikit-learn decides by raw values, a tie of which goes to the second class.
        index=reached(graph, decision, 0.0),
        decision=decision,
        probabilities=two_columns(graph, graph.Sigmoid(logit)),
    )


def boosted_regressor(model: Any, rows: Rows, graph: Graph) -> Answers:
    """GradientBoostingRegressor, where its first guess is the same for every row."""
    return Answers(prediction=flat(graph, _boosted(model, rows, graph)))


def isolation_forest(model: Any, rows: Rows, graph: Graph) -> Answers:
    """IsolationForest: how soon a row is alone, on the average over all trees."""
    # What an isolated leaf's depth is, with what its rows would add, as scikit-learn has it.
    trees = [estimator.tree_ for estimator in with_exact_thresholds(model).estimators_]
    depths = [
        (length + average - 1.0)[:, None]
        for length, average in zip(
            model._decision_path_lengths, model._average_path_length_per_tree, strict=True
        )
    ]
    if model._max_features < model.n_features_in_:
        raise ValueError("its trees look at some features each (max_features)")
    total = flat(graph, ensemble(trees, depths, rows, graph))
    most = float(_average_path_length([model._max_samples])[0]) * len(trees)
    score = graph.Neg(graph.Pow(2.0, graph.Div(graph.Neg(total), most)))
    return outlier(model, score, graph)


def ensemble(trees: Sequence[Any], values: Sequence[Array], rows: Rows, graph: Graph) -> str:
    """(rows, targets): over all trees, the sum of the values of the leaves that a row ends in.

    Args:
        trees: scikit-learn's compiled trees, their thresholds float32 numbers.
        values: for each tree (nodes, targets).
    """
    leaves = [tree.children_left == TREE_LEAF for tree in trees]
    leaf = np.concatenate(leaves)
    (votes,) = graph.node(
        "TreeEnsembleRegressor",
        graph.cast(rows.matrix(graph), np.float32),
        domain=ML,
        aggregate_function="SUM",
        post_transform="NONE",
        n_targets=values[0].shape[1],
        nodes_treeids=np.repeat(np.arange(len(trees)), [t.node_count for t in trees]),
        nodes_nodeids=np.concatenate([np.arange(tree.node_count) for tree in trees]),
        nodes_modes=np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        nodes_featureids=np.where(leaf, 0, np.concatenate([tree.feature for tree in trees])),
        nodes_values=_float32(np.where(leaf, 0.0, np.concatenate([t.threshold for t in trees]))),
        nodes_truenodeids=np.where(leaf, 0, np.concatenate([t.children_left for t in trees])),
        nodes_falsenodeids=np.where(leaf, 0, np.concatenate([t.children_right for t in trees])),
        **_targets(leaves, values),
    )
    return graph.cast(votes) if graph.real != np.float32 else votes


def _targets(leaves: Sequence[Array], values: Sequence[Array]) -> dict[str, Any]:
    found: list[list[Array]] = []
    for number, (leaf, value) in enumerate(zip(leaves, values, strict=True)):
        places = np.flatnonzero(leaf)
        given = np.asarray(value, np.float64)[places]
        row, target = np.nonzero(given)
        if not len(row):
            # A tree must vote, if only with 0.
            row, target = np.array([0]), np.array([0])
        found.append([np.full(len(row), number), places[row], target, given[row, target]])
    tree_ids, node_ids, targets, weights = (
        np.concatenate(column) for column in zip(*found, strict=True)
    )
    return {
        "target_treeids": tree_ids,
        "target_nodeids": node_ids,
        "target_ids": targets,
        "target_weights": _float32(weights),
    }


def _float32(values: Array) -> list[float]:
    rounded: list[float] = values.astype(np.float32).tolist()
    return rounded


def _trees(model: Any) -> list[Any]:
    estimators = getattr(model, "estimators_", None)
    return [model.tree_] if estimators is None else [tree.tree_ for tree in estimators]


def _boosted(model: Any, rows: Rows, graph: Graph) -> str:
    exact = with_exact_thresholds(model)
    if not (model.init_ == "zero" or type(model.init_).__name__.startswith("Dummy")):
        raise ValueError("its first guess is another model (init)")
    first = np.ravel(model._raw_predict_init(np.zeros((1, model.n_features_in_))))
    outputs = exact.estimators_.shape[1]
    trees = [tree.tree_ for tree in exact.estimators_.ravel()]
    values = []
    for number, tree in enumerate(trees):
        value = np.zeros((tree.node_count, outputs))
        value[:, number % outputs] = tree.value[:, 0, 0] * model.learning_rate
        values.append(value)
    return graph.Add(ensemble(trees, values, rows, graph), first)
