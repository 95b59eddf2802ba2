"""Tree ensembles as ONNX's attributes tell of them, before and after ai.onnx.ml 5."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from edgeship_converters.steps.lowering.tree_tables import Nodes, Tables, at_most, distinct
from edgeship_converters.steps.lowering.values import NotLoweredError, Operator
from edgeship_runtime.arrays import Array

_MODES = (
    "LEAF", "BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"
)  # fmt: skip
# Of so many numbers a table of leaves takes a gigabyte.
_MOST = 2**27
# By their numbers in the operator of ai.onnx.ml 5.
_CODES = _MODES[1:]


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
    nodes = at_most(nodes, np.asarray(op.get("nodes_modes")), real)
    start = np.zeros(targets)
    if apart and targets > 2:
        votes, start = _without_constants(votes, trees, nodes.leaf[: len(trees)], targets)
    first = np.full(int(trees.max()) + 1, -1)
    first[trees[votes.at]] = votes.target
    if apart and targets > 1 and (first[trees[votes.at]] == votes.target).all():
        values = np.zeros((len(nodes.leaf), 1))
        np.add.at(values[:, 0], votes.at, votes.weight)
        target = np.maximum(first[trees[roots]], 0)
        return distinct(nodes, values, roots, start, target, finite=op.narrow)
    values = _table(len(nodes.leaf), targets)
    np.add.at(values, (votes.at, votes.target), votes.weight)
    return distinct(nodes, values, roots, start, finite=op.narrow, apart=apart)


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
    ends = many + np.arange(leaves)

    def children(name: str, flag: str) -> Array:
        led, leaf = np.asarray(op.get(name)), np.asarray(op.get(flag), bool)
        if (led < 0).any() or (led >= np.where(leaf, leaves, many)).any():
            raise NotLoweredError("a tree speaks of a node that it does not have")
        return np.append(np.where(leaf, led + many, led), ends)

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
    values[ends, np.asarray(op.get("leaf_targetids"))] = op.get("leaf_weights")
    modes = np.append(np.asarray(_CODES)[codes], np.full(leaves, "LEAF"))
    roots = np.asarray(op.get("tree_roots"))
    held = at_most(nodes, modes, real)
    return distinct(held, values, roots, np.zeros(targets), finite=op.narrow)


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
