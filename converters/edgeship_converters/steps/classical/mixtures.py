"""Normal densities by their covariances: mixtures, and the ellipse around inliers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import digamma

from edgeship_converters.steps.classical.answers import Answers
from edgeship_converters.steps.classical.exactly import less
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.linear import linear, outlier
from edgeship_converters.steps.classical.rows import Rows
from edgeship_runtime.arrays import Array


def mixture(model: Any, rows: Rows, graph: Graph) -> Answers:
    """GaussianMixture and BayesianGaussianMixture: each component's share, and the log density."""
    means = np.asarray(model.means_, np.float64)
    factors = _factors(model)
    squares = mahalanobis(rows, means, factors, graph)
    logs = graph.Add(graph.Mul(squares, -0.5), _peaks(model, factors))
    return Answers(
        cluster=graph.ArgMax(logs, axis=1, keepdims=0),
        probabilities=graph.Softmax(logs, axis=1),
        score=graph.ReduceLogSumExp(logs, axes=[1], keepdims=0),
    )


def ellipse(model: Any, rows: Rows, graph: Graph) -> Answers:
    """EllipticEnvelope: the negative squared Mahalanobis distance to the robust centre."""
    sizes, axes = np.linalg.eigh(model.get_precision())
    factor = axes * np.sqrt(np.maximum(sizes, 0.0))
    moved = less(rows.matrix(graph), model.location_, graph)
    distance = graph.ReduceSumSquare(graph.MatMul(moved, factor), axes=[1], keepdims=0)
    return outlier(model, graph.Neg(distance), graph)


def mahalanobis(rows: Rows, means: Array, factors: Sequence[Array], graph: Graph) -> str:
    """(rows, means), |(x - mean)·factor|² for each mean and its factor, in two products.

    Args:
        rows: with as many columns as each mean has.
        means: (means, columns).
        factors: for each mean (columns, any number), a root of its precision matrix.
    """
    centre = means.mean(axis=0)
    weights = np.concatenate(factors, axis=1)
    bias = np.concatenate(
        [-(mean - centre) @ factor for mean, factor in zip(means, factors, strict=True)]
    )
    scaled = linear(less(rows.matrix(graph), centre, graph), weights, bias, graph)
    widths = [factor.shape[1] for factor in factors]
    members = np.repeat(np.eye(len(means)), widths, axis=0)
    return graph.MatMul(graph.Mul(scaled, scaled), members)


def _peaks(model: Any, factors: Sequence[Array]) -> Array:
    """Each component's weighted log density at its own mean."""
    columns = model.means_.shape[1]
    volume = np.array([np.log(np.diagonal(factor)).sum() for factor in factors])
    peaks = model._estimate_log_weights() + volume - 0.5 * columns * np.log(2 * np.pi)
    if not hasattr(model, "degrees_of_freedom_"):
        return np.asarray(peaks, np.float64)
    # The expectation over the precisions of a BayesianGaussianMixture (Bishop, 2006, 10.64, 10.65).
    freedom = np.asarray(model.degrees_of_freedom_, np.float64)
    spread = digamma(0.5 * (freedom - np.arange(columns)[:, np.newaxis])).sum(axis=0)
    expected = columns * (np.log(2.0) - np.log(freedom) - 1.0 / model.mean_precision_) + spread
    return np.asarray(peaks + 0.5 * expected, np.float64)


def _factors(model: Any) -> list[Array]:
    """For each component the Cholesky factor of its precision matrix, as a full matrix."""
    count, columns = model.means_.shape
    roots = np.asarray(model.precisions_cholesky_, np.float64)
    match model.covariance_type:
        case "full":
            return list(roots)
        case "tied":
            return [roots] * count
        case "diag":
            return [np.diag(root) for root in roots]
    return [np.eye(columns) * root for root in roots]
