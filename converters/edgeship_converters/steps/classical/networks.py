"""Layers of weighted sums: multi-layer perceptrons and the restricted Boltzmann machine."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeship_converters.steps.classical.answers import (
    Answers,
    above,
    flat,
    most_probable,
    two_columns,
)
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.linear import linear, weighed
from edgeship_converters.steps.classical.rows import Rows


def classifier(model: Any, rows: Rows, graph: Graph) -> Answers:
    """MLPClassifier: of two classes, of more, or of several labels a row."""
    if len(model.classes_) == 1:
        raise ValueError("it knows a single class")
    output = _forward(model, rows, graph)
    if model.out_activation_ == "softmax":
        return most_probable(graph, output)
    if model.n_outputs_ == 1:
        second = flat(graph, output)
        return Answers(index=above(graph, second, 0.5), probabilities=two_columns(graph, second))
    return Answers(index=above(graph, output, 0.5), probabilities=output)


def regressor(model: Any, rows: Rows, graph: Graph) -> Answers:
    """MLPRegressor, of one output or several."""
    output = _forward(model, rows, graph)
    return Answers(prediction=flat(graph, output) if model.n_outputs_ == 1 else output)


def boltzmann(model: Any, rows: Rows, graph: Graph) -> Answers:
    """BernoulliRBM: how probable it is that each hidden unit is on."""
    weights = np.asarray(model.components_).T
    hidden = linear(rows.matrix(graph), weights, model.intercept_hidden_, graph)
    return Answers(transformed=Rows.of(graph.Sigmoid(hidden), weights.shape[1], graph))


def _forward(model: Any, rows: Rows, graph: Graph) -> str:
    """(rows, outputs), what the last layer gives."""
    last = len(model.coefs_) - 1
    values = ""
    for place, (weights, bias) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        if place == 0:
            values = weighed(rows, weights, bias, graph)
        else:
            values = linear(values, weights, bias, graph)
        name = model.out_activation_ if place == last else model.activation
        values = _activated(name, values, graph)
    return values


def _activated(name: str, values: str, graph: Graph) -> str:
    match name:
        case "identity":
            return values
        case "relu":
            return graph.Relu(values)
        case "tanh":
            return graph.Tanh(values)
        case "logistic":
            return graph.Sigmoid(values)
        case "exp":
            return graph.Exp(values)
        case "softmax":
            return graph.Softmax(values, axis=1)
    raise ValueError(f"its activation {name!r} has no ONNX form here")
