"""Gaussian processes' kernels: how much what is said of two rows varies together."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeship_converters.steps.classical.distances import squared_distances
from edgeship_converters.steps.classical.graph import Graph
from edgeship_runtime.arrays import Array


def covariance(kernel: Any, values: str, vectors: Array, graph: Graph) -> str:
    """(rows, vectors), or what broadcasts to it: a kernel between rows and vectors of the fit.

    Formulas: Rasmussen and Williams (2006), chapter 4.

    Raises:
        ValueError: for a kernel that has no form in ONNX.
    """
    match type(kernel).__name__:
        case "Sum":
            parts = [covariance(k, values, vectors, graph) for k in (kernel.k1, kernel.k2)]
            return graph.Add(*parts)
        case "Product":
            parts = [covariance(k, values, vectors, graph) for k in (kernel.k1, kernel.k2)]
            return graph.Mul(*parts)
        case "Exponentiation":
            inner = covariance(kernel.kernel, values, vectors, graph)
            return graph.Pow(inner, float(kernel.exponent))
        case "ConstantKernel":
            return graph.value(np.full((1, len(vectors)), float(kernel.constant_value)))
        case "WhiteKernel":
            # Noise is a row's own, it says nothing about any other one.
            return graph.value(np.zeros((1, len(vectors))))
        case "RBF":
            return graph.Exp(graph.Mul(_scaled(kernel, values, vectors, graph), -0.5))
        case "Matern":
            return _matern(float(kernel.nu), _scaled(kernel, values, vectors, graph), graph)
        case "RationalQuadratic":
            square = _scaled(kernel, values, vectors, graph)
            base = graph.Add(graph.Mul(square, 0.5 / float(kernel.alpha)), 1.0)
            return graph.Pow(base, -float(kernel.alpha))
        case "ExpSineSquared":
            distance = graph.Sqrt(squared_distances(values, vectors, graph))
            wave = graph.Sin(graph.Mul(distance, np.pi / float(kernel.periodicity)))
            return graph.Exp(
                graph.Mul(graph.Mul(wave, wave), -2.0 / float(kernel.length_scale) ** 2)
            )
        case "DotProduct":
            return graph.Add(graph.MatMul(values, vectors.T), float(kernel.sigma_0) ** 2)
    raise _unknown(kernel)


def variance(kernel: Any, values: str, graph: Graph) -> str:
    """(rows, 1), or what broadcasts to it: a kernel between each row and itself.

    Raises:
        ValueError: for a kernel that has no form in ONNX.
    """
    match type(kernel).__name__:
        case "Sum":
            return graph.Add(*(variance(k, values, graph) for k in (kernel.k1, kernel.k2)))
        case "Product":
            return graph.Mul(*(variance(k, values, graph) for k in (kernel.k1, kernel.k2)))
        case "Exponentiation":
            return graph.Pow(variance(kernel.kernel, values, graph), float(kernel.exponent))
        case "ConstantKernel":
            return graph.value(np.full((1, 1), float(kernel.constant_value)))
        case "WhiteKernel":
            return graph.value(np.full((1, 1), float(kernel.noise_level)))
        case "RBF" | "Matern" | "RationalQuadratic" | "ExpSineSquared":
            return graph.value(np.ones((1, 1)))
        case "DotProduct":
            square = graph.ReduceSumSquare(values, axes=[1], keepdims=1)
            return graph.Add(square, float(kernel.sigma_0) ** 2)
    raise _unknown(kernel)


def _scaled(kernel: Any, values: str, vectors: Array, graph: Graph) -> str:
    """Squared distances, each column measured by its length scale."""
    scale = np.asarray(kernel.length_scale, np.float64)
    return squared_distances(graph.Div(values, scale), vectors / scale, graph)


def _matern(smoothness: float, square: str, graph: Graph) -> str:
    if np.isinf(smoothness):
        return graph.Exp(graph.Mul(square, -0.5))
    if smoothness not in (0.5, 1.5, 2.5):
        raise ValueError(
            f"its kernel is a Matern of nu {smoothness:g}: expected 0.5, 1.5, 2.5 or infinity"
        )
    distance = graph.Sqrt(graph.Mul(square, 2.0 * smoothness))
    fall = graph.Exp(graph.Neg(distance))
    if smoothness == 0.5:
        return fall
    factor = graph.Add(distance, 1.0)
    if smoothness == 2.5:
        factor = graph.Add(factor, graph.Div(graph.Mul(distance, distance), 3.0))
    return graph.Mul(factor, fall)


def _unknown(kernel: Any) -> ValueError:
    return ValueError(f"its kernel holds a {type(kernel).__name__}, which has no ONNX form here")
