"""The classifier that goes by the nearest of the classes' centres."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeship_converters.steps.classical.answers import Answers, flat
from edgeship_converters.steps.classical.distances import Metric, squared_distances, to_points
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.rows import Rows
from edgeship_runtime.arrays import Array


def nearest(model: Any, rows: Rows, graph: Graph) -> Answers:
    """NearestCentroid: by distance where all classes are as likely, else by scaled distance too.

    Probabilities and decision always go by columns divided by their spread within the classes
    (Hastie, Tibshirani and Friedman, 2009, 18.2).
    """
    if model.metric not in ("euclidean", "manhattan"):
        raise ValueError(f"its metric is {model.metric!r}: expected 'euclidean' or 'manhattan'")
    centres = np.asarray(model.centroids_, np.float64)
    values = rows.matrix(graph)
    count = len(centres)
    # Before scikit-learn 1.6 there were neither priors nor probabilities.
    priors = np.asarray(getattr(model, "class_prior_", np.full(count, 1 / count)))
    even = bool(np.isclose(priors, 1 / count).all())
    by_distance = graph.ArgMin(_squares(model.metric, values, centres, graph), axis=1, keepdims=0)
    if not hasattr(model, "predict_proba") and even:
        return Answers(index=by_distance)
    spread = np.asarray(model.within_class_std_dev_, np.float64)
    spread = np.where(spread == 0, 1.0, spread)
    squares = _squares(model.metric, graph.Div(values, spread), centres / spread, graph)
    with np.errstate(divide="ignore"):
        scores = graph.Sub(2.0 * np.log(priors), squares)
    index = by_distance if even else graph.ArgMax(scores, axis=1, keepdims=0)
    if model.metric != "euclidean":
        return Answers(index=index)
    decision = scores if count > 2 else flat(graph, graph.MatMul(scores, np.array([[-1.0], [1.0]])))
    return Answers(index=index, decision=decision, probabilities=graph.Softmax(scores, axis=1))


def _squares(metric: str, values: str, centres: Array, graph: Graph) -> str:
    """(rows, classes), squared distances."""
    if metric == "euclidean":
        return squared_distances(values, centres, graph)
    distances = to_points(values, centres, Metric("manhattan"), graph)
    return graph.Mul(distances, distances)
