"""Kernel density estimation: the log of a sum over all rows of the fit."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln

from edgeship_converters.steps.classical.answers import Answers
from edgeship_converters.steps.classical.distances import Metric, squared_distances, to_points
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.rows import Rows
from edgeship_runtime.arrays import Array


def density(model: Any, rows: Rows, graph: Graph) -> Answers:
    """KernelDensity: the log of the mean kernel between a row and the rows of the fit, weighted.

    A row that no kernel of bounded width reaches has the density 0, so the score -inf.
    """
    points = np.asarray(model.tree_.data, np.float64)
    given = model.tree_.sample_weight
    weights = np.ones(len(points)) if given is None else np.asarray(given, np.float64)
    points, weights = points[weights > 0], weights[weights > 0]
    width = float(model.bandwidth_)
    square = _squared(model, rows.matrix(graph), points, graph)
    scaled = graph.Mul(square, 1.0 / width**2)
    columns = points.shape[1]
    level = -_volume(model.kernel, columns) - columns * np.log(width) - np.log(weights.sum())
    if model.kernel in ("gaussian", "exponential"):
        logs = graph.Neg(
            graph.Sqrt(scaled) if model.kernel == "exponential" else graph.Mul(scaled, 0.5)
        )
        score = graph.ReduceLogSumExp(
            graph.Add(logs, np.log(weights) + level), axes=[1], keepdims=0
        )
        return Answers(score=score)
    inside = graph.Where(graph.Less(scaled, 1.0), _bounded(model.kernel, scaled, graph), 0.0)
    total = graph.ReduceSum(graph.Mul(inside, weights), [1], keepdims=0)
    return Answers(score=graph.Add(graph.Log(total), level))


def _squared(model: Any, values: str, points: Array, graph: Graph) -> str:
    """(rows, points), the squares of distances."""
    parameters = dict(model.metric_params or {})
    power = {"minkowski": 2, "p": 2, "euclidean": 2, "l2": 2, "manhattan": 1, "cityblock": 1,
             "l1": 1, "chebyshev": np.inf, "infinity": np.inf}.get(model.metric)  # fmt: skip
    if power is None:
        raise ValueError(f"its metric is {model.metric!r}, which has no ONNX form here")
    power = float(parameters.pop("p", power))
    if any(value is not None for value in parameters.values()):
        raise ValueError(f"its metric has parameters of its own, {', '.join(parameters)}")
    if power == 2:
        return squared_distances(values, points, graph)
    name = {1.0: "manhattan", np.inf: "chebyshev"}.get(power, "minkowski")
    distance = to_points(values, points, Metric(name, power), graph)
    return graph.Mul(distance, distance)


def _bounded(kernel: str, scaled: str, graph: Graph) -> str:
    """A kernel of bounded width, not normed, at squared distances below 1."""
    match kernel:
        case "tophat":
            return graph.Where(graph.Less(scaled, 1.0), 1.0, 0.0)
        case "epanechnikov":
            return graph.Sub(1.0, scaled)
        case "linear":
            return graph.Sub(1.0, graph.Sqrt(scaled))
    # The cosine of an angle, by the sine, which onnxruntime has in float64 too.
    return graph.Sin(graph.Mul(graph.Sub(1.0, graph.Sqrt(scaled)), np.pi / 2))


def _volume(kernel: str, columns: int) -> float:
    """The log of the integral of a kernel of width 1 over a space of so many columns.

    The integral over a ball is that over its radius times the surface, with the surface and
    the volume of a unit ball from the gamma function.
    """
    ball = columns / 2 * np.log(np.pi) - gammaln(columns / 2 + 1)
    surface = ball + np.log(columns)
    match kernel:
        case "gaussian":
            return float(columns / 2 * np.log(2 * np.pi))
        case "tophat":
            return float(ball)
        case "epanechnikov":
            return float(ball + np.log(2 / (columns + 2)))
        case "linear":
            return float(ball - np.log(columns + 1))
        case "exponential":
            return float(surface + gammaln(columns))
    # scikit-learn's own series for the integral of cos(πr/2)·rⁿ⁻¹, which is right where n is odd.
    terms = [2 / np.pi]
    for power in range(1, columns - 1, 2):
        terms.append(-terms[-1] * (columns - power) * (columns - power - 1) * (2 / np.pi) ** 2)
    if sum(terms) <= 0:
        raise ValueError(f"its kernel is 'cosine', whose scores are all NaN for {columns} columns")
    return float(surface + np.log(sum(terms)))
