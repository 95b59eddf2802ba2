"""Isomap: rows joined to the fitted points' graph of shortest paths."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeship_converters.steps.classical.answers import Answers
from edgeship_converters.steps.classical.distances import metric_of, nearest
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.kernels import on_axes
from edgeship_converters.steps.classical.linear import dense
from edgeship_converters.steps.classical.rows import Rows


def isomap(model: Any, rows: Rows, graph: Graph) -> Answers:
    """The shortest path to each point leads over a neighbour; kernel PCA of those paths."""
    if model.n_neighbors is None:
        raise ValueError("it takes all points within a radius, as many as there are")
    found = model.nbrs_
    metric = metric_of(found.effective_metric_, found.effective_metric_params_)
    points = dense(found._fit_X)
    near = nearest(rows.matrix(graph), points, int(model.n_neighbors), metric, graph)
    onward = graph.Gather(np.asarray(model.dist_matrix_), near.places, axis=0)
    paths = graph.ReduceMin(
        graph.Add(onward, graph.Unsqueeze(near.distances, [2])), axes=[1], keepdims=0
    )
    kernel = graph.Mul(graph.Mul(paths, paths), -0.5)
    return Answers(transformed=on_axes(model.kernel_pca_, kernel, graph))
