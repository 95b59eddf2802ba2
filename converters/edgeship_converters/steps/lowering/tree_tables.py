"""Tree ensembles of ONNX as tables: each distinct leaf and each distinct branch once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from edgeship_converters.steps.lowering.values import NotLoweredError, Operator
from edgeship_runtime.arrays import Array

_MODES = (
    "LEAF", "BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"
)  # fmt: skip
# Of so many numbers a table of leaves takes a gigabyte.
_MOST = 2**27
# By their numbers in the operator of ai.onnx.ml 5.
_CODES = _MODES[1:]


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
        roots: by tree, the place where it starts; the deepest tree comes first.
        depths: by tree, how many branches follow each other, at most.
        start: (targets,), what is added to the leaves.
        target: by tree, the only one that it adds to; None where some add to several.
    """

    leaves: Array
    branches: Nodes
    roots: Array
    depths: Array
    start: Array
    target: Array | None = None


def tables_of(
    op: Operator,
    prefix: Literal["target", "class"],
    targets: int,
    real: type,
    *,
    apart: bool = True,
) -> Tables:
    """The tables of a TreeEnsembleRegressor or TreeEnsembleClassifier.

    Args:
        op: the operator.
        prefix: of the attributes that tell of leaves.
        targets: how many sums there are.
        real: the type of the rows, float32 or float64, which thresholds take on.
        apart: whether leaves are added, so that what all of a tree share may stand apart.

    Raises:
        NotLoweredError: for trees that are not whole.
    """
    trees = np.asarray(op.get("nodes_treeids"), np.int64)
    ids = np.asarray(op.get("nodes_nodeids"), np.int64)
    place = _Places(trees, ids)
    nodes = _nodes(op, trees, place)
    roots = _roots(trees, nodes)
    votes = _Votes(
        at=place.of(
            np.asarray(op.get(f"{prefix}_treeids"), np.int64),
            np.asarray(op.get(f"{prefix}_nodeids"), np.int64),
        ),
        target=np.asarray(op.get(f"{prefix}_ids"), np.int64),
        weight=numbers(op, f"{prefix}_weights"),
    )
    nodes = _at_most(nodes, np.asarray(op.get("nodes_modes")), real)
    start = np.zeros(targets)
    if apart and targets > 2:
        votes, start = _without_constants(votes, trees, nodes.leaf[: len(trees)], targets)
    first = np.full(int(trees.max()) + 1, -1)
    first[trees[votes.at]] = votes.target
    if apart and targets > 1 and (first[trees[votes.at]] == votes.target).all():
        values = np.zeros((len(nodes.leaf), 1))
        np.add.at(values[:, 0], votes.at, votes.weight)
        target = np.maximum(first[trees[roots]], 0)
        return _distinct(nodes, values, roots, start, target, finite=op.narrow)
    values = _table(len(nodes.leaf), targets)
    np.add.at(values, (votes.at, votes.target), votes.weight)
    return _distinct(nodes, values, roots, start, finite=op.narrow)


@dataclass(frozen=True, slots=True)
class _Votes:
    """What leaves add, each to one target; `at` are places of nodes."""

    at: Array
    target: Array
    weight: Array


def _without_constants(
    votes: _Votes, trees: Array, leaf: Array, targets: int
) -> tuple[_Votes, Array]:
    """Votes that all leaves of a tree share are none of its own, but part of the start.

    So is what boosting starts from, where the first tree holds it for all classes.
    """
    start = np.zeros(targets)
    many = np.bincount(trees[leaf], minlength=int(trees.max()) + 1)
    pair, which, counts = np.unique(
        trees[votes.at] * targets + votes.target, return_inverse=True, return_counts=True
    )
    least, most = np.full(len(pair), np.inf), np.full(len(pair), -np.inf)
    np.minimum.at(least, which, votes.weight)
    np.maximum.at(most, which, votes.weight)
    shared = (counts == many[pair // targets]) & (least == most)
    np.add.at(start, pair[shared] % targets, most[shared])
    kept = ~shared[which]
    return _Votes(votes.at[kept], votes.target[kept], votes.weight[kept]), start


def _table(nodes: int, targets: int) -> Array:
    if nodes * targets > _MOST:
        raise NotLoweredError(f"its {nodes} nodes have {targets} values each")
    return np.zeros((nodes, targets))


def compact_tables_of(op: Operator, targets: int, real: type) -> Tables:
    """The tables of a TreeEnsemble, of ai.onnx.ml 5, whose leaves are numbered by themselves.

    Args:
        op: the operator.
        targets: how many sums there are.
        real: see `tables_of`.

    Raises:
        NotLoweredError: for trees that are not whole, or decide by sets.
    """
    codes = np.asarray(op.get("nodes_modes"))
    if (codes >= len(_CODES)).any():
        raise NotLoweredError("a tree decides by a set of numbers")
    many, leaves = len(codes), len(op.get("leaf_targetids"))
    ends = np.full(leaves, many)

    def children(name: str, flag: str) -> Array:
        led, leaf = np.asarray(op.get(name)), np.asarray(op.get(flag), bool)
        if (led < 0).any() or (led >= np.where(leaf, leaves, many)).any():
            raise NotLoweredError("a tree speaks of a node that it does not have")
        return np.append(np.where(leaf, led + many, led), ends + np.arange(leaves))

    def of_branches(values: Any) -> Array:
        return np.append(np.asarray(values), np.zeros(leaves, np.asarray(values).dtype))

    nodes = Nodes(
        leaf=np.arange(many + leaves) >= many,
        feature=of_branches(op.get("nodes_featureids")),
        threshold=of_branches(np.asarray(op.get("nodes_splits"), np.float64)),
        missing=of_branches(
            np.asarray(op.get("nodes_missing_value_tracks_true", np.zeros(many)), bool)
        ),
        true=children("nodes_truenodeids", "nodes_trueleafs"),
        false=children("nodes_falsenodeids", "nodes_falseleafs"),
    )
    values = _table(many + leaves, targets)
    values[many + np.arange(leaves), np.asarray(op.get("leaf_targetids"))] = op.get("leaf_weights")
    modes = np.append(np.asarray(_CODES)[codes], np.full(leaves, "LEAF"))
    roots = np.asarray(op.get("tree_roots"))
    held = _at_most(nodes, modes, real)
    return _distinct(held, values, roots, np.zeros(targets), finite=op.narrow)


def numbers(op: Operator, name: str) -> Array:
    """Numbers that stand in an attribute or, as float64, in a tensor beside it."""
    given = op.get(f"{name}_as_tensor")
    return np.asarray(op.get(name, ()) if given is None else given, np.float64)


class _Places:
    """Finds nodes by tree and number."""

    def __init__(self, trees: Array, ids: Array) -> None:
        self._span = int(ids.max(initial=0)) + 1
        keys = trees * self._span + ids
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]

    def of(self, trees: Array, ids: Array) -> Array:
        wanted = trees * self._span + ids
        found = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        if (self._keys[found] != wanted).any():
            raise NotLoweredError("a tree speaks of a node that it does not have")
        return self._order[found]


def _nodes(op: Operator, trees: Array, place: _Places) -> Nodes:
    modes = np.asarray(op.get("nodes_modes"))
    if not np.isin(modes, _MODES).all():
        raise NotLoweredError("a tree decides by a mode that is not known")
    leaf = modes == "LEAF"
    inner, itself = np.flatnonzero(~leaf), np.arange(len(trees))

    def children(name: str) -> Array:
        led = itself.copy()
        led[inner] = place.of(trees[inner], np.asarray(op.get(name), np.int64)[inner])
        return led

    missing = op.get("nodes_missing_value_tracks_true", np.zeros(len(trees)))
    return Nodes(
        leaf=leaf,
        feature=np.where(leaf, 0, np.asarray(op.get("nodes_featureids"), np.int64)),
        threshold=numbers(op, "nodes_values"),
        missing=np.asarray(missing, bool) & ~leaf,
        true=children("nodes_truenodeids"),
        false=children("nodes_falsenodeids"),
    )


def _roots(trees: Array, nodes: Nodes) -> Array:
    """The node of each tree that no other leads to."""
    led_to = np.zeros(len(trees), bool)
    led_to[nodes.true[~nodes.leaf]] = True
    led_to[nodes.false[~nodes.leaf]] = True
    roots = np.flatnonzero(~led_to)
    known, first = np.unique(trees[roots], return_index=True)
    if len(known) != len(np.unique(trees)):
        raise NotLoweredError("a tree goes round in a circle")
    return np.asarray(roots[np.sort(first)])


def _at_most(nodes: Nodes, modes: Array, real: type) -> Nodes:
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


def _distinct(
    nodes: Nodes,
    values: Array,
    roots: Array,
    start: Array,
    target: Array | None = None,
    *,
    finite: bool,
) -> Tables:
    """Leaves and branches that are the same become one, from the leaves upwards.

    In a graph that holds finite numbers only, nothing is at most -∞, and all else at most ∞.
    """
    leaf = np.flatnonzero(nodes.leaf)
    first, which = _groups(list(values[leaf].view(np.int64).T))
    leaves = values[leaf[first]]
    become = np.full(len(nodes.leaf), -1)
    become[leaf] = which
    kept: list[Array] = []
    count = len(leaves)
    levels = _levels(nodes)
    for here in levels:
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
    order = np.argsort(-heights[starts], kind="stable")
    return Tables(
        leaves,
        branches,
        starts[order],
        heights[starts[order]].astype(int),
        start,
        None if target is None else target[order],
    )


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
