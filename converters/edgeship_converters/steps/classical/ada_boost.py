"""AdaBoost: weighted votes of classifiers, or the weighted median of regressors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.tree import BaseDecisionTree

from edgeship_converters.steps.classical.answers import Answers, above, flat, two_columns
from edgeship_converters.steps.classical.baselines import repeated
from edgeship_converters.steps.classical.dispatch import through
from edgeship_converters.steps.classical.ensembles import Tree, ensemble
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.meta import places_among
from edgeship_converters.steps.classical.rows import Rows, joined
from edgeship_runtime.arrays import Array


def classifier(model: Any, rows: Rows, graph: Graph) -> Answers:
    """AdaBoostClassifier: the class with the most weight, of two the second one above 0.

    Weights are summed in float64 and in scikit-learn's order, so that ties are the same ones.
    """
    count = len(model.classes_)
    if count == 1:
        return _always(rows, graph)
    votes = graph.Unsqueeze(_votes(model, rows, graph), [2])
    asked = np.array([1]) if count == 2 else np.arange(count)
    weights = _weights(model)[:, None]
    with graph.computing_in(np.float64):
        given = graph.Where(graph.Equal(votes, asked), weights, -1 / (count - 1) * weights)
        sums = _last(graph.CumSum(given, np.array(1)), len(weights), graph)
        decision = graph.Div(sums, float(model.estimator_weights_.sum()))
        if count == 2:
            second = flat(graph, decision)
            # The first class's share is the second one's with the sign changed.
            decision = graph.Add(second, second)
            index = above(graph, decision, 0.0)
            likely = two_columns(graph, graph.Sigmoid(decision))
        else:
            index = graph.ArgMax(decision, axis=1, keepdims=0)
            likely = graph.Softmax(graph.Div(decision, count - 1.0), axis=1)
        answers = Answers(index=index, decision=decision, probabilities=likely)
    return answers.in_reals_of(graph)


def regressor(model: Any, rows: Rows, graph: Graph) -> Answers:
    """AdaBoostRegressor: the first prediction, in their order, that half of the weight reaches."""
    given = _predictions(model, rows, graph)
    weights = _weights(model)
    many = len(weights)
    ordered, places = graph.node("TopK", given, [many], outputs=2, axis=1, largest=0)
    with graph.computing_in(np.float64):
        heaped = graph.CumSum(graph.Gather(weights, places, axis=0), np.array(1))
        half = graph.Mul(graph.Slice(heaped, [many - 1], [many], [1]), 0.5)
    behind = graph.cast(graph.Less(heaped, half), np.int64)
    median = graph.ArgMin(behind, axis=1, keepdims=1)
    return Answers(prediction=flat(graph, graph.GatherElements(ordered, median, axis=1)))


def _always(rows: Rows, graph: Graph) -> Answers:
    """Of a single class."""
    return Answers(
        index=flat(graph, repeated(np.array([0]), rows, graph)),
        decision=repeated(np.zeros(1), rows, graph),
        probabilities=repeated(np.ones(1), rows, graph),
    )


def _votes(model: Any, rows: Rows, graph: Graph) -> str:
    """int64 (rows, estimators), the place among all classes of the one that each chooses."""
    known = [np.array(places_among(one, model.classes_)) for one in model.estimators_]
    if _are_trees(model):
        chosen = [
            places[one.tree_.value[:, 0].argmax(axis=1)]
            for one, places in zip(model.estimators_, known, strict=True)
        ]
        return graph.cast(_by_trees(model.estimators_, chosen, rows, graph), np.int64)
    rows = through(rows, graph)
    columns = []
    for one, places in zip(model.estimators_, known, strict=True):
        index = graph.answer(one, rows).index
        if index is None:
            raise ValueError("a model inside it gives no label")
        columns.append(graph.Unsqueeze(graph.Gather(places, index, axis=0), [1]))
    return joined(columns, graph)


def _predictions(model: Any, rows: Rows, graph: Graph) -> str:
    """(rows, estimators), what each regressor predicts."""
    if _are_trees(model):
        values = [one.tree_.value[:, 0, 0] for one in model.estimators_]
        return _by_trees(model.estimators_, values, rows, graph)
    rows = through(rows, graph)
    columns = []
    for one in model.estimators_:
        prediction = graph.answer(one, rows).prediction
        if prediction is None:
            raise ValueError("a model inside it gives no prediction")
        columns.append(graph.Unsqueeze(flat(graph, prediction), [1]))
    return joined(columns, graph)


def _are_trees(model: Any) -> bool:
    return all(isinstance(one, BaseDecisionTree) for one in model.estimators_)


def _by_trees(estimators: Sequence[Any], values: Sequence[Array], rows: Rows, graph: Graph) -> str:
    """(rows, trees), the value of the leaf that a row ends in, of each tree."""
    trees = []
    for place, (estimator, value) in enumerate(zip(estimators, values, strict=True)):
        tree = estimator.tree_
        # Each tree gives its value as a target of its own.
        targets = np.zeros((tree.node_count, len(estimators)))
        targets[:, place] = value
        trees.append(
            Tree(
                left=tree.children_left,
                right=tree.children_right,
                feature=tree.feature,
                threshold=tree.threshold,
                missing_left=tree.missing_go_to_left,
                values=targets,
            )
        )
    return ensemble(trees, rows, graph)


def _weights(model: Any) -> Array:
    """float64, of the estimators that were kept; a round that failed leaves a 0 behind."""
    return np.asarray(model.estimator_weights_, np.float64)[: len(model.estimators_)]


def _last(heaped: str, many: int, graph: Graph) -> str:
    """(rows, many, n) as (rows, n), the last ones."""
    return graph.Gather(heaped, np.array(many - 1), axis=1)
