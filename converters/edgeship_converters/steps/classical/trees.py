"""scikit-learn's decision trees, forests, gradient boosting and isolation forests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.ensemble._iforest import _average_path_length

from edgeship_converters.steps.classical.answers import Answers, flat
from edgeship_converters.steps.classical.ensembles import Tree, ensemble, most_likely
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.linear import outlier
from edgeship_converters.steps.classical.rows import Rows
from edgeship_runtime.arrays import Array


def classifier(model: Any, rows: Rows, graph: Graph) -> Answers:
    """A tree or a forest: the mean of its leaves' class shares, the first class on a tie.

    A leaf votes with its own shares, which are 1 and 0 in a fully grown tree and sum exactly; the
    number of trees divides the sums only where probabilities are given. With 1/n as each tree's
    weight, 50 votes against 50 need not be a tie in float32.
    """
    trees = _compiled(model)
    several = isinstance(model.classes_, list)
    classes = model.classes_ if several else [model.classes_]
    places = []
    probabilities = []
    for output, names in enumerate(classes):
        values = [tree.value[:, output, : len(names)] for tree in trees]
        shares = [v / v.sum(axis=1, keepdims=True) for v in values]
        votes = ensemble(_trees(trees, shares), rows, graph, exact=True)
        places.append(graph.ArgMax(votes, axis=1, keepdims=1 if several else 0))
        probabilities.append(graph.Div(graph.cast(votes), float(len(trees))))
    if not several:
        return Answers(index=places[0], probabilities=probabilities[0])
    return Answers(index=graph.Concat(*places, axis=1), several=tuple(probabilities))


def regressor(model: Any, rows: Rows, graph: Graph) -> Answers:
    """A tree or a forest: the mean of its leaves' values."""
    trees = _compiled(model)
    values = ensemble(_trees(trees, [tree.value[:, :, 0] for tree in trees]), rows, graph)
    if len(trees) > 1:
        values = graph.Div(values, float(len(trees)))
    return Answers(prediction=flat(graph, values) if model.n_outputs_ == 1 else values)


def boosted_classifier(model: Any, rows: Rows, graph: Graph) -> Answers:
    """GradientBoostingClassifier, where its first guess is the same for every row."""
    # The exponential loss takes half of the log-odds.
    factor = 2.0 if model.loss == "exponential" else 1.0
    guess = _first_guess(model)
    two = len(model.classes_) == 2
    likely = most_likely(_boosted(model, factor), guess * factor, rows, graph, even_is_second=two)
    raw = graph.Add(ensemble(_boosted(model), rows, graph, exact=True), guess)
    return replace(likely, decision=flat(graph, raw) if two else raw)


def boosted_regressor(model: Any, rows: Rows, graph: Graph) -> Answers:
    """GradientBoostingRegressor, where its first guess is the same for every row."""
    raw = graph.Add(ensemble(_boosted(model), rows, graph), _first_guess(model))
    return Answers(prediction=flat(graph, raw))


def isolation_forest(model: Any, rows: Rows, graph: Graph) -> Answers:
    """IsolationForest: how soon a row is alone, on the average over all trees."""
    trees = [estimator.tree_ for estimator in model.estimators_]
    # What an isolated leaf's depth is, with what its rows would add, as scikit-learn has it.
    depths = [
        (length + average - 1.0)[:, None]
        for length, average in zip(
            model._decision_path_lengths, model._average_path_length_per_tree, strict=True
        )
    ]
    total = flat(graph, ensemble(_trees(trees, depths, model.estimators_features_), rows, graph))
    most = float(_average_path_length([model._max_samples])[0]) * len(trees)
    score = graph.Neg(graph.Pow(2.0, graph.Div(graph.Neg(total), most)))
    return outlier(model, score, graph)


def embedding(model: Any, rows: Rows, graph: Graph) -> Answers:
    """RandomTreesEmbedding: a column for each leaf of each tree, 1 where a row ends in it."""
    trees = _compiled(model)
    leaves = [np.asarray(known) for known in model.one_hot_encoder_.categories_]
    numbers = []
    for place, tree in enumerate(trees):
        # A tree gives the number of the leaf, as a target of its own.
        number = np.zeros((tree.node_count, len(trees)))
        number[:, place] = np.arange(tree.node_count)
        numbers.append(number)
    ended = ensemble(_trees(trees, numbers), rows, graph)
    columns = np.repeat(np.arange(len(trees)), [len(known) for known in leaves])
    asked = np.concatenate(leaves).astype(np.float64)
    hot = graph.cast(graph.Equal(graph.Gather(ended, columns, axis=1), asked))
    return Answers(transformed=Rows.of(hot, len(columns), graph))


def _compiled(model: Any) -> list[Any]:
    estimators = getattr(model, "estimators_", None)
    return [model.tree_] if estimators is None else [tree.tree_ for tree in estimators]


def _trees(
    compiled: Sequence[Any], values: Sequence[Array], features: Sequence[Array] | None = None
) -> list[Tree]:
    """Compiled trees with values of their nodes, each tree on the columns it was given."""
    return [
        Tree(
            left=tree.children_left,
            right=tree.children_right,
            feature=tree.feature
            if features is None
            else np.asarray(features[number])[np.maximum(tree.feature, 0)],
            threshold=tree.threshold,
            missing_left=tree.missing_go_to_left,
            values=value,
        )
        for number, (tree, value) in enumerate(zip(compiled, values, strict=True))
    ]


def _boosted(model: Any, factor: float = 1.0) -> list[Tree]:
    outputs = model.estimators_.shape[1]
    compiled = [tree.tree_ for tree in model.estimators_.ravel()]
    values = []
    for number, tree in enumerate(compiled):
        value = np.zeros((tree.node_count, outputs))
        value[:, number % outputs] = tree.value[:, 0, 0] * model.learning_rate * factor
        values.append(value)
    return _trees(compiled, values)


def _first_guess(model: Any) -> Array:
    if not (model.init_ == "zero" or type(model.init_).__name__.startswith("Dummy")):
        raise ValueError("its first guess is another model (init)")
    guess: Array = np.ravel(model._raw_predict_init(np.zeros((1, model.n_features_in_))))
    return guess
