"""From rows to the leaves that they end in: all trees go down one branch at a time.

A gather takes far longer than any other operator on as many numbers, so that few of them count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from edgeship_converters.steps.lowering import tree_layouts as layouts
from edgeship_converters.steps.lowering.arithmetic import in_parts
from edgeship_converters.steps.lowering.tree_tables import Nodes, Tables
from edgeship_converters.steps.lowering.values import Parts, Value
from edgeship_runtime.arrays import Array

# Beyond so many entries a row, memory counts more than time.
_WIDEST = 2**14
_TYPES = (np.uint8, np.int16, np.int32)
# Trees that have come to their ends are left aside once they are that share of those still going.
_DONE = 0.3

# The places that rows go on to from those where they are, and from the roots, which all know.
Walk = tuple[Callable[[Array], Any], Callable[[Any], Any]]


def ends_of(tables: Tables, given: Value, *, finite: bool) -> tuple[Value, Array]:
    """(rows, trees), the leaf of `tables` that each row ends in; and which tree each column is of.

    Args:
        tables: of the ensemble.
        given: (rows, columns), of the type of the thresholds, or in parts of float32 where these
            are float64.
        finite: whether the graph holds finite numbers only.
    """
    rows, nodes = _with_missing(Numbers.of(given), _with_leaves(tables), finite=finite)
    leaves = len(tables.leaves)
    if not tables.depths.any():
        return _same_of_all(rows, tables.roots), np.arange(len(tables.roots))
    places, (first, onward) = _walk(rows, nodes, int(tables.depths.sum()), leaves)
    going = tables.roots[tables.depths > 0]
    ended = tables.roots[tables.depths == 0]
    done, which = [], []
    if len(ended):
        which.append(np.flatnonzero(tables.depths == 0))
        done.append(_same_of_all(rows, places[ended]))
    if len(going):
        at = first(going)
        active = len(going)
        for level in range(1, int(tables.depths[0])):
            left = int((tables.depths > level).sum())
            if left <= (1 - _DONE) * active:
                done.append(at[:, left:])
                which.append(np.arange(left, active))
                at, active = at[:, :left], left
            at = onward(at)
        done.append(at)
        which.append(np.arange(active))
    columns = np.concatenate(which)
    ends = done[0] if len(done) == 1 else tf.concat(done, 1)
    if np.array_equal(places[:leaves], np.arange(leaves)):
        return ends, columns
    back = np.zeros(int(places.max()) + 1, np.int32)
    back[places[:leaves]] = np.arange(leaves)
    return tf.gather(tf.constant(back), ends), columns


def _same_of_all(rows: Numbers, places: Array) -> Any:
    """(rows, places), the same for each row."""
    nothing = tf.zeros([tf.shape(rows.high)[0], 1], tf.int32)
    return nothing + tf.constant(places[None].astype(np.int32))


def _walk(rows: Numbers, nodes: Nodes, steps: int, leaves: int) -> tuple[Array, Walk]:
    """The quickest way to walk, and the places that the nodes have on it.

    Args:
        rows: (rows, columns).
        nodes: leaves first.
        steps: how many branches a row passes, at most, over all trees.
        leaves: how many nodes are leaves.
    """
    conditions = layouts.conditions_of(nodes)
    grid = layouts.grid_of(nodes, leaves)
    places = np.arange(len(nodes.leaf), dtype=np.int32)
    ways: list[tuple[float, int, Callable[[], tuple[Array, Walk]]]] = [
        (4 * steps * layouts.GATHERED, 0, lambda: (places, _compared_on_the_way(rows, nodes))),
        (
            3 * steps * layouts.GATHERED + conditions.limits.size * layouts.COMPARED,
            conditions.limits.size,
            lambda: (places, _compared_before(rows, conditions, nodes)),
        ),
        (
            (steps + len(grid.columns)) * layouts.GATHERED
            + grid.limits.size * (layouts.COMPARED + layouts.CHOSEN),
            grid.limits.size,
            lambda: (grid.place, _chosen_before(rows, grid, nodes)),
        ),
    ]
    _, _, way = min((way for way in ways if way[1] <= _WIDEST), key=lambda way: way[0])
    return way()


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers of one type, or as the sum of two parts of float32.

    Attributes:
        high: the numbers, or as float32 holds them.
        low: what that leaves; None where it is nothing.
    """

    high: Any
    low: Any = None

    @classmethod
    def of(cls, given: Value) -> Numbers:
        """Those of a tensor, or of its parts."""
        return cls(given.high, given.low) if isinstance(given, Parts) else cls(given)

    def moved(self, move: Callable[[Any], Any]) -> Numbers:
        """The same numbers in other places."""
        return Numbers(move(self.high), None if self.low is None else move(self.low))

    def held(self, thresholds: Array) -> Numbers:
        """Constants in the same form."""
        if self.low is None:
            return Numbers(tf.constant(thresholds))
        parts = Parts.of(thresholds)
        high = tf.constant(thresholds.astype(np.float32))
        return Numbers(high, tf.zeros_like(high)) if parts is None else Numbers.of(parts)

    def at_most(self, limits: Numbers) -> Any:
        """Which of them are at most their limits."""
        if self.low is None:
            return self.high <= limits.high
        own, others = (self.high, self.low), (limits.high, limits.low)
        return in_parts(tf.less_equal, tf.less, own, others)


def _compared_on_the_way(rows: Numbers, nodes: Nodes) -> Walk:
    """Each comparison when a row comes to it."""
    many = len(nodes.leaf)
    feature, children = nodes.feature.astype(np.int32), _children(nodes)
    column, limits = _narrow(feature), rows.held(nodes.threshold)

    def first(roots: Array) -> Any:
        chosen = rows.moved(lambda part: tf.gather(part, feature[roots], axis=1))
        met = chosen.at_most(rows.held(nodes.threshold[roots][None]))
        return _taken(children, tf.constant(roots[None].astype(np.int32)) + _led(met, many))

    def onward(at: Any) -> Any:
        where = _taken(column, at)
        values = rows.moved(lambda part: tf.gather(part, where, axis=1, batch_dims=1))
        met = values.at_most(limits.moved(lambda part: tf.gather(part, at)))
        return _taken(children, at + _led(met, many))

    return first, onward


def _compared_before(rows: Numbers, conditions: layouts.Conditions, nodes: Nodes) -> Walk:
    """All comparisons at once, of which each branch then looks one up."""
    many, size = len(nodes.leaf), conditions.limits.size
    met = _met(rows, conditions.columns, conditions.limits)
    led = _led(tf.reshape(met, [-1, size]), many)
    place, children = _narrow(conditions.place), _children(nodes)

    def first(roots: Array) -> Any:
        steps = tf.gather(led, conditions.place[roots].astype(np.int32), axis=1)
        return _taken(children, tf.constant(roots[None].astype(np.int32)) + steps)

    def onward(at: Any) -> Any:
        steps = tf.gather(led, _taken(place, at), axis=1, batch_dims=1)
        return _taken(children, at + steps)

    return first, onward


def _chosen_before(rows: Numbers, grid: layouts.Grid, nodes: Nodes) -> Walk:
    """All comparisons at once, and for each branch the child that it leads to."""
    size = grid.limits.size

    def children(of: Array) -> Any:
        placed = np.zeros(size, np.int16)
        placed[grid.place] = grid.place[of]
        return tf.constant(placed[None])

    met = tf.reshape(_met(rows, grid.columns, grid.limits), [-1, size])
    after = tf.where(met, children(nodes.true), children(nodes.false))

    def first(roots: Array) -> Any:
        return tf.cast(tf.gather(after, grid.place[roots], axis=1), tf.int32)

    def onward(at: Any) -> Any:
        return tf.cast(tf.gather(after, at, axis=1, batch_dims=1), tf.int32)

    return first, onward


def _met(rows: Numbers, columns: Array, limits: Array) -> Any:
    """(rows, columns chosen, limits): which are at most which."""
    if not np.array_equal(columns, np.arange(rows.high.shape[1])):
        rows = rows.moved(lambda part: tf.gather(part, columns.astype(np.int32), axis=1))
    return rows.moved(lambda part: tf.expand_dims(part, 2)).at_most(rows.held(limits[None]))


def _led(met: Any, many: int) -> Any:
    """How far on the children of those that met their comparison stand: in the second half."""
    return tf.cast(met, tf.int32) * many


def _children(nodes: Nodes) -> Any:
    """By place the child for no, then by place the child for yes."""
    return _narrow(np.concatenate([nodes.false, nodes.true]))


def _narrow(numbers: Array) -> Any:
    """A table in the narrowest type that holds it, of those that every runtime gathers from."""
    most = int(numbers.max(initial=0))
    return tf.constant(numbers.astype(next(t for t in _TYPES if most <= np.iinfo(t).max)))


def _taken(table: Any, at: Any) -> Any:
    taken = tf.gather(table, at)
    return taken if taken.dtype == tf.int32 else tf.cast(taken, tf.int32)


def _with_leaves(tables: Tables) -> Nodes:
    """All nodes by place; a leaf leads to itself."""
    inner, many = tables.branches, len(tables.leaves)
    real = inner.threshold.dtype
    whole, none = np.arange(many), np.zeros(many, int)
    return Nodes(
        leaf=np.append(np.ones(many, bool), inner.leaf),
        feature=np.append(none, inner.feature),
        threshold=np.append(none.astype(real), inner.threshold),
        missing=np.append(none.astype(bool), inner.missing),
        true=np.append(whole, inner.true),
        false=np.append(whole, inner.false),
    )


def _with_missing(rows: Numbers, nodes: Nodes, *, finite: bool) -> tuple[Numbers, Nodes]:
    """Rows in which NaN goes on to `true` where it must, by columns that hold the least number.

    By itself NaN is not at most anything.
    """
    if not nodes.missing.any():
        return rows, nodes
    given = rows.high
    width, least = given.shape[1], given.dtype.min if finite else -np.inf
    gone = tf.not_equal(given, given)
    filled = tf.where(gone, tf.constant(least, given.dtype), given)
    # Where no number is at most a threshold, missing ones are at most it all the same.
    only = nodes.missing & (nodes.threshold <= least) & finite
    if nodes.missing[~nodes.leaf].all() and not only.any():
        return Numbers(filled, rows.low), nodes
    parts = [given, filled]
    feature = np.where(nodes.missing, nodes.feature + width, nodes.feature)
    if only.any():
        parts.append(tf.where(gone, tf.constant(least, given.dtype), tf.zeros_like(given)))
        feature = np.where(only, nodes.feature + 2 * width, feature)
    low = None if rows.low is None else tf.concat([rows.low] * len(parts), 1)
    return Numbers(tf.concat(parts, 1), low), replace(nodes, feature=feature)
