"""Distances from rows to the points that a model keeps, and the nearest of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors

from edgeship_converters.steps.classical.exactly import less
from edgeship_converters.steps.classical.graph import Graph
from edgeship_runtime.arrays import Array

# Of the product's nearest, some more than asked for are measured again: it rounds.
_SPARE = 8
# Of so many points the neighbours are looked at, and how much of their squared distance a product
# may round by, at most.
_TRIED = 2000
_LITTLE = 0.1
# In so few columns points crowd closer than a product in float32 tells apart, and differences
# cost no more.
_FEW_COLUMNS = 4


@dataclass(frozen=True, slots=True)
class Metric:
    """A distance: `euclidean`, `sqeuclidean`, `manhattan`, `chebyshev`, `minkowski`, `cosine`.

    Attributes:
        name: which one.
        power: p of the Minkowski distance.
        weights: by which the powers of a Minkowski distance are multiplied, a column each.
    """

    name: str
    power: float = 2.0
    weights: Array | None = None


@dataclass(frozen=True, slots=True)
class Nearest:
    """The points nearest to each row, nearest first.

    Attributes:
        distances: (rows, many).
        places: int64 (rows, many), which points they are.
    """

    distances: str
    places: str


_SAME = {"l2": "euclidean", "l1": "manhattan", "cityblock": "manhattan"}
_KNOWN = ("euclidean", "sqeuclidean", "manhattan", "chebyshev", "minkowski", "cosine")


def metric_of(name: Any, options: dict[str, Any] | None) -> Metric:
    """The metric that scikit-learn calls so.

    Raises:
        ValueError: for one that has no form here.
    """
    options = dict(options or {})
    name = _SAME.get(name, name)
    power = float(options.pop("p", 2.0))
    weights = options.pop("w", None)
    if name not in _KNOWN or options:
        told = name if isinstance(name, str) else "a function of its own"
        raise ValueError(f"its metric is {told!r}: expected one of {', '.join(_KNOWN)}")
    return Metric(name, power, None if weights is None else np.asarray(weights, np.float64))


def to_points(
    values: str, points: Array, metric: Metric, graph: Graph, *, exact: bool = False
) -> str:
    """(rows, points), the distance of each row from each point.

    A product of matrices gives Euclidean distances in many columns fast, and rounds distances of
    nearly 0; their differences, which `exact` asks for, take that many times the memory.
    """
    points = np.asarray(points, np.float64)
    if metric.name == "cosine":
        lengths = np.linalg.norm(points, axis=1, keepdims=True)
        along = graph.MatMul(values, (points / np.where(lengths == 0.0, 1.0, lengths)).T)
        return _apart(along, values, graph)
    if not exact and _by_product(metric, points):
        squares = squared_distances(values, points, graph)
        return graph.Sqrt(squares) if metric.name == "euclidean" else squares
    return _measured(values, graph.value(points[None]), metric, graph)


def nearest(values: str, points: Array, many: int, metric: Metric, graph: Graph) -> Nearest:
    """The nearest points of each row; of those at the same distance the first ones count.

    Distances to all points tell which ones may be among them, and the differences from these,
    in float64, which are. Where several points lie equally far, scikit-learn's choice hangs on
    its search tree, and cannot be told by a graph.
    """
    points = np.asarray(points, np.float64)
    if not _by_product(metric, points):
        about = to_points(values, points, metric, graph)
    else:
        # To find the candidates float32 is enough, unless it tells no points apart.
        enough = np.float32 if _told_apart(points, many) else np.float64
        given = values if graph.real == enough else graph.cast(values, enough)
        with graph.computing_in(enough):
            about, _ = squares_but_own(given, points, graph)
    spare = min(many + _SPARE, len(points))
    _, found = _smallest(about, spare, graph)
    # In the points' own order, so that the first of several at the same distance stays first.
    found, _ = _smallest(found, spare, graph)
    taken = graph.Gather(points, found, axis=0)
    if graph.real == np.float32:
        with graph.computing_in(np.float64):
            exactly = _measured(graph.cast(values), graph.cast(taken), metric, graph)
    else:
        exactly = _measured(values, taken, metric, graph)
    distances, chosen = _smallest(exactly, many, graph)
    return Nearest(graph.cast(distances), graph.GatherElements(found, chosen, axis=1))


def squared_distances(values: str, points: Array, graph: Graph) -> str:
    """(rows, points), squared Euclidean distances by one product of matrices.

    What is left of a row next to a point is rounding, so this is for what hardly changes there.
    """
    partial, moved = squares_but_own(values, points, graph)
    own = graph.ReduceSumSquare(moved, axes=[1], keepdims=1)
    return graph.Max(graph.Add(partial, own), 0.0)


def differences(values: str, points: Array, graph: Graph) -> str:
    """(rows, points, columns), each row less each point."""
    return less(graph.Unsqueeze(values, [1]), points[None], graph)


def squares_but_own(values: str, points: Array, graph: Graph) -> tuple[str, str]:
    """|p|² - 2·x·p around the points' mean, squared distances but for |x|², and x around it.

    Differences do not change when all is moved, and small numbers lose less.
    """
    centre = points.mean(axis=0)
    moved = less(values, centre, graph)
    around = points - centre
    return graph.Gemm(moved, -2.0 * around.T, (around**2).sum(axis=1)), moved


def _by_product(metric: Metric, points: Array) -> bool:
    return metric.name in ("euclidean", "sqeuclidean") and points.shape[1] > _FEW_COLUMNS


def _told_apart(points: Array, many: int) -> bool:
    """Whether a product in float32 rounds by little against the distances to near points."""
    around = points - points.mean(axis=0)
    tried = around[:: -(-len(points) // _TRIED)]
    found = NearestNeighbors(n_neighbors=min(many + 1, len(points))).fit(around)
    reach = found.kneighbors(tried)[0][:, -1] ** 2
    rounding = float((around**2).sum(axis=1).max(initial=0.0)) * np.finfo(np.float32).eps
    return bool(rounding <= _LITTLE * reach.min())


def _smallest(values: str, many: int, graph: Graph) -> tuple[str, str]:
    least, places = graph.node("TopK", values, [many], outputs=2, axis=1, largest=0)
    return least, places


def _measured(values: str, points: str, metric: Metric, graph: Graph) -> str:
    """(rows, many) distances from points (rows or 1, many, columns), from their differences."""
    if metric.name == "cosine":
        own = graph.Unsqueeze(values, [2])
        along = graph.Squeeze(graph.MatMul(points, own), [2])
        lengths = graph.ReduceL2(points, axes=[2], keepdims=0)
        lengths = graph.Where(graph.Equal(lengths, 0.0), 1.0, lengths)
        return _apart(graph.Div(along, lengths), values, graph)
    apart = graph.Sub(graph.Unsqueeze(values, [1]), points)
    match metric.name:
        case "sqeuclidean":
            return graph.ReduceSumSquare(apart, axes=[2], keepdims=0)
        case "euclidean":
            return graph.Sqrt(graph.ReduceSumSquare(apart, axes=[2], keepdims=0))
        case "manhattan":
            return graph.ReduceSum(graph.Abs(apart), [2], keepdims=0)
        case "chebyshev":
            return graph.ReduceMax(graph.Abs(apart), axes=[2], keepdims=0)
    powers = graph.Pow(graph.Abs(apart), metric.power)
    if metric.weights is not None:
        powers = graph.Mul(powers, metric.weights)
    return graph.Pow(graph.ReduceSum(powers, [2], keepdims=0), 1.0 / metric.power)


def _apart(along: str, values: str, graph: Graph) -> str:
    """One less the cosine, of (rows, many) products of rows with vectors of length 1."""
    own = graph.ReduceL2(values, axes=[1], keepdims=1)
    own = graph.Where(graph.Equal(own, 0.0), 1.0, own)
    return graph.Max(graph.Sub(1.0, graph.Div(along, own)), 0.0)
