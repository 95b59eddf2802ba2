"""SplineTransformer: each column as the values of B-splines, polynomials from knot to knot."""

from __future__ import annotations

from math import factorial
from typing import Any

import numpy as np

from edgeship_converters.steps.classical.answers import Answers
from edgeship_converters.steps.classical.exactly import at_least, less
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.rows import Rows
from edgeship_runtime.arrays import Array


def spline(model: Any, rows: Rows, graph: Graph) -> Answers:
    """SplineTransformer: the powers of a value within its piece, times that piece's polynomials."""
    _refuse(model)
    beyond = model.extrapolation
    if beyond == "constant" and any(_inner(own)[0] == _inner(own)[1] for own in model.bsplines_):
        beyond = "constant with a piece before"
    pieces = [_pieces(own, beyond) for own in model.bsplines_]
    starts, widths, coefficients = (np.stack(part) for part in zip(*pieces, strict=True))
    if not model.include_bias:
        coefficients = coefficients[..., :-1]
    columns, many, powers, outputs = coefficients.shape
    values = rows.matrix(graph)
    inside = _inside(values, model, beyond, graph)
    missing = graph.IsNaN(values) if getattr(model, "handle_missing", "error") == "zeros" else None
    if missing is not None:
        inside = graph.Where(missing, 0.0, inside)
    inside = graph.Unsqueeze(inside, [2])
    hot = _piece_of(inside, starts, widths, graph)
    if missing is not None:
        hot = graph.And(hot, graph.Unsqueeze(graph.Not(missing), [2]))
    along = graph.Div(less(inside, np.where(widths > 0, starts, 0.0), graph), _positive(widths))
    terms = [graph.cast(hot)]
    for _ in range(1, powers):
        terms.append(graph.Mul(terms[-1], along))
    joined = terms[0] if powers == 1 else graph.Concat(*terms, axis=2)
    weights = coefficients.transpose(0, 2, 1, 3).reshape(columns, powers * many, outputs)
    found = graph.MatMul(graph.Unsqueeze(joined, [2]), weights)
    flat = graph.Reshape(found, [-1, columns * outputs])
    return Answers(transformed=Rows.of(flat, columns * outputs, graph))


def _refuse(model: Any) -> None:
    if model.degree == 0 and model.extrapolation in ("constant", "linear"):
        raise ValueError(
            f"splines of degree 0 have no values to go on with: extrapolation is "
            f"{model.extrapolation!r}, expected 'continue' or 'periodic'"
        )
    ends = [np.diff(_inner(own))[[0, -1]] for own in model.bsplines_]
    if model.extrapolation in ("continue", "error") and not np.all(ends):
        raise ValueError(
            f"a column has the same knot twice at an end, from which extrapolation="
            f"{model.extrapolation!r} cannot go on: expected 'constant', or other knots"
        )
    if model.degree == 1 and model.extrapolation == "linear" and len(model.bsplines_) > 1:
        # scikit-learn raises the degree by 1 from the second column on, and with it the range.
        raise ValueError(
            "extrapolation is 'linear' and degree is 1, for which scikit-learn treats the first "
            "column otherwise than the rest: give extrapolation='continue', which is the same line"
        )


def _inner(own: Any) -> Array:
    """The knots between which the splines are defined."""
    return np.array(own.t[own.k : len(own.t) - own.k])


def _inside(values: str, model: Any, beyond: str, graph: Graph) -> str:
    """Values moved to where the splines are defined."""
    low = np.array([_inner(own)[0] for own in model.bsplines_])
    high = np.array([_inner(own)[-1] for own in model.bsplines_])
    if beyond == "constant":
        return graph.Min(graph.Max(values, low), high)
    if beyond == "constant with a piece before":
        return graph.Min(values, high)
    if beyond == "periodic":
        period = _positive(high - low)
        turns = graph.Floor(graph.Div(less(values, low, graph), period))
        return graph.Sub(values, graph.Mul(turns, period))
    return values


def _pieces(own: Any, beyond: str) -> tuple[Array, Array, Array]:
    """Where pieces start, their widths (0 for none) and (pieces, powers, splines) coefficients."""
    knots = _inner(own)
    starts, widths = knots[:-1], np.diff(knots)
    powers = max(own.k, 1 if beyond == "linear" else 0) + 1
    coefficients = np.zeros((len(starts), powers, own.c.shape[1]))
    for piece, (start, width) in enumerate(zip(starts, widths, strict=True)):
        for nu in range(own.k + 1 if width > 0 else 0):
            coefficients[piece, nu] = own(start, nu=nu) * width**nu / factorial(nu)
    if widths[-1] == 0 and beyond.startswith("constant"):
        # Repeated knots at the end: what the splines are there is a piece of its own.
        widths[-1] = 1.0
        coefficients[-1, 0] = own(knots[-1])
    if beyond not in ("linear", "constant with a piece before"):
        return starts, widths, coefficients
    before, after = np.zeros((2, 1, powers, own.c.shape[1]))
    # scikit-learn goes on with as many of the first splines, or of the last, as the degree is.
    many = own.k if own.k > 1 or beyond != "linear" else own.k + 1
    for nu in range(2 if beyond == "linear" else 1):
        before[0, nu, :many] = own(knots[0], nu=nu)[:many]
        after[0, nu, -many:] = own(knots[-1], nu=nu)[-many:]
    added = 1 if beyond == "linear" else 0
    return (
        np.concatenate([knots[:1], starts, knots[-1:][:added]]),
        np.concatenate([[1.0], widths, [1.0] * added]),
        np.concatenate([before, coefficients, after[:added]]),
    )


def _piece_of(inside: str, starts: Array, widths: Array, graph: Graph) -> str:
    """(rows, columns, pieces): the piece that a value lies in, the outer ones without an end."""
    low, high = np.full_like(starts, np.inf), np.full_like(starts, np.inf)
    for column, width in enumerate(widths):
        real = np.flatnonzero(width > 0)
        low[column, real] = starts[column, real]
        high[column, real[:-1]] = starts[column, real[1:]]
        low[column, real[:1]] = -np.inf
    return graph.And(
        graph.GreaterOrEqual(inside, at_least(low, graph)),
        graph.Less(inside, at_least(high, graph)),
    )


def _positive(widths: Array) -> Array:
    return np.where(widths > 0, widths, 1.0)
