"""Partial least squares: a linear regression, and the projection that it goes by."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeship_converters.steps.classical.answers import Answers, flat
from edgeship_converters.steps.classical.decomposition import projection
from edgeship_converters.steps.classical.exactly import less
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.linear import linear
from edgeship_converters.steps.classical.rows import Rows


def regressor(model: Any, rows: Rows, graph: Graph) -> Answers:
    """PLSRegression, PLSCanonical and CCA: predictions, and scores along the rotations."""
    moved = less(rows.matrix(graph), model._x_mean, graph)
    values = linear(moved, np.asarray(model.coef_).T, model.intercept_, graph)
    prediction = flat(graph, values) if model._predict_1d else values
    weights = model.x_rotations_ / np.reshape(model._x_std, (-1, 1))
    transformed = projection(rows, model._x_mean, weights, graph).transformed
    return Answers(prediction=prediction, transformed=transformed)


def singular_vectors(model: Any, rows: Rows, graph: Graph) -> Answers:
    """PLSSVD: ((x - mean) / deviation)·x_weights_."""
    weights = model.x_weights_ / np.reshape(model._x_std, (-1, 1))
    return projection(rows, model._x_mean, weights, graph)
