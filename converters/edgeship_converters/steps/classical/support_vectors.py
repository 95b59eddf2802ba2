"""Support vector machines: a kernel against the support vectors, as one matrix product."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from edgeship_converters.steps.classical.answers import Answers, above, flat
from edgeship_converters.steps.classical.by_skl2onnx import by_skl2onnx
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.kernels import Kernel, kernel
from edgeship_converters.steps.classical.linear import dense, linear, weighed
from edgeship_converters.steps.classical.reductions import sides, with_sureness
from edgeship_converters.steps.classical.rows import Rows
from edgeship_runtime.arrays import Array


def classifier(model: Any, rows: Rows, graph: Graph) -> Answers:
    """SVC and NuSVC: one machine for each pair of classes, each pair gives one vote.

    Platt's probabilities are coupled by iteration, which ONNX's own operator does; the label is
    that of the votes all the same, as in libsvm.
    """
    answers = _decided(model, rows, graph)
    # scikit-learn 1.9 marks the option by a word where it was not given.
    if model.probability is not True:
        return answers
    return replace(answers, probabilities=by_skl2onnx(model, rows, graph).probabilities)


def _decided(model: Any, rows: Rows, graph: Graph) -> Answers:
    count = len(model.classes_)
    if count == 2:
        decision = flat(graph, _sums(model, dense(model.dual_coef_).T, rows, graph))
        return Answers(index=above(graph, decision, 0.0), decision=decision)
    pairs = list(combinations(range(count), 2))
    pairwise = _sums(model, _by_pairs(model, pairs), rows, graph)
    # A vote for the first of a pair, else for the second one.
    first, second = sides(count)
    won = graph.cast(graph.Greater(pairwise, 0.0))
    votes = linear(won, first - second, second.sum(axis=0), graph)
    index = graph.ArgMax(votes, axis=1, keepdims=0)
    if model.decision_function_shape == "ovo":
        return Answers(index=index, decision=pairwise)
    decision = with_sureness(votes, pairwise, first - second, graph)
    if model.break_ties:
        index = graph.ArgMax(decision, axis=1, keepdims=0)
    return Answers(index=index, decision=decision)


def regressor(model: Any, rows: Rows, graph: Graph) -> Answers:
    """SVR and NuSVR."""
    values = _sums(model, dense(model.dual_coef_).T, rows, graph)
    return Answers(prediction=flat(graph, values))


def one_class(model: Any, rows: Rows, graph: Graph) -> Answers:
    """OneClassSVM: an inlier where the decision is above 0."""
    decision = flat(graph, _sums(model, dense(model.dual_coef_).T, rows, graph))
    score = graph.Sub(decision, float(np.ravel(model.intercept_)[0]))
    return Answers(index=above(graph, decision, 0.0), decision=decision, score=score)


def _by_pairs(model: Any, pairs: list[tuple[int, int]]) -> Array:
    """(support vectors, pairs): libsvm keeps a vector's weight in the row of the other class."""
    coefficients = dense(model.dual_coef_)
    ends = np.cumsum(model.n_support_)
    of = [slice(end - many, end) for end, many in zip(ends, model.n_support_, strict=True)]
    weights = np.zeros((coefficients.shape[1], len(pairs)))
    for place, (one, other) in enumerate(pairs):
        weights[of[one], place] = coefficients[other - 1, of[one]]
        weights[of[other], place] = coefficients[one, of[other]]
    return weights


def _sums(model: Any, weights: Array, rows: Rows, graph: Graph) -> str:
    """(rows, sums): the kernel's values, weighted, and the intercepts.

    With a linear kernel the vectors add up beforehand: their sum loses less, and takes less.
    """
    if model.kernel == "linear":
        vectors = dense(model.support_vectors_)
        return weighed(rows, vectors.T @ weights, np.ravel(model.intercept_), graph)
    return linear(_kernel(model, rows, graph), weights, model.intercept_, graph)


def _kernel(model: Any, rows: Rows, graph: Graph) -> str:
    """(rows, support vectors)."""
    if model.kernel == "precomputed":
        return rows.take(model.support_, graph).matrix(graph)
    vectors = dense(model.support_vectors_)
    asked = Kernel(model.kernel, float(model._gamma), float(model.degree), float(model.coef0))
    return kernel(asked, rows, vectors, graph)
