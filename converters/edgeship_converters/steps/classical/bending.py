"""Steps that scale rows, cut columns into bins, or bend and multiply them."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeship_converters.steps.classical.answers import Answers
from edgeship_converters.steps.classical.exactly import at_least, more_than
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.rows import Rows
from edgeship_converters.steps.classical.scaling import standard
from edgeship_runtime.arrays import Array


def normalizer(model: Any, rows: Rows, graph: Graph) -> Answers:
    """Normalizer: each row divided by its norm, unless that is next to nothing."""
    values = rows.matrix(graph)
    norm = norms(values, model.norm, graph)
    tiny = 10 * float(np.finfo(np.float64).eps)
    norm = graph.Where(graph.Less(norm, tiny), 1.0, norm)
    return Answers(transformed=Rows.of(graph.Div(values, norm), rows.width, graph))


def tf_idf(model: Any, rows: Rows, graph: Graph) -> Answers:
    """TfidfTransformer: counts or their logarithms, by how rare a term is, each row normed."""
    values = rows.matrix(graph)
    if model.sublinear_tf:
        none = graph.Equal(values, 0.0)
        logs = graph.Add(graph.Log(graph.Where(none, 1.0, values)), 1.0)
        values = graph.Where(none, 0.0, logs)
    if model.use_idf:
        values = graph.Mul(values, np.asarray(model.idf_, np.float64))
    if model.norm is not None:
        norm = norms(values, model.norm, graph)
        values = graph.Div(values, graph.Where(graph.Equal(norm, 0.0), 1.0, norm))
    return Answers(transformed=Rows.of(values, rows.width, graph))


def binarizer(model: Any, rows: Rows, graph: Graph) -> Answers:
    """Binarizer: 1 above the threshold, else 0."""
    above = more_than(rows.matrix(graph), model.threshold, graph)
    return Answers(transformed=Rows.of(graph.cast(above), rows.width, graph))


def polynomial(model: Any, rows: Rows, graph: Graph) -> Answers:
    """PolynomialFeatures: products of columns, each factor drawn from the columns and a 1."""
    powers = model.powers_
    factors = [np.repeat(np.arange(rows.width), row) for row in powers]
    degree = max(1, *(len(factor) for factor in factors))
    drawn = np.full((len(factors), degree), rows.width)
    for row, factor in zip(drawn, factors, strict=True):
        row[: len(factor)] = factor
    values = rows.matrix(graph)
    if (drawn == rows.width).any():
        values = graph.Pad(values, [0, 0, 0, 1], 1.0)
    product = graph.Gather(values, drawn[:, 0], axis=1)
    for place in range(1, degree):
        product = graph.Mul(product, graph.Gather(values, drawn[:, place], axis=1))
    return Answers(transformed=Rows.of(product, len(factors), graph))


def bins(model: Any, rows: Rows, graph: Graph) -> Answers:
    """KBinsDiscretizer: the number of a value's bin, or a column for each bin."""
    values = rows.matrix(graph)
    inner = [np.asarray(edges, np.float64)[1:-1] for edges in model.bin_edges_]
    if model.encode == "ordinal":
        return _bin_numbers(values, inner, rows, graph)
    low = np.concatenate([[-np.inf, *edges] for edges in inner])
    high = np.concatenate([[*edges, np.inf] for edges in inner])
    columns = np.repeat(np.arange(rows.width), [len(edges) + 1 for edges in inner])
    spread = graph.Gather(values, columns, axis=1)
    inside = graph.And(
        graph.GreaterOrEqual(spread, at_least(low, graph)),
        graph.Less(spread, at_least(high, graph)),
    )
    return Answers(transformed=Rows.of(graph.cast(inside), len(columns), graph))


def power(model: Any, rows: Rows, graph: Graph) -> Answers:
    """PowerTransformer: Box and Cox's (1964) or Yeo and Johnson's (2000) bend, standardized."""
    values = rows.matrix(graph)
    lambdas = np.asarray(model.lambdas_, np.float64)
    if model.method == "box-cox":
        bent = _powered(graph.Log(values), lambdas, graph)
    else:
        # Below 0 it is the same bend mirrored, with 2 - lambda for lambda.
        logs = graph.Log(graph.Add(graph.Abs(values), 1.0))
        below = _powered(logs, 2.0 - lambdas, graph)
        above = _powered(logs, lambdas, graph)
        bent = graph.Where(graph.Less(values, 0.0), graph.Neg(below), above)
    transformed = Rows.of(bent, rows.width, graph)
    if not model.standardize:
        return Answers(transformed=transformed)
    return standard(model._scaler, transformed, graph)


def norms(values: str, kind: str, graph: Graph) -> str:
    """(rows, 1), the norm of each row: `l1`, `l2` or `max`."""
    match kind:
        case "l1":
            return graph.ReduceSum(graph.Abs(values), [1], keepdims=1)
        case "l2":
            # Older versions of onnxruntime have ReduceL2 for float32 only.
            return graph.Sqrt(graph.ReduceSumSquare(values, axes=[1], keepdims=1))
    return graph.ReduceMax(graph.Abs(values), axes=[1], keepdims=1)


def _powered(logs: str, exponents: Array, graph: Graph) -> str:
    """(exp(exponent·log) - 1) / exponent, or the log itself where the exponent is 0."""
    none = np.abs(exponents) < np.finfo(np.float64).eps
    divisor = np.where(none, 1.0, exponents)
    bent = graph.Div(graph.Sub(graph.Exp(graph.Mul(logs, divisor)), 1.0), divisor)
    return graph.Where(none, logs, bent) if none.any() else bent


def _bin_numbers(values: str, inner: list[Array], rows: Rows, graph: Graph) -> Answers:
    """How many of the inner edges each value reaches."""
    edges = np.full((len(inner), max(1, *(len(edges) for edges in inner))), np.inf)
    for row, own in zip(edges, inner, strict=True):
        row[: len(own)] = own
    reached = graph.GreaterOrEqual(graph.Unsqueeze(values, [2]), at_least(edges, graph))
    number = graph.ReduceSum(graph.cast(reached), [2], keepdims=0)
    return Answers(transformed=Rows.of(number, rows.width, graph))
