"""Several classes by classifiers of two: one against another, or by the bits of a code."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from sklearn.base import is_regressor

from edgeship_converters.steps.classical.answers import Answers, above, flat
from edgeship_converters.steps.classical.baselines import repeated
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.linear import linear
from edgeship_converters.steps.classical.rows import Rows, joined
from edgeship_runtime.arrays import Array


def one_against_one(model: Any, rows: Rows, graph: Graph) -> Answers:
    """OneVsOneClassifier: a classifier for each pair of classes has one vote."""
    columns = model.pairwise_indices_ or [None] * len(model.estimators_)
    votes, sure = [], []
    for estimator, own in zip(model.estimators_, columns, strict=True):
        if is_regressor(estimator):
            raise ValueError("its estimator is a regressor, whose predictions are no votes")
        # Of a kernel's values each pair takes those of its own rows of the fit.
        part = graph.answer(estimator, rows if own is None else rows.take(list(own), graph))
        if part.index is None:
            raise ValueError("a model inside it gives no label")
        votes.append(graph.Unsqueeze(graph.cast(part.index), [1]))
        sure.append(_sure(estimator, part, graph))
    first, second = sides(len(model.classes_))
    counted = linear(joined(votes, graph), second - first, first.sum(axis=0), graph)
    decision = with_sureness(counted, joined(sure, graph), second - first, graph)
    if len(model.classes_) > 2:
        return Answers(index=graph.ArgMax(decision, axis=1, keepdims=0), decision=decision)
    decision = flat(graph, graph.Gather(decision, [1], axis=1))
    threshold = 0.0 if hasattr(model.estimators_[0], "decision_function") else 0.5
    return Answers(index=above(graph, decision, threshold), decision=decision)


def by_code(model: Any, rows: Rows, graph: Graph) -> Answers:
    """OutputCodeClassifier: the class whose code is the nearest (Dietterich and Bakiri, 1995)."""
    sure = []
    for estimator in model.estimators_:
        part = graph.answer(estimator, rows)
        sure.append(_sure(estimator, part, graph))
    book = np.asarray(model.code_book_, np.float64)
    # Of classes with the same code the first one is chosen, whatever is rounded.
    classes = np.sort(np.unique(book, axis=0, return_index=True)[1])
    codes = book[classes]
    distances = linear(joined(sure, graph), -2.0 * codes.T, (codes**2).sum(axis=1), graph)
    nearest = graph.ArgMin(distances, axis=1, keepdims=0)
    return Answers(index=graph.Gather(classes, nearest, axis=0))


def constant(model: Any, rows: Rows, graph: Graph) -> Answers:
    """What stands for a classifier of two where the fit met one: the same for every row."""
    always = np.asarray(model.y_, np.float64)
    decision = flat(graph, repeated(always, rows, graph))
    both = np.concatenate([1.0 - always, always])
    return Answers(decision=decision, probabilities=repeated(both, rows, graph))


def sides(count: int) -> tuple[Array, Array]:
    """(pairs, classes) of 1 and 0, the first class of each pair of classes, and the second."""
    pairs = np.array(list(combinations(range(count), 2)))
    eye = np.eye(count)
    return eye[pairs[:, 0]], eye[pairs[:, 1]]


def with_sureness(votes: str, pairwise: str, signs: Array, graph: Graph) -> str:
    """Votes, and below one third of a vote how sure they are; `_ovr_decision_function` there.

    Args:
        votes: (rows, classes).
        pairwise: (rows, pairs), how sure the classifier of each pair is.
        signs: (pairs, classes), 1 for the class that it is sure of above 0, -1 for the other one.
        graph: where the sum is added.
    """
    sums = graph.MatMul(pairwise, signs)
    share = graph.Mul(3.0, graph.Add(graph.Abs(sums), 1.0))
    return graph.Add(votes, graph.Div(sums, share))


def _sure(estimator: Any, part: Answers, graph: Graph) -> str:
    """(rows, 1), how sure a model is of the second of two classes."""
    if is_regressor(estimator):
        value, name = part.prediction, "prediction"
    elif hasattr(estimator, "decision_function"):
        value, name = part.decision, "decision"
    else:
        value, name = part.probabilities, "probabilities"
    if value is None:
        raise ValueError(f"a model inside it gives no {name}")
    if name == "probabilities":
        return graph.Gather(value, [1], axis=1)
    return graph.Unsqueeze(value, [1])
