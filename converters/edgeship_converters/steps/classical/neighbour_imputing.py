"""KNNImputer: what is missing is filled with the mean of the nearest rows that have it."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeship_converters.steps.classical.answers import Answers
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.imputing import marks
from edgeship_converters.steps.classical.neighbours import weights_of
from edgeship_converters.steps.classical.rows import Block, Rows, beside, reals
from edgeship_runtime.arrays import Array


def by_neighbours(model: Any, rows: Rows, graph: Graph) -> Answers:
    """A mean for each column, over the rows of the fit that have a value there."""
    if model.metric != "nan_euclidean":
        raise ValueError("its metric is a function of its own")
    fitted, gone = np.asarray(model._fit_X, np.float64), np.asarray(model._mask_fit_X)
    values = rows.matrix(graph)
    missing = _missing(values, model.missing_values, graph)
    known = graph.Where(missing, 0.0, values)
    distances = _distances(known, graph.cast(graph.Not(missing)), fitted, gone, graph)
    columns = []
    for place in range(rows.width):
        if model._valid_mask[place]:
            mean = _mean(model, place, distances, graph)
        elif model.keep_empty_features:
            columns.append(graph.Mul(graph.Slice(known, [place], [place + 1], [1]), 0.0))
            continue
        else:
            continue
        own = graph.Slice(values, [place], [place + 1], [1])
        columns.append(graph.Where(graph.Slice(missing, [place], [place + 1], [1]), mean, own))
    kind = reals(graph)
    filled = Rows(tuple(Block(column, 1, kind) for column in columns))
    if model.indicator_ is None or not len(model.indicator_.features_):
        return Answers(transformed=filled)
    return Answers(transformed=beside([filled, marks(model.indicator_, rows, graph)]))


def _missing(values: str, mark: Any, graph: Graph) -> str:
    if mark is None or np.isnan(mark):
        return graph.IsNaN(values)
    return graph.Equal(values, float(mark))


def _distances(known: str, present: str, fitted: Array, gone: Array, graph: Graph) -> str:
    """(rows, fitted rows), over the columns that both have, as if all columns were like these.

    `nan_euclidean_distances` of scikit-learn; infinite where they have no column in common.
    """
    held = np.where(gone, 0.0, fitted)
    there = (~gone).astype(np.float64)
    squares = graph.Add(
        graph.MatMul(graph.Mul(known, known), there.T), graph.MatMul(present, (held**2).T)
    )
    squares = graph.Max(graph.Add(squares, graph.MatMul(known, -2.0 * held.T)), 0.0)
    common = graph.MatMul(present, there.T)
    mean = graph.Div(squares, graph.Max(common, 1.0))
    distances = graph.Sqrt(graph.Mul(mean, float(fitted.shape[1])))
    return graph.Where(graph.Equal(common, 0.0), np.inf, distances)


def _mean(model: Any, place: int, distances: str, graph: Graph) -> str:
    """(rows, 1): of the nearest donors; of all donors where a row is comparable with none."""
    donors = np.flatnonzero(~model._mask_fit_X[:, place])
    held = np.asarray(model._fit_X, np.float64)[donors, place]
    from_donors = graph.Gather(distances, donors, axis=1)
    many = min(model.n_neighbors, len(donors))
    least, chosen = graph.node("TopK", from_donors, [many], outputs=2, axis=1, largest=0)
    comparable = graph.Not(graph.IsInf(least))
    weights = graph.cast(comparable)
    by_distance = weights_of(model, graph.Where(comparable, least, 1.0), graph)
    if by_distance is not None:
        weights = graph.Mul(weights, by_distance)
    total = graph.ReduceSum(weights, [1], keepdims=1)
    summed = graph.ReduceSum(
        graph.Mul(weights, graph.Gather(held, chosen, axis=0)), [1], keepdims=1
    )
    none = graph.Equal(total, 0.0)
    return graph.Where(none, float(held.mean()), graph.Div(summed, graph.Where(none, 1.0, total)))
