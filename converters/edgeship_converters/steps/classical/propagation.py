"""LabelPropagation and LabelSpreading: the labels that fitting spread over all points."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeship_converters.steps.classical.answers import Answers, most_probable, shares
from edgeship_converters.steps.classical.distances import Metric, nearest, to_points
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.linear import dense
from edgeship_converters.steps.classical.rows import Rows


def spread_labels(model: Any, rows: Rows, graph: Graph) -> Answers:
    """Each point's labels, weighted by the kernel between it and the row."""
    points, labels = dense(model.X_), np.asarray(model.label_distributions_)
    values = rows.matrix(graph)
    match model.kernel:
        case "rbf":
            squares = to_points(values, points, Metric("sqeuclidean"), graph, exact=True)
            # Only shares count: so that the nearest point's weight is 1, however far it lies.
            apart = graph.Sub(squares, graph.ReduceMin(squares, axes=[1], keepdims=1))
            weights = graph.Exp(graph.Mul(apart, -float(model.gamma)))
            votes = graph.MatMul(weights, labels)
        case "knn":
            near = nearest(values, points, model.n_neighbors, Metric("euclidean"), graph)
            votes = graph.ReduceSum(graph.Gather(labels, near.places, axis=0), [1], keepdims=0)
        case _:
            raise ValueError("its kernel is a function of its own")
    return most_probable(graph, shares(graph, votes))
