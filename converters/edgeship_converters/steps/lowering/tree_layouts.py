"""Where the comparisons of trees stand in memory, so that many are made at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgeship_converters.steps.exact_trees import ranks_within
from edgeship_converters.steps.lowering.tree_tables import Nodes
from edgeship_runtime.arrays import Array

# What one entry costs, in nanoseconds on a CPU of 2024, in LiteRT: of a gather, and of what goes
# over arrays in order.
GATHERED, COMPARED, CHOSEN = 2.4, 0.4, 0.5
# How many nodes stand in a line of a grid.
_WIDTHS = (8, 16, 32, 64, 128, 256, 512, 1024)


@dataclass(frozen=True, slots=True)
class Conditions:
    """The distinct comparisons of an ensemble, by column.

    Attributes:
        columns: that are looked at.
        limits: (columns, most thresholds of one), the rest filled up.
        place: by node, its comparison among the flattened limits.
    """

    columns: Array
    limits: Array
    place: Array


def conditions_of(nodes: Nodes) -> Conditions:
    """Each column with its thresholds in order, each once."""
    inner = np.flatnonzero(~nodes.leaf)
    pairs = np.zeros(len(inner), [("column", np.int64), ("limit", np.float64)])
    pairs["column"], pairs["limit"] = nodes.feature[inner], nodes.threshold[inner]
    distinct, which = np.unique(pairs, return_inverse=True)
    columns, column, counts = np.unique(distinct["column"], return_inverse=True, return_counts=True)
    rank = ranks_within(counts)
    width = int(counts.max(initial=0))
    limits = np.zeros((len(columns), width), nodes.threshold.dtype)
    limits[column, rank] = distinct["limit"]
    place = np.zeros(len(nodes.leaf), np.int64)
    place[inner] = (column * width + rank)[which.ravel()]
    return Conditions(columns, limits, place)


@dataclass(frozen=True, slots=True)
class Grid:
    """All nodes in lines by the column that they look at; leaves fill the gaps.

    Attributes:
        columns: that are looked at, by line.
        limits: (lines, nodes) thresholds.
        place: by node, its place in the flattened grid.
    """

    columns: Array
    limits: Array
    place: Array


def grid_of(nodes: Nodes, leaves: int) -> Grid:
    """The cheapest grid: short lines leave few gaps, and long ones are few."""
    inner = np.flatnonzero(~nodes.leaf)
    columns, column, counts = np.unique(
        nodes.feature[inner], return_inverse=True, return_counts=True
    )

    def lines(width: int) -> Array:
        """How many lines each column takes; the last one also those of leaves that find no gap."""
        needed = -(-counts // width)
        needed[-1:] += max(0, -(-len(nodes.leaf) // width) - int(needed.sum()))
        return needed

    def cost(width: int) -> float:
        many = int(lines(width).sum())
        return many * GATHERED + many * width * (COMPARED + CHOSEN)

    width = min(_WIDTHS, key=cost)
    needed = lines(width)
    start = np.cumsum(needed) - needed
    order = np.argsort(column, kind="stable")
    rank = ranks_within(counts)
    place = np.zeros(len(nodes.leaf), np.int32)
    place[inner[order]] = start[column[order]] * width + rank
    free = np.ones(int(needed.sum()) * width, bool)
    free[place[inner]] = False
    place[:leaves] = np.flatnonzero(free)[:leaves]
    limits = np.zeros(free.shape, nodes.threshold.dtype)
    limits[place] = nodes.threshold
    return Grid(np.repeat(columns, needed), limits.reshape(-1, width), place)
