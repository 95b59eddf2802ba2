"""Pairwise kernels of rows and fitted vectors, and the models that are one product with those."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from edgeship_converters.steps.classical.answers import Answers, flat
from edgeship_converters.steps.classical.bending import norms
from edgeship_converters.steps.classical.distances import (
    Metric,
    differences,
    squared_distances,
    to_points,
)
from edgeship_converters.steps.classical.exactly import less
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.linear import dense, linear
from edgeship_converters.steps.classical.rows import Rows
from edgeship_runtime.arrays import Array


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel that scikit-learn knows by a word, and its parameters.

    Attributes:
        name: as `sklearn.metrics.pairwise.pairwise_kernels` calls it.
        gamma: how fast similarity falls off, or the scale of a product.
        degree: of a polynomial.
        coef0: what is added to a product.
    """

    name: Any
    gamma: float = 1.0
    degree: float = 3.0
    coef0: float = 1.0


def ridge(model: Any, rows: Rows, graph: Graph) -> Answers:
    """KernelRidge: the kernel against all rows of the fit, weighted; one output or several."""
    vectors = dense(model.X_fit_)
    given = {"gamma": model.gamma, "degree": model.degree, "coef0": model.coef0}
    weights = dense(model.dual_coef_)
    single = weights.ndim == 1
    asked = _asked(model.kernel, given, vectors)
    prediction = _weighted(asked, rows, vectors, weights[:, None] if single else weights, graph)
    return Answers(prediction=flat(graph, prediction) if single else prediction)


def nystroem(model: Any, rows: Rows, graph: Graph) -> Answers:
    """Nystroem: the kernel against some rows of the fit, times the root of their own kernel."""
    vectors = dense(model.components_)
    given = dict(model.kernel_params or {})
    for name in ("gamma", "degree", "coef0"):
        if getattr(model, name) is not None:
            given[name] = getattr(model, name)
    weights = dense(model.normalization_).T
    values = _weighted(_asked(model.kernel, given, vectors), rows, vectors, weights, graph)
    return Answers(transformed=Rows.of(values, weights.shape[1], graph))


def principal_components(model: Any, rows: Rows, graph: Graph) -> Answers:
    """KernelPCA: the kernel against all rows of the fit, centred, on its largest axes."""
    vectors = dense(model.X_fit_)
    given = {"gamma": model.gamma_, "degree": model.degree, "coef0": model.coef0}
    values = kernel(_asked(model.kernel, given, vectors), rows, vectors, graph)
    return Answers(transformed=on_axes(model, values, graph))


def on_axes(model: Any, values: str, graph: Graph) -> Rows:
    """What a fitted KernelPCA makes of kernel values against all rows of its fit."""
    width = len(model.eigenvectors_)
    moved = graph.answer(model._centerer, Rows.of(values, width, graph)).transformed
    if moved is None:
        raise ValueError("its centring does not transform")
    sizes = np.asarray(model.eigenvalues_, np.float64)
    # Axes without any extent give 0.
    scale = np.where(sizes == 0, 0.0, 1.0 / np.sqrt(np.where(sizes == 0, 1.0, sizes)))
    axes = np.asarray(model.eigenvectors_, np.float64) * scale
    return Rows.of(graph.MatMul(moved.matrix(graph), axes), axes.shape[1], graph)


def centered(model: Any, rows: Rows, graph: Graph) -> Answers:
    """KernelCenterer: kernel values less the means of their column and row, plus that of all."""
    own = np.asarray(model.K_fit_rows_, np.float64)
    values = rows.matrix(graph)
    mean = graph.Div(graph.ReduceSum(values, [1], keepdims=1), float(len(own)))
    moved = graph.Sub(less(values, own - float(model.K_fit_all_), graph), mean)
    return Answers(transformed=Rows.of(moved, rows.width, graph))


def kernel(asked: Kernel, rows: Rows, vectors: Array, graph: Graph) -> str:
    """(rows, vectors), how alike each row is to each vector.

    Raises:
        ValueError: for a kernel that is Python code.
    """
    values = rows.matrix(graph)
    match asked.name:
        case "precomputed":
            return values
        case "linear":
            return graph.MatMul(values, vectors.T)
        case "poly" | "polynomial":
            inner = linear(values, asked.gamma * vectors.T, asked.coef0, graph)
            return inner if asked.degree == 1 else graph.Pow(inner, float(asked.degree))
        case "sigmoid":
            return graph.Tanh(linear(values, asked.gamma * vectors.T, asked.coef0, graph))
        case "cosine":
            length = norms(values, "l2", graph)
            scaled = graph.Div(values, graph.Where(graph.Equal(length, 0.0), 1.0, length))
            lengths = np.linalg.norm(vectors, axis=1)
            return graph.MatMul(scaled, (vectors / np.where(lengths == 0, 1, lengths)[:, None]).T)
        case "rbf":
            distances = squared_distances(values, vectors, graph)
            return graph.Exp(graph.Mul(distances, -asked.gamma))
        case "laplacian":
            distances = to_points(values, vectors, Metric("manhattan"), graph)
            return graph.Exp(graph.Mul(distances, -asked.gamma))
        case "additive_chi2":
            return graph.Neg(_chi_squared(values, vectors, graph))
        case "chi2":
            return graph.Exp(graph.Mul(_chi_squared(values, vectors, graph), -asked.gamma))
    said = repr(asked.name) if isinstance(asked.name, str) else "Python code"
    raise ValueError(f"its kernel is {said}, which has no ONNX form here")


def _weighted(asked: Kernel, rows: Rows, vectors: Array, weights: Array, graph: Graph) -> str:
    """The kernel times weights of the vectors; products with vectors are one with the weights."""
    if asked.name == "linear":
        return graph.MatMul(rows.matrix(graph), vectors.T @ weights)
    return graph.MatMul(kernel(asked, rows, vectors, graph), weights)


def _asked(name: Any, given: dict[str, Any], vectors: Array) -> Kernel:
    """A kernel with those parameters that are given; scikit-learn has defaults for the others."""
    gamma = given.get("gamma")
    if gamma is None:
        gamma = 1.0 if name == "chi2" else 1.0 / vectors.shape[1]
    return Kernel(
        name, float(gamma), float(given.get("degree", 3.0)), float(given.get("coef0", 1.0))
    )


def _chi_squared(values: str, vectors: Array, graph: Graph) -> str:
    """(rows, vectors), the sum of (x - v)² / (x + v) over columns where either is not 0."""
    apart = differences(values, vectors, graph)
    total = graph.Add(graph.Unsqueeze(values, [1]), vectors[None])
    divisor = graph.Where(graph.Equal(total, 0.0), 1.0, total)
    shares = graph.Div(graph.Mul(apart, apart), divisor)
    return graph.ReduceSum(shares, [2], keepdims=0)
