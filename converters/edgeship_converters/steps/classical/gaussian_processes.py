"""Gaussian processes: regressors, and classifiers by Laplace's approximation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from scipy.special import erfcx
from sklearn.gaussian_process._gpc import COEFS, LAMBDAS

from edgeship_converters.steps.classical.answers import Answers, above, flat, with_first
from edgeship_converters.steps.classical.covariances import covariance, variance
from edgeship_converters.steps.classical.functions import horner
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.rows import Rows

# Where the variable of the series below is 0; of a few that all do, this one is the best.
_MIDDLE = 3.75
_DEGREE = 18


def regressor(model: Any, rows: Rows, graph: Graph) -> Answers:
    """GaussianProcessRegressor: the mean (Rasmussen and Williams, 2006, algorithm 2.1)."""
    if not hasattr(model, "X_train_"):
        raise ValueError("it is not fitted, so that it says the same of every row")
    vectors = np.asarray(model.X_train_, np.float64)
    kernel = covariance(model.kernel_, rows.matrix(graph), vectors, graph)
    weights = np.asarray(model.alpha_, np.float64)
    single = weights.ndim == 1
    weights = weights.reshape(len(weights), -1) * np.ravel(model._y_train_std)
    mean = graph.Add(graph.MatMul(kernel, weights), np.ravel(model._y_train_mean))
    return Answers(prediction=flat(graph, mean) if single else mean)


def classifier(model: Any, rows: Rows, graph: Graph) -> Answers:
    """GaussianProcessClassifier: of two classes, or by several of those."""
    return graph.answer(model.base_estimator_, rows)


def of_two(model: Any, rows: Rows, graph: Graph) -> Answers:
    """One of two classes (Rasmussen and Williams, 2006, algorithm 3.2).

    The label goes by the latent function's mean, the probability by its variance too.
    """
    values = rows.matrix(graph)
    vectors = np.asarray(model.X_train_, np.float64)
    kernel = covariance(model.kernel_, values, vectors, graph)
    residuals = np.asarray(model.y_train_ - model.pi_, np.float64)
    mean = graph.MatMul(kernel, residuals[:, None])
    known = np.linalg.solve(model.L_, np.diag(model.W_sr_)).T
    explained = graph.ReduceSumSquare(graph.MatMul(kernel, known), axes=[1], keepdims=1)
    spread = graph.Sub(variance(model.kernel_, values, graph), explained)
    # The mean of a logistic function over a normal distribution, by five error functions whose
    # sum is nearly that function (Williams and Barber, 1998, appendix A).
    rates, weights = np.ravel(LAMBDAS), np.ravel(COEFS) / 2
    widths = graph.Sqrt(graph.Add(graph.Mul(spread, 2 * rates**2), 1.0))
    waves = _error_function(graph.Div(graph.Mul(mean, rates), widths), graph)
    second = graph.Add(graph.MatMul(waves, weights[:, None]), weights.sum())
    return Answers(
        index=above(graph, flat(graph, mean), 0.0), probabilities=with_first(graph, second)
    )


def _error_function(values: str, graph: Graph) -> str:
    """erf to 13 digits, by a series for (1 + 2x)·exp(x²)·(1 - erf x), with x ≥ 0, in
    (x - m) / (x + m) (Shepherd and Laframboise, 1981).

    onnxruntime has an Erf for float32 only, and the sum above cancels four digits.
    """
    size = graph.Abs(values)
    place = graph.Div(graph.Sub(size, _MIDDLE), graph.Add(size, _MIDDLE))
    series = horner(place, _series(), graph)
    fall = graph.Exp(graph.Neg(graph.Mul(size, size)))
    rest = graph.Mul(graph.Div(series, graph.Add(graph.Mul(size, 2.0), 1.0)), fall)
    return graph.Mul(graph.Sign(values), graph.Sub(1.0, rest))


def _series() -> tuple[float, ...]:
    """Coefficients of a polynomial on [-1, 1], from the highest power down."""
    places = chebyshev.chebpts1(_DEGREE + 1)
    sizes = _MIDDLE * (1 + places) / (1 - places)
    found = chebyshev.cheb2poly(chebyshev.chebfit(places, (1 + 2 * sizes) * erfcx(sizes), _DEGREE))
    return tuple(float(coefficient) for coefficient in found[::-1])
