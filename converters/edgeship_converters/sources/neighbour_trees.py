"""scikit-learn's trees of neighbours, built anew of the rows that a file has in them.

Their C code believes what the nodes of a tree say, and checks of its rows and its metric no more.
So a tree of a file is never asked: one of the same rows, metric and leaf size takes its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.metrics import DistanceMetric
from sklearn.neighbors import BallTree, KDTree

_METRICS = {
    "EuclideanDistance64": "euclidean",
    "ManhattanDistance64": "manhattan",
    "ChebyshevDistance64": "chebyshev",
    "MinkowskiDistance64": "minkowski",
    "HaversineDistance64": "haversine",
}
NEIGHBOUR_TYPES = (
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neighbors._ball_tree.BallTree",
    *(f"sklearn.metrics._dist_metrics.{name}" for name in _METRICS),
)


def is_neighbour_tree(value: Any) -> bool:
    """Whether a value is a tree of those types."""
    return type(value) in (KDTree, BallTree)


def is_metric(value: Any) -> bool:
    """Whether a value is a compiled metric, which belongs into a tree."""
    return isinstance(value, DistanceMetric)


def rebuilt(tree: Any, trusted: Sequence[str]) -> Any:
    """The tree that its rows make; the tree itself where the user vouches for its metric.

    Raises:
        ValueError: where its rows, its weights or its metric make none.
    """
    state = tree.__getstate__()
    rows, leaf_size, metric, weights = state[0], state[4], state[11], state[12]
    kind = type(metric)
    if kind.__name__ not in _METRICS or kind.__module__ != "sklearn.metrics._dist_metrics":
        if f"{kind.__module__}.{kind.__name__}" in trusted:
            return tree
        raise ValueError("a tree of neighbours without its metric")
    options: dict[str, Any] = {}
    if kind.__name__ == "MinkowskiDistance64":
        power, each = metric.__getstate__()[:2]
        options = {"p": power, **({"w": each} if len(each) else {})}
    return type(tree)(rows, leaf_size, _METRICS[kind.__name__], sample_weight=weights, **options)
