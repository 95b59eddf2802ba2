"""Tree ensembles as tables: each distinct leaf and each distinct branch once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgeship_converters.steps.lowering.values import NotLoweredError
from edgeship_runtime.arrays import Array

# What boosting adds to decide sums of exactly 0 is less.
_LITTLE = 1e-200


@dataclass(frozen=True, slots=True)
class Nodes:
    """Leaves and branches of all trees, each with a place; leads to others by their places.

    Attributes:
        leaf: whether a node is a leaf; the other arrays tell of branches only.
        feature: the column that a branch looks at.
        threshold: what is at most that goes on to `true`, all else to `false`.
        missing: whether NaN goes on to `true`.
        true: a place.
        false: a place.
    """

    leaf: Array
    feature: Array
    threshold: Array
    missing: Array
    true: Array
    false: Array


@dataclass(frozen=True, slots=True)
class Tables:
    """All trees of an ensemble: leaves come first, then branches, and no two are the same.

    Attributes:
        leaves: (leaves, targets) float64, what each adds; where each tree adds to one target only,
            there is but one column.
        branches: the nodes that are none; the places in them count the leaves too.
        trees: how many there are, those among them that are but a leaf and part of the start.
        roots: by tree, the place where it starts; the deepest tree comes first.
        depths: by tree, how many branches follow each other, at most.
        start: (targets,), what is added to the leaves.
        target: by tree, the only one that it adds to; None where some add to several.
    """

    leaves: Array
    branches: Nodes
    trees: int
    roots: Array
    depths: Array
    start: Array
    target: Array | None = None


def at_most(nodes: Nodes, modes: Array, real: type) -> Nodes:
    """The same decisions by 'at most' alone: less is at most the number below, more is not so.

    A branch on equality becomes two: at most the number, and not at most the one below it.
    """
    if (np.isneginf(nodes.threshold) & ~np.isin(modes, ("LEAF", "BRANCH_LEQ", "BRANCH_GT"))).any():
        raise NotLoweredError("a tree asks what is below −∞")
    with np.errstate(over="ignore"):
        near: Array = nodes.threshold.astype(real)
    tiny = np.finfo(real).tiny
    below = np.where(near == 0, -tiny, np.nextafter(near, real(-np.inf)))
    rounded = near.astype(np.float64)
    # For numbers of this type, at most and less than a number that lies between two of them.
    at_most = np.where(rounded > nodes.threshold, below, near)
    less = np.where(rounded >= nodes.threshold, below, near)
    is_less = np.isin(modes, ("BRANCH_LT", "BRANCH_GTE"))
    swapped = np.isin(modes, ("BRANCH_GTE", "BRANCH_GT", "BRANCH_NEQ"))
    true = np.where(swapped, nodes.false, nodes.true)
    false = np.where(swapped, nodes.true, nodes.false)
    # Of all comparisons only 'unlike' holds for NaN.
    to_true = nodes.missing | (modes == "BRANCH_NEQ")
    missing = np.where(swapped, ~to_true, to_true) & ~nodes.leaf
    equal = np.flatnonzero(np.isin(modes, ("BRANCH_EQ", "BRANCH_NEQ")))
    second = len(modes) + np.arange(len(equal))
    inside, outside = true[equal], false[equal]
    # What is missing ends up inside by way of the second branch, which it goes on from to `false`.
    true[equal] = second
    threshold = np.where(is_less, less, at_most)
    # TensorFlow, and ARM's vectors, take what is smaller than this for 0.
    flushed = np.where(threshold > 0, real(0), -tiny)
    threshold = np.where((np.abs(threshold) < tiny) & (threshold != 0), flushed, threshold)
    return Nodes(
        leaf=np.append(nodes.leaf, np.zeros(len(equal), bool)),
        feature=np.append(nodes.feature, nodes.feature[equal]),
        threshold=np.append(threshold, below[equal]),
        missing=np.append(missing, np.zeros(len(equal), bool)),
        true=np.append(true, outside),
        false=np.append(false, inside),
    )


def distinct(
    nodes: Nodes,
    values: Array,
    roots: Array,
    start: Array,
    target: Array | None = None,
    *,
    finite: bool,
    apart: bool = True,
) -> Tables:
    """Leaves and branches that are the same become one, from the leaves upwards.

    In a graph that holds finite numbers only, nothing is at most -∞, and all else at most ∞.
    """
    leaves, become, kept = _merged(nodes, values, finite=finite)
    chosen = np.concatenate([*kept, np.zeros(0, np.int64)])
    threshold = nodes.threshold[chosen]
    if finite:
        most = np.finfo(threshold.dtype).max
        threshold = np.clip(threshold, -most, most)
    branches = Nodes(
        leaf=nodes.leaf[chosen],
        feature=nodes.feature[chosen],
        threshold=threshold,
        missing=nodes.missing[chosen],
        true=become[nodes.true[chosen]],
        false=become[nodes.false[chosen]],
    )
    heights = np.concatenate(
        [[0] * len(leaves), *(np.full(len(k), h) for h, k in enumerate(kept, 1))]
    )
    starts = become[roots]
    kept_trees = np.ones(len(starts), bool)
    if apart:
        kept_trees = _branching(starts, heights, leaves)
        leaf = leaves[starts[~kept_trees]]
        if target is None:
            start = start + leaf.sum(axis=0)
        else:
            start = start + np.bincount(target[~kept_trees], leaf[:, 0], len(start))
    order = np.flatnonzero(kept_trees)
    order = order[np.argsort(-heights[starts[order]], kind="stable")]
    return Tables(
        leaves,
        branches,
        len(roots),
        starts[order],
        heights[starts[order]].astype(int),
        start,
        None if target is None else target[order],
    )


def _merged(nodes: Nodes, values: Array, *, finite: bool) -> tuple[Array, Array, list[Array]]:
    """The distinct leaves, what each node becomes, and one node for each branch, by height."""
    leaf = np.flatnonzero(nodes.leaf)
    first, which = _groups(list(values[leaf].view(np.int64).T))
    leaves = values[leaf[first]]
    become = np.full(len(nodes.leaf), -1)
    become[leaf] = which
    kept: list[Array] = []
    count = len(leaves)
    for here in _levels(nodes):
        true, false = become[nodes.true[here]], become[nodes.false[here]]
        # Where nothing goes on to one side, or both are the same, there is no branch.
        never = finite & np.isneginf(nodes.threshold[here]) & ~nodes.missing[here]
        same = never | (true == false)
        become[here[same]] = false[same]
        left, true, false = here[~same], true[~same], false[~same]
        bits = nodes.threshold[left].astype(np.float64).view(np.int64)
        first, which = _groups([nodes.feature[left], bits, nodes.missing[left], true, false])
        become[left] = count + which
        count += len(first)
        kept.append(left[first])
    return leaves, become, kept


def _branching(starts: Array, heights: Array, leaves: Array) -> Array:
    """Which trees are more than a leaf, or so little that no sum with others would hold it."""
    alone = heights[starts] == 0
    held = np.abs(leaves[np.where(alone, starts, 0)])
    alone &= ((held == 0) | (held > _LITTLE)).all(axis=1)
    if alone.all():
        alone[0] = False
    return np.asarray(~alone)


def _levels(nodes: Nodes) -> list[Array]:
    """The branches by height: those that lead to leaves only, then those above them, and so on.

    Raises:
        NotLoweredError: where branches lead back to themselves.
    """
    height = np.where(nodes.leaf, 0, -1)
    inner = np.flatnonzero(~nodes.leaf)
    levels: list[Array] = []
    while len(inner):
        ready = (height[nodes.true[inner]] >= 0) & (height[nodes.false[inner]] >= 0)
        if not ready.any():
            raise NotLoweredError("a tree goes round in a circle")
        levels.append(inner[ready])
        height[inner[ready]] = len(levels)
        inner = inner[~ready]
    return levels


def _groups(columns: list[Array]) -> tuple[Array, Array]:
    """One place of each distinct row of columns, and for each row which of these it is."""
    many = len(columns[0])
    order = np.lexsort(columns)
    new = np.zeros(many, bool)
    for column in columns:
        new[1:] |= column[order[1:]] != column[order[:-1]]
    new[:1] = True
    which = np.empty(many, np.int64)
    which[order] = np.cumsum(new) - 1
    return order[new], which
