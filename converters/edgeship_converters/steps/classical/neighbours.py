"""Models that answer by the nearest of the points that they were fitted on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from edgeship_converters.steps.classical.answers import (
    Answers,
    flat,
    most_probable,
    reached,
    shares,
)
from edgeship_converters.steps.classical.distances import (
    Nearest,
    metric_of,
    nearest,
    to_points,
)
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.linear import dense
from edgeship_converters.steps.classical.rows import Rows
from edgeship_runtime.arrays import Array


def classifier(model: Any, rows: Rows, graph: Graph) -> Answers:
    """KNeighborsClassifier: the votes of the nearest points, for a label or several."""
    near = _near(model, model.n_neighbors, rows, graph)
    weights = weights_of(model, near.distances, graph)

    def shares_of(truth: Array, classes: Array) -> Answers:
        chosen = graph.Gather(truth, near.places, axis=0)
        # Nothing but float32 is sure to have this operator.
        ones = graph.OneHot(chosen, len(classes), graph.exactly(np.array([0, 1], np.float32)))
        votes = ones if graph.real == np.float32 else graph.cast(ones)
        if weights is None:
            return most_probable(graph, graph.ReduceMean(votes, axes=[1], keepdims=0))
        return most_probable(graph, shares(graph, _weighted(votes, weights, graph)))

    return _each_label(model, shares_of, graph)


def regressor(model: Any, rows: Rows, graph: Graph) -> Answers:
    """KNeighborsRegressor: the mean of the nearest points' values, weighted or not."""
    near = _near(model, model.n_neighbors, rows, graph)
    weights = weights_of(model, near.distances, graph)
    values = graph.Gather(_columns(model._y), near.places, axis=0)
    if weights is None:
        mean = graph.ReduceMean(values, axes=[1], keepdims=0)
    else:
        total = graph.ReduceSum(weights, [1], keepdims=1)
        mean = graph.Div(_weighted(values, weights, graph), total)
    return Answers(prediction=flat(graph, mean) if np.ndim(model._y) == 1 else mean)


def transformer(model: Any, rows: Rows, graph: Graph) -> Answers:
    """KNeighborsTransformer: a column for each point, 0 for those that are not near; dense."""
    measured = model.mode == "distance"
    near = _near(model, model.n_neighbors + measured, rows, graph)
    kept = near.distances if measured else graph.Add(graph.Mul(near.distances, 0.0), 1.0)
    width = model.n_samples_fit_
    first = graph.Slice(near.distances, [0], [1], [1])
    blank = graph.MatMul(graph.Mul(first, 0.0), np.zeros((1, width)))
    spread = graph.ScatterElements(blank, near.places, kept, axis=1)
    return Answers(transformed=Rows.of(spread, width, graph))


def radius_classifier(model: Any, rows: Rows, graph: Graph) -> Answers:
    """RadiusNeighborsClassifier with an outlier label: the votes of all points within a radius."""
    if model.outlier_label_ is None:
        raise ValueError(
            "it fails on rows without neighbours, and no ONNX file refuses a row: fit it with an "
            "outlier_label"
        )
    distances, inside = _within(model, rows, graph)
    weights = _shared(model, distances, inside, graph)
    outliers = iter(model.outlier_label_)

    def shares_of(truth: Array, classes: Array) -> Answers:
        outlier = np.flatnonzero(classes == next(outliers))
        if not len(outlier):
            raise ValueError("its outlier label is none of its classes")
        votes = graph.MatMul(weights, np.eye(len(classes))[truth])
        total = graph.ReduceSum(votes, [1], keepdims=1)
        alone = graph.Equal(total, 0.0)
        sure = np.eye(len(classes))[outlier]
        known = graph.Div(votes, graph.Where(alone, 1.0, total))
        index = graph.ArgMax(graph.Where(alone, sure, known), axis=1, keepdims=0)
        told = _told_of_outliers(model, int(outlier[0])) * sure
        return Answers(index=index, probabilities=graph.Where(alone, told, known))

    return _each_label(model, shares_of, graph)


def radius_regressor(model: Any, rows: Rows, graph: Graph) -> Answers:
    """RadiusNeighborsRegressor: the mean of all points within a radius; NaN where there is none."""
    distances, inside = _within(model, rows, graph)
    weights = _shared(model, distances, inside, graph)
    total = graph.ReduceSum(weights, [1], keepdims=1)
    mean = graph.Div(graph.MatMul(weights, _columns(model._y)), total)
    return Answers(prediction=flat(graph, mean) if np.ndim(model._y) == 1 else mean)


def radius_transformer(model: Any, rows: Rows, graph: Graph) -> Answers:
    """RadiusNeighborsTransformer: a column for each point, 0 outside of the radius; dense."""
    distances, inside = _within(model, rows, graph)
    kept = graph.Mul(inside, distances) if model.mode == "distance" else inside
    return Answers(transformed=Rows.of(kept, model.n_samples_fit_, graph))


def local_outliers(model: Any, rows: Rows, graph: Graph) -> Answers:
    """LocalOutlierFactor for new rows: how dense the neighbours lie against the row itself.

    The density is one over the mean reachability distance; Breunig et al., 2000.
    """
    near = _near(model, model.n_neighbors_, rows, graph)
    reach = model._distances_fit_X_[:, model.n_neighbors_ - 1]
    reached_at = graph.Max(near.distances, graph.Gather(reach, near.places, axis=0))
    # That much is added there for rows that lie on all their neighbours.
    sparsity = graph.Add(graph.ReduceMean(reached_at, axes=[1], keepdims=1), 1e-10)
    ratios = graph.Mul(graph.Gather(model._lrd, near.places, axis=0), sparsity)
    score = graph.Neg(graph.ReduceMean(ratios, axes=[1], keepdims=0))
    decision = graph.Sub(score, float(model.offset_))
    return Answers(index=reached(graph, decision, 0.0), decision=decision, score=score)


def _near(model: Any, many: int, rows: Rows, graph: Graph) -> Nearest:
    metric = metric_of(model.effective_metric_, model.effective_metric_params_)
    return nearest(rows.matrix(graph), dense(model._fit_X), int(many), metric, graph)


def _within(model: Any, rows: Rows, graph: Graph) -> tuple[str, str]:
    """(rows, points): all distances, and 1 where they are within the radius, else 0."""
    metric = metric_of(model.effective_metric_, model.effective_metric_params_)
    # Its trees measure differences, its other way multiplies.
    exact = model._fit_method != "brute"
    distances = to_points(rows.matrix(graph), dense(model._fit_X), metric, graph, exact=exact)
    return distances, graph.cast(graph.LessOrEqual(distances, float(model.radius)))


def weights_of(model: Any, distances: str, graph: Graph) -> str | None:
    """(rows, many) by which each point counts, or None where all count alike.

    By distance that is one over it; where points lie on the row, only these count.
    """
    if model.weights in (None, "uniform"):
        return None
    if model.weights != "distance":
        raise ValueError("its weights are a function of its own")
    on = graph.Equal(distances, 0.0)
    touching = graph.cast(on)
    any_touching = graph.Greater(graph.ReduceMax(touching, axes=[1], keepdims=1), 0.0)
    inverse = graph.Div(1.0, graph.Where(on, 1.0, distances))
    return graph.Where(any_touching, touching, inverse)


def _shared(model: Any, distances: str, inside: str, graph: Graph) -> str:
    """(rows, points) by which each point counts, 0 outside of the radius."""
    weights = weights_of(model, distances, graph)
    return inside if weights is None else graph.Mul(weights, inside)


def _weighted(values: str, weights: str, graph: Graph) -> str:
    """The weighted sum of (rows, many, columns) over the second axis."""
    return graph.ReduceSum(graph.Mul(values, graph.Unsqueeze(weights, [2])), [1], keepdims=0)


def _columns(truth: Any) -> Array:
    values = np.asarray(truth, np.float64)
    return values.reshape(len(values), -1)


def _each_label(model: Any, shares_of: Callable[[Array, Array], Answers], graph: Graph) -> Answers:
    """One label a row, or several, each from the points' truths as places among its classes."""
    if not model.outputs_2d_:
        return shares_of(np.asarray(model._y), np.asarray(model.classes_))
    answers = [
        shares_of(truth, np.asarray(classes))
        for truth, classes in zip(np.asarray(model._y).T, model.classes_, strict=True)
    ]
    index = graph.Concat(*(graph.Unsqueeze(a.index, [1]) for a in answers), axis=1)
    return Answers(index=index, several=tuple(a.probabilities or "" for a in answers))


def _told_of_outliers(model: Any, outlier: int) -> float:
    """The probability that scikit-learn gives a row without neighbours for the outlier's class.

    Its faster way (`RadiusNeighborsClassMode`), which has no Euclidean form, compares the label
    with the classes' places.
    """
    faster = (
        model._fit_method == "brute"
        and model.effective_metric_ not in ("euclidean", "sqeuclidean")
        and model.weights == "uniform"
        and not model.outputs_2d_
    )
    return float(not faster or model.outlier_label == outlier)
