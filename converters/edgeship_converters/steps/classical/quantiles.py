"""QuantileTransformer: where a value lies among those of the fit, as a share or a normal score."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeship_converters.steps.classical.answers import Answers
from edgeship_converters.steps.classical.functions import horner
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.rows import Rows
from edgeship_runtime.arrays import Array

# scikit-learn's BOUNDS_THRESHOLD: how near to the ends a value counts as beyond them.
_NEAR = 1e-7
# Coefficients of ndtri in Moshier's Cephes library (1989), which scipy computes by, from the
# highest power down: the middle, and the tails up to 8 standard deviations.
_P0 = (-59.9633501014107895267, 98.0010754185999661536, -56.6762857469070293439,
       13.9312609387279679503, -1.23916583867381258016)  # fmt: skip
_Q0 = (1.0, 1.95448858338141759834, 4.67627912898881538453, 86.3602421390890590575,
       -225.462687854119370527, 200.260212380060660359, -82.0372256168333339912,
       15.9056225126211695515, -1.18331621121330003142)  # fmt: skip
_P1 = (4.05544892305962419923, 31.5251094599893866154, 57.1628192246421288162,
       44.0805073893200834700, 14.6849561928858024014, 2.18663306850790267539,
       -0.140256079171354495875, -0.0350424626827848203418, -8.57456785154685413611e-4)  # fmt: skip
_Q1 = (1.0, 15.7799883256466749731, 45.3907635128879210584, 41.3172038254672030440,
       15.0425385692907503408, 2.50464946208309415979, -0.142182922854787788574,
       -0.0380806407691578277194, -9.33259480895457427372e-4)  # fmt: skip


def quantile(model: Any, rows: Rows, graph: Graph) -> Answers:
    """The share of the fit's values below each value, between two of its quantiles linearly."""
    values = rows.matrix(graph)
    quantiles = np.asarray(model.quantiles_, np.float64).T
    shares = _shares(values, quantiles, np.asarray(model.references_, np.float64), graph)
    if model.output_distribution == "normal":
        low, high = quantiles[:, 0], quantiles[:, -1]
        beyond = graph.Greater(graph.Add(values, _NEAR), high)
        before = graph.Less(graph.Sub(values, _NEAR), low)
        shares = graph.Where(before, 0.0, graph.Where(beyond, 1.0, shares))
        shares = _normal_scores(shares, graph)
    missing = graph.IsNaN(values)
    shares = graph.Where(missing, np.array(np.nan), shares)
    return Answers(transformed=Rows.of(shares, rows.width, graph))


def _shares(values: str, quantiles: Array, references: Array, graph: Graph) -> str:
    """Interpolated references; at a quantile that several references share, their middle."""
    tables = [_table(own, references) for own in quantiles]
    longest = max(len(table[0]) for table in tables)
    edges = np.full((len(tables), longest - 1), np.inf)
    padded = np.zeros((4, len(tables), longest))
    for column, table in enumerate(tables):
        edges[column, : len(table[0]) - 1] = table[0][1:]
        padded[:, column, : len(table[0])] = table
    reached = graph.GreaterOrEqual(graph.Unsqueeze(values, [2]), edges)
    found = graph.cast(graph.ReduceSum(graph.cast(reached), [2], keepdims=0), np.int64)
    if len(tables) > 1:
        found = graph.Add(found, np.arange(len(tables)) * longest)
    start, level, slope, middle = (graph.Gather(part.ravel(), found, axis=0) for part in padded)
    between = graph.Add(level, graph.Mul(graph.Sub(values, start), slope))
    return graph.Where(graph.Equal(values, start), middle, between)


def _table(quantiles: Array, references: Array) -> Array:
    """(4, pieces): start, level, slope and the level at the start itself, first what is before."""
    starts, first, many = np.unique(quantiles, return_index=True, return_counts=True)
    low, high = references[first], references[first + many - 1]
    middle = (low + high) / 2
    # The ends stand for 0 and 1, whatever lies on them.
    middle[-1], middle[0] = 1.0, 0.0
    slope = np.zeros(len(starts))
    slope[:-1] = (low[1:] - high[:-1]) / np.diff(starts)
    before = np.array([[starts[0]], [low[0]], [0.0], [0.0]])
    return np.concatenate([before, np.stack([starts, high, slope, middle])], axis=1)


def _normal_scores(shares: str, graph: Graph) -> str:
    """The standard normal distribution's quantiles, within those that the model clips to."""
    end = _NEAR - float(np.spacing(1))
    # Next to 1, float32 has no number so near to it.
    tail = graph.Max(graph.Min(shares, graph.Sub(1.0, shares)), end)
    shares = graph.Min(graph.Max(shares, end), 1.0 - end)
    off = graph.Sub(shares, 0.5)
    square = graph.Mul(off, off)
    ratio = graph.Div(horner(square, _P0, graph), horner(square, _Q0, graph))
    bent = graph.Add(off, graph.Mul(off, graph.Mul(square, ratio)))
    middle = graph.Mul(bent, float(np.sqrt(2 * np.pi)))
    # In the middle the tail's formula need not hold, but must not give NaN.
    root = graph.Sqrt(graph.Mul(graph.Log(tail), -2.0))
    inverse = graph.Reciprocal(root)
    ratio = graph.Div(horner(inverse, _P1, graph), horner(inverse, _Q1, graph))
    first = graph.Sub(root, graph.Mul(graph.Log(root), inverse))
    far = graph.Sub(first, graph.Mul(inverse, ratio))
    far = graph.Where(graph.Less(off, 0.0), graph.Neg(far), far)
    return graph.Where(graph.Greater(tail, float(np.exp(-2.0))), middle, far)
