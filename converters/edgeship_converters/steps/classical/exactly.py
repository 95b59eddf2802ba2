"""Subtraction that keeps what float32 would round away."""

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
