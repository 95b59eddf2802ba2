"""Classifiers by Bayes' rule: naive ones, and quadratic discriminants."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeship_converters.steps.classical.answers import Answers, flat
from edgeship_converters.steps.classical.exactly import less, more_than
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.linear import linear
from edgeship_converters.steps.classical.mixtures import mahalanobis
from edgeship_converters.steps.classical.rows import Rows
from edgeship_runtime.arrays import Array


def gaussian(model: Any, rows: Rows, graph: Graph) -> Answers:
    """GaussianNB: normal densities of each column, as one product with z and z² side by side."""
    centre = model.theta_.mean(axis=0)
    means = model.theta_ - centre
    moved = less(rows.matrix(graph), centre, graph)
    both = graph.Concat(moved, graph.Mul(moved, moved), axis=1)
    weights = np.concatenate([means / model.var_, -0.5 / model.var_], axis=1)
    bias = _logs(model.class_prior_) - 0.5 * (
        np.log(2 * np.pi * model.var_) + means**2 / model.var_
    ).sum(axis=1)
    return _by_sums(both, weights, bias, graph)


def multinomial(model: Any, rows: Rows, graph: Graph) -> Answers:
    """MultinomialNB: counts times the logs of their probabilities."""
    return _by_sums(rows.matrix(graph), model.feature_log_prob_, model.class_log_prior_, graph)


def complement(model: Any, rows: Rows, graph: Graph) -> Answers:
    """ComplementNB: counts times weights learned from all other classes."""
    bias = np.zeros(len(model.classes_))
    return _by_sums(rows.matrix(graph), model.feature_log_prob_, bias, graph)


def bernoulli(model: Any, rows: Rows, graph: Graph) -> Answers:
    """BernoulliNB: columns that are on or off, above a threshold where the model has one."""
    values = rows.matrix(graph)
    if model.binarize is not None:
        values = graph.cast(more_than(values, model.binarize, graph))
    off = np.log(1 - np.exp(model.feature_log_prob_))
    bias = model.class_log_prior_ + off.sum(axis=1)
    return _by_sums(values, model.feature_log_prob_ - off, bias, graph)


def categorical(model: Any, rows: Rows, graph: Graph) -> Answers:
    """CategoricalNB: for each column the category's log probability, looked up.

    A category that the model does not know, which it refuses, gets NaN.
    """
    tables = [np.asarray(table).T for table in model.feature_log_prob_]
    many = np.array([len(table) for table in tables])
    unknown = np.full((1, len(model.classes_)), np.nan)
    joined = np.concatenate([part for table in tables for part in (table, unknown)])
    starts = np.concatenate([[0], np.cumsum(many + 1)[:-1]])
    found = graph.Min(graph.cast(rows.matrix(graph), np.int64), many)
    logs = graph.Gather(joined, graph.Add(found, starts), axis=0)
    likely = graph.ReduceSum(logs, [1], keepdims=0)
    return _most_likely(graph.Add(likely, np.asarray(model.class_log_prior_)), graph)


def quadratic(model: Any, rows: Rows, graph: Graph) -> Answers:
    """QuadraticDiscriminantAnalysis: the squared distance to each class by its own covariance."""
    factors = [
        rotation * scaling**-0.5
        for rotation, scaling in zip(model.rotations_, model.scalings_, strict=True)
    ]
    squares = mahalanobis(rows, np.asarray(model.means_), factors, graph)
    volume = np.array([np.log(scaling).sum() for scaling in model.scalings_])
    bias = _logs(model.priors_) - 0.5 * volume
    scores = graph.Add(graph.Mul(squares, -0.5), bias)
    answers = _most_likely(scores, graph)
    decision = scores
    if len(model.classes_) == 2:
        decision = flat(graph, graph.MatMul(scores, np.array([[-1.0], [1.0]])))
    return Answers(answers.index, answers.probabilities, decision)


def _by_sums(values: str, weights: Array, bias: Array, graph: Graph) -> Answers:
    """Classes by values·weightsᵀ + bias, with weights (classes, columns)."""
    weights = np.asarray(weights, np.float64)
    bias = np.asarray(bias, np.float64)
    if np.isfinite(weights).all() and np.isfinite(bias).all():
        # What all classes have in common decides nothing, and costs float32 its last digits.
        weights = weights - weights.mean(axis=0)
        bias = bias - bias.mean()
    return _most_likely(linear(values, weights.T, bias, graph), graph)


def _most_likely(logs: str, graph: Graph) -> Answers:
    """Classes by the logs of their likelihoods, up to what all have in common."""
    return Answers(
        index=graph.ArgMax(logs, axis=1, keepdims=0), probabilities=graph.Softmax(logs, axis=1)
    )


def _logs(shares: Array) -> Array:
    """Their logs; a class of no share at all is never chosen."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(shares), np.float64)
