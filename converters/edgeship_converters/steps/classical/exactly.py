"""Subtraction and comparison that keep what float32 would round away."""

from __future__ import annotations

import numpy as np

from edgeship_converters.steps.classical.graph import Graph
from edgeship_runtime.arrays import Array


def less(values: str, subtrahend: Array, graph: Graph) -> str:
    """values - subtrahend, a column each, exact near zero also where float32 cannot hold it.

    The float32 nearest to the subtrahend goes first, which is exact for values near it (Sterbenz,
    1974), and what it left out after that.
    """
    subtrahend = np.asarray(subtrahend, np.float64)
    if not subtrahend.any():
        return values
    nearest = subtrahend.astype(graph.real)
    rest = subtrahend - nearest
    moved = graph.Sub(values, nearest)
    return graph.Sub(moved, rest) if rest.any() else moved


def more_than(values: str, threshold: float, graph: Graph) -> str:
    """Whether values lie above a float64 threshold, which float32 need not hold."""
    # Above it is at least the next float64 after it.
    after = np.nextafter(np.array(threshold, np.float64), np.inf)
    return graph.GreaterOrEqual(values, at_least(after, graph))


def at_least(edges: Array, graph: Graph) -> Array:
    """The smallest of the graph's reals that reach edges: x >= that if and only if x >= edge."""
    edges = np.asarray(edges, np.float64)
    with np.errstate(over="ignore"):
        near = edges.astype(graph.real)
    up = np.nextafter(near, np.array(np.inf, graph.real))
    return np.where(near.astype(np.float64) < edges, up, near)
