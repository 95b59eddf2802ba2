"""Clusterers that go by the nearest centre, and the one that joins columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeship_converters.steps.classical.answers import Answers, flat
from edgeship_converters.steps.classical.baselines import repeated
from edgeship_converters.steps.classical.distances import squares_but_own
from edgeship_converters.steps.classical.exactly import less
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.linear import linear
from edgeship_converters.steps.classical.rows import Rows
from edgeship_runtime.arrays import Array


def means(model: Any, rows: Rows, graph: Graph) -> Answers:
    """KMeans and MiniBatchKMeans: the nearest centre, and the distances to all of them."""
    return _nearest(model.cluster_centers_, rows, graph)


def shifted_means(model: Any, rows: Rows, graph: Graph) -> Answers:
    """MeanShift: the nearest mode."""
    return Answers(cluster=_nearest(model.cluster_centers_, rows, graph).cluster)


def exemplars(model: Any, rows: Rows, graph: Graph) -> Answers:
    """AffinityPropagation: the nearest exemplar, or -1 for all rows where the fit found none."""
    if model.affinity == "precomputed":
        raise ValueError("its affinity is 'precomputed', so it says nothing about new rows")
    if not len(model.cluster_centers_):
        return Answers(cluster=flat(graph, repeated(np.array([-1]), rows, graph)))
    return Answers(cluster=_nearest(model.cluster_centers_, rows, graph).cluster)


def subclusters(model: Any, rows: Rows, graph: Graph) -> Answers:
    """Birch: the cluster of the nearest subcluster, and the distances to all subclusters."""
    found = _nearest(model.subcluster_centers_, rows, graph)
    labels = np.asarray(model.subcluster_labels_)
    if np.array_equal(labels, np.arange(len(labels))):
        return found
    cluster = graph.Gather(labels, found.cluster, axis=0)
    return Answers(cluster=cluster, transformed=found.transformed)


def bisected(model: Any, rows: Rows, graph: Graph) -> Answers:
    """BisectingKMeans: down a tree, at each node to the nearer of two centres.

    All nodes decide at once; the leaf whose whole path agrees with them is the cluster.
    """
    found = _nearest(model.cluster_centers_, rows, graph)
    nodes, paths = _tree(model)
    if not nodes:
        return found
    pairs = np.array(nodes) + getattr(model, "_X_mean", 0.0)
    centre = np.mean(model.cluster_centers_, axis=0)
    left, right = pairs[:, 0] - centre, pairs[:, 1] - centre
    bias = (left**2).sum(axis=1) - (right**2).sum(axis=1)
    nearer_right = linear(
        less(rows.matrix(graph), centre, graph), 2 * (right - left).T, bias, graph
    )
    turns = graph.cast(graph.Greater(nearer_right, 0.0))
    # Of +1 for a right turn and -1 for a left one: how many turns of each path are missed, below 0.
    missed = linear(turns, 2.0 * paths.T, -paths.sum(axis=1) - np.abs(paths).sum(axis=1), graph)
    cluster = graph.ArgMax(missed, axis=1, keepdims=0)
    return Answers(cluster=cluster, transformed=found.transformed)


def joined_columns(model: Any, rows: Rows, graph: Graph) -> Answers:
    """FeatureAgglomeration: the mean, sum, largest or smallest of each group of columns."""
    groups = [np.flatnonzero(model.labels_ == label) for label in np.unique(model.labels_)]
    values = rows.matrix(graph)
    pool = model.pooling_func
    if pool in (np.mean, np.sum):
        members = np.zeros((rows.width, len(groups)))
        for place, group in enumerate(groups):
            members[group, place] = 1.0 / len(group) if pool is np.mean else 1.0
        return Answers(transformed=Rows.of(graph.MatMul(values, members), len(groups), graph))
    if pool not in (np.max, np.min):
        name = getattr(pool, "__name__", type(pool).__name__)
        raise ValueError(f"its pooling_func is {name!r}: expected numpy's mean, sum, max or min")
    longest = max(len(group) for group in groups)
    # A column that is there twice changes neither the largest nor the smallest.
    padded = np.array([np.resize(group, longest) for group in groups])
    gathered = graph.Gather(values, padded, axis=1)
    reduce = graph.ReduceMax if pool is np.max else graph.ReduceMin
    pooled = reduce(gathered, axes=[2], keepdims=0)
    return Answers(transformed=Rows.of(pooled, len(groups), graph))


def _nearest(centres: Array, rows: Rows, graph: Graph) -> Answers:
    """The nearest centre, and the distances as |z|² - 2·z·c + |c|² around the centres' mean.

    That sum cancels for a row next to a centre, so the smallest distance is taken directly.
    """
    centres = np.asarray(centres, np.float64)
    around = centres - centres.mean(axis=0)
    partial, moved = squares_but_own(rows.matrix(graph), centres, graph)
    square = graph.ReduceSumSquare(moved, axes=[1], keepdims=1)
    distances = graph.Sqrt(graph.Max(graph.Add(partial, square), 0.0))
    column = graph.ArgMin(partial, axis=1, keepdims=1)
    cluster = flat(graph, column)
    apart = graph.Sub(moved, graph.Gather(around, cluster, axis=0))
    smallest = graph.Sqrt(graph.ReduceSumSquare(apart, axes=[1], keepdims=1))
    chosen = graph.Equal(column, np.arange(len(centres)))
    distances = graph.Where(chosen, smallest, distances)
    return Answers(cluster=cluster, transformed=Rows.of(distances, len(centres), graph))


def _tree(model: Any) -> tuple[list[tuple[Array, Array]], Array]:
    """The two centres at each inner node, and by leaf its path: 1 right, -1 left, 0 elsewhere."""
    nodes: list[tuple[Array, Array]] = []
    turns: dict[int, dict[int, int]] = {}
    waiting: list[tuple[Any, dict[int, int]]] = [(model._bisecting_tree, {})]
    while waiting:
        node, path = waiting.pop()
        if node.left is None:
            turns[int(node.label)] = path
            continue
        place = len(nodes)
        nodes.append((node.left.center, node.right.center))
        waiting += [(node.left, path | {place: -1}), (node.right, path | {place: 1})]
    paths = np.zeros((len(turns), len(nodes)))
    for label, path in turns.items():
        for place, turn in path.items():
            paths[label, place] = turn
    return nodes, paths
