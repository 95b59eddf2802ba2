"""Models that look at the rows little or not at all: the dummies, and isotonic regression."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeship_converters.steps.classical.answers import Answers, flat
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.rows import Rows
from edgeship_runtime.arrays import Array


def dummy_classifier(model: Any, rows: Rows, graph: Graph) -> Answers:
    """DummyClassifier: the same label and probabilities for every row."""
    if model._strategy not in ("most_frequent", "prior", "constant"):
        raise ValueError(
            f"its strategy is {model._strategy!r}, which draws at random: expected "
            "'most_frequent', 'prior' or 'constant'"
        )
    if model.n_outputs_ == 1:
        place, shares = _constant(model, model.classes_, model.class_prior_, model.constant)
        index = flat(graph, repeated(np.array([place]), rows, graph))
        return Answers(index=index, probabilities=repeated(shares, rows, graph))
    constants = [None] * model.n_outputs_ if model.constant is None else np.ravel(model.constant)
    found = [
        _constant(model, *one)
        for one in zip(model.classes_, model.class_prior_, constants, strict=True)
    ]
    return Answers(
        index=repeated(np.array([place for place, _ in found]), rows, graph),
        several=tuple(repeated(shares, rows, graph) for _, shares in found),
    )


def dummy_regressor(model: Any, rows: Rows, graph: Graph) -> Answers:
    """DummyRegressor: the same prediction for every row."""
    values = np.broadcast_to(np.ravel(model.constant_), (model.n_outputs_,)).astype(np.float64)
    prediction = repeated(values, rows, graph)
    return Answers(prediction=flat(graph, prediction) if model.n_outputs_ == 1 else prediction)


def isotonic(model: Any, rows: Rows, graph: Graph) -> Answers:
    """IsotonicRegression: linearly between two of its thresholds."""
    if model.out_of_bounds == "raise":
        raise ValueError(
            "its out_of_bounds is 'raise', and no ONNX file refuses a row: expected 'clip' or 'nan'"
        )
    knots = np.asarray(model.X_thresholds_, np.float64)
    levels = np.asarray(model.y_thresholds_, np.float64)
    if len(levels) == 1:
        return Answers(prediction=flat(graph, repeated(levels, rows, graph)))
    column = rows.matrix(graph)
    if model.out_of_bounds == "clip":
        column = graph.Min(graph.Max(column, float(model.X_min_)), float(model.X_max_))
    passed = graph.cast(graph.Greater(column, knots[1:-1].reshape(1, -1)))
    piece = graph.cast(graph.ReduceSum(passed, [1], keepdims=0), np.int64)
    slopes = np.diff(levels) / np.diff(knots)
    start, level, slope = (
        graph.Gather(part, piece, axis=0) for part in (knots[:-1], levels[:-1], slopes)
    )
    values = flat(graph, column)
    prediction = graph.Add(level, graph.Mul(graph.Sub(values, start), slope))
    if model.out_of_bounds == "nan":
        outside = graph.Or(graph.Less(values, knots[0]), graph.Greater(values, knots[-1]))
        prediction = graph.Where(outside, np.array(np.nan), prediction)
    return Answers(prediction=prediction)


def repeated(row: Array, rows: Rows, graph: Graph) -> str:
    """(rows, n) of the same n values."""
    many = graph.Slice(graph.Shape(rows.blocks[0].value), [0], [1])
    return graph.Expand(row.reshape(1, -1), graph.Concat(many, [1], axis=0))


def _constant(model: Any, classes: Array, prior: Array, constant: Any) -> tuple[int, Array]:
    """The place of the class that is always chosen, and the probabilities of all classes."""
    if model._strategy == "constant":
        place = int(np.flatnonzero(np.asarray(classes) == np.ravel(constant)[0])[0])
    else:
        place = int(np.argmax(prior))
    if model._strategy == "prior":
        return place, np.asarray(prior, np.float64)
    return place, np.eye(len(classes))[place]
