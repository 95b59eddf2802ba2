"""Linear models: regressors with their links, classifiers, one-class detectors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from edgeship_converters.steps.classical.answers import (
    Answers,
    above,
    flat,
    reached,
    shares_or_even,
    two_columns,
)
from edgeship_converters.steps.classical.dispatch import through
from edgeship_converters.steps.classical.exactly import less
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.rows import Rows, reals
from edgeship_converters.steps.classical.scaling import affine
from edgeship_runtime.arrays import Array

# How many times its spread a column's centre may lie from 0 for the scaler to be folded in.
_FARTHEST = {"float32": 8.0, "float64": 2.0**20}


def regressor(model: Any, rows: Rows, graph: Graph) -> Answers:
    """x·coef_ᵀ + intercept_, of one output or several."""
    return Answers(prediction=_values(model.coef_, model.intercept_, rows, graph))


def log_link_regressor(model: Any, rows: Rows, graph: Graph) -> Answers:
    """A generalized linear model: the exponential of the linear part, or that part itself."""
    values = _values(model.coef_, model.intercept_, rows, graph)
    link = type(model._base_loss.link).__name__
    if link not in ("LogLink", "IdentityLink"):
        raise ValueError(f"its link is a {link}, which has no ONNX form here")
    return Answers(prediction=graph.Exp(values) if link == "LogLink" else values)


def classifier(model: Any, rows: Rows, graph: Graph) -> Answers:
    """The largest decision value wins, or with two classes the second one above 0."""
    if len(model.classes_) == 1:
        raise ValueError("it knows a single class")
    decision = _values(model.coef_, model.intercept_, rows, graph)
    if getattr(model, "_label_binarizer", None) is not None and (
        model._label_binarizer.y_type_.startswith("multilabel")
    ):
        # RidgeClassifier decides each label on its own.
        return Answers(index=above(graph, decision, 0.0), decision=decision)
    if _is_sigmoid(model):
        # Both classes at once: the first one's score is the second one's with the sign changed.
        factor = _factor(model)
        weights = factor * dense(model.coef_)
        bias = factor * np.ravel(model.intercept_)
        both = weighed(
            rows, np.concatenate([-weights, weights]).T, np.concatenate([-bias, bias]), graph
        )
        likely = graph.Sigmoid(both)
        index = graph.ArgMax(both, axis=1, keepdims=0)
        return Answers(index=index, decision=decision, probabilities=likely)
    probabilities = _probabilities(model, decision, graph)
    return Answers(
        index=winner(model, decision, graph), decision=decision, probabilities=probabilities
    )


def one_class(model: Any, rows: Rows, graph: Graph) -> Answers:
    """SGDOneClassSVM: an inlier where the decision is 0 or more."""
    score = _values(np.ravel(model.coef_), 0.0, rows, graph)
    return outlier(model, score, graph)


def discriminant(model: Any, rows: Rows, graph: Graph) -> Answers:
    """LinearDiscriminantAnalysis: a linear classifier, and a projection."""
    answers = classifier(model, rows, graph)
    if model.solver == "lsqr":
        return answers
    scalings = model.scalings_[:, : model._max_components]
    centre = model.xbar_ if model.solver == "svd" else np.zeros(len(scalings))
    moved = less(through(rows, graph).matrix(graph), centre, graph)
    projected = graph.MatMul(moved, scalings)
    return replace(answers, transformed=Rows.of(projected, scalings.shape[1], graph))


def outlier(model: Any, score: str, graph: Graph) -> Answers:
    """An outlier detector: place 1 of (-1, 1), an inlier, where score - offset_ is 0 or more."""
    decision = graph.Sub(score, np.ravel(model.offset_).item())
    return Answers(index=reached(graph, decision, 0.0), decision=decision, score=score)


def winner(model: Any, decision: str, graph: Graph) -> str:
    """The place of the class that decision values choose."""
    if len(model.classes_) == 2:
        return above(graph, decision, 0.0)
    return graph.ArgMax(decision, axis=1, keepdims=0)


def weighed(rows: Rows, weights: Array, bias: Array, graph: Graph) -> str:
    """rows·weights + bias, scalers that the rows have yet to pass folded into both."""
    behind = list(rows.behind)
    while behind and (scaler := affine(behind[-1])) is not None:
        slope, shift = scaler
        # What is far from 0 against its spread loses its last bits, unless it is moved first.
        if not np.abs(shift).max(initial=0.0) <= _FARTHEST[reals(graph)]:
            break
        bias = bias + shift @ weights
        weights = slope[:, None] * weights
        behind.pop()
    passed = through(replace(rows, behind=tuple(behind)), graph)
    return linear(passed.matrix(graph), weights, bias, graph)


def linear(rows: str, weights: Array, bias: Array | float, graph: Graph) -> str:
    """rows·weights + bias, with weights (columns, outputs) and bias (outputs,)."""
    bias = np.broadcast_to(np.asarray(bias, np.float64), weights.shape[1:])
    if not bias.any():
        return graph.MatMul(rows, np.asarray(weights, np.float64))
    return graph.Gemm(rows, np.asarray(weights, np.float64), bias)


def dense(array: Any) -> Array:
    """A fitted array, sparse or not, as float64."""
    return np.asarray(array.toarray() if hasattr(array, "toarray") else array, np.float64)


def _values(coefficients: Any, intercept: Any, rows: Rows, graph: Graph) -> str:
    """(rows,) for one set of coefficients or a single class boundary, else (rows, outputs)."""
    weights = dense(coefficients)
    bias = np.asarray(intercept, np.float64)
    values = weighed(rows, np.atleast_2d(weights).T, np.ravel(bias), graph)
    single = weights.ndim == 1 or (weights.shape[0] == 1 and bias.ndim < 2)
    return flat(graph, values) if single else values


def _is_sigmoid(model: Any) -> bool:
    """Whether it gives probabilities of two classes by the logistic function."""
    two = hasattr(model, "predict_proba") and len(model.classes_) == 2
    return two and getattr(model, "loss", None) != "modified_huber"


def _factor(model: Any) -> float:
    # Before scikit-learn 1.8 LogisticRegression could be asked for the form of several classes.
    return 2.0 if getattr(model, "multi_class", None) == "multinomial" else 1.0


def _probabilities(model: Any, decision: str, graph: Graph) -> str | None:
    if not hasattr(model, "predict_proba"):
        return None
    if getattr(model, "loss", None) == "modified_huber":
        return _modified_huber(decision, graph, two=len(model.classes_) == 2)
    one_against_rest = (
        type(model).__name__ == "SGDClassifier"
        or getattr(model, "multi_class", None) == "ovr"
        or getattr(model, "solver", None) == "liblinear"
    )
    if one_against_rest:
        # Shares of sigmoids, by their logarithms: far from all classes the sigmoids are 0.
        return graph.Softmax(graph.Neg(graph.Softplus(graph.Neg(decision))), axis=1)
    return graph.Softmax(decision, axis=1)


def _modified_huber(decision: str, graph: Graph, *, two: bool) -> str:
    """SGDClassifier's probabilities: (clip(d, -1, 1) + 1) / 2, shared out over the classes."""
    clipped = graph.Div(graph.Add(graph.Max(graph.Min(decision, 1.0), -1.0), 1.0), 2.0)
    if two:
        return two_columns(graph, clipped)
    # A row that all classes refuse gets the same share of each.
    return shares_or_even(graph, clipped)
