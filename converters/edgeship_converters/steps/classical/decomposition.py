"""Projections: rows are centred and multiplied by one matrix, which the fit decided."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeship_converters.steps.classical.answers import Answers
from edgeship_converters.steps.classical.exactly import less
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.linear import dense
from edgeship_converters.steps.classical.rows import Rows
from edgeship_runtime.arrays import Array


def principal_components(model: Any, rows: Rows, graph: Graph) -> Answers:
    """PCA and IncrementalPCA: (x - mean_)·components_ᵀ, to a variance of 1 where asked."""
    weights = np.asarray(model.components_, np.float64).T
    if model.whiten:
        scale = np.sqrt(model.explained_variance_)
        # As scikit-learn does for components that hardly vary.
        weights = weights / np.maximum(scale, np.finfo(scale.dtype).eps)
    return projection(rows, model.mean_, weights, graph)


def singular_vectors(model: Any, rows: Rows, graph: Graph) -> Answers:
    """TruncatedSVD and NeighborhoodComponentsAnalysis: x·components_ᵀ."""
    return projection(rows, None, model.components_.T, graph)


def factors(model: Any, rows: Rows, graph: Graph) -> Answers:
    """FactorAnalysis: the expected latent variables (Bishop, 2006, equation 12.66)."""
    scaled = model.components_ / model.noise_variance_
    inner = np.eye(len(scaled)) + scaled @ model.components_.T
    return projection(rows, model.mean_, scaled.T @ np.linalg.inv(inner), graph)


def independent_components(model: Any, rows: Rows, graph: Graph) -> Answers:
    """FastICA: the unmixing matrix, on centred rows where the fit whitened."""
    mean = model.mean_ if model.whiten else None
    return projection(rows, mean, model.components_.T, graph)


def sparse_components(model: Any, rows: Rows, graph: Graph) -> Answers:
    """SparsePCA and MiniBatchSparsePCA: a ridge regression on the components, solved beforehand."""
    left, sizes, right = np.linalg.svd(
        np.asarray(model.components_, np.float64).T, full_matrices=False
    )
    kept = sizes > 1e-15
    damped = np.zeros_like(sizes)
    damped[kept] = sizes[kept] / (sizes[kept] ** 2 + model.ridge_alpha)
    return projection(rows, model.mean_, (left * damped) @ right, graph)


def random_projection(model: Any, rows: Rows, graph: Graph) -> Answers:
    """GaussianRandomProjection and SparseRandomProjection: x·components_ᵀ."""
    return projection(rows, None, dense(model.components_).T, graph)


def projection(rows: Rows, mean: Array | None, weights: Array, graph: Graph) -> Answers:
    """(x - mean)·weights, with weights (columns, components)."""
    moved = rows.matrix(graph)
    if mean is not None:
        moved = less(moved, mean, graph)
    weights = np.asarray(weights, np.float64)
    return Answers(transformed=Rows.of(graph.MatMul(moved, weights), weights.shape[1], graph))
