"""Trees of whatever library as one ONNX operator: the sum of the leaves that a row ends in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from onnx import numpy_helper as numpy_onnx

from edgeship_converters.steps.classical.answers import Answers
from edgeship_converters.steps.classical.compact_trees import compacted, fits
from edgeship_converters.steps.classical.dispatch import through
from edgeship_converters.steps.classical.graph import ML, Graph
from edgeship_converters.steps.classical.rows import Block, Rows, joined
from edgeship_converters.steps.exact_trees import Reads, exact_thresholds, without_value
from edgeship_runtime.arrays import Array

LEAF = -1
# Sums below 2^24 steps of the same power of two are exact in float32.
_EXACT_BITS = 23
# Added to a sum of exactly 0 it is more than 0, and nothing next to any other.
_HARDLY = 1e-300


@dataclass(frozen=True, slots=True)
class Tree:
    """The nodes of one tree, the root first; each array has one entry for each node.

    Attributes:
        left: the child of a row whose feature is at most the threshold; `LEAF` at a leaf.
        right: the child of any other row; `LEAF` at a leaf.
        feature: the column that a node looks at.
        threshold: float64.
        missing_left: whether a missing value (NaN) goes to the left.
        values: (nodes, targets), what a leaf adds.
    """

    left: Array
    right: Array
    feature: Array
    threshold: Array
    missing_left: Array
    values: Array


def ensemble(
    trees: Sequence[Tree],
    rows: Rows,
    graph: Graph,
    *,
    exact: bool = False,
    reads: Reads = "float32",
    missing: bool = False,
) -> str:
    """(rows, targets), the sum over all trees in float32, cast to the graph's reals.

    Args:
        trees: of one model.
        rows: what they look at; steps that the rows have yet to pass are folded into thresholds.
        graph: where the operator is added.
        exact: whether to sum without rounding, so that ties and near ties are decided right; the
            sum is float64 then, unless float32 holds it exactly.
        reads: the precision in which the model itself compares a row with a threshold.
        missing: whether rows may hold NaN although the graph's inputs may not.
    """
    targets = trees[0].values.shape[1]
    given = _split(trees) if exact else trees
    looked_at = _looked_at(rows, graph, reads)
    nodes, thresholds = _nodes(trees, looked_at, graph, reads=reads, missing=missing)
    leaves, weights = _leaves(given, "target")
    count = given[0].values.shape[1]
    if graph.compact and not looked_at.wide and fits(nodes, leaves):
        (sums,) = graph.node(
            "TreeEnsemble",
            looked_at.matrix,
            domain=ML,
            n_targets=count,
            **compacted(nodes, thresholds.astype(np.float32), leaves, weights.astype(np.float32)),
        )
    else:
        (sums,) = graph.node(
            "TreeEnsembleRegressor",
            looked_at.matrix,
            domain=ML,
            aggregate_function="SUM",
            post_transform="NONE",
            n_targets=count,
            **nodes,
            **leaves,
            **_numbers(thresholds, weights, "target", wide=looked_at.wide),
        )
    if given is trees:
        return graph.widened(sums)
    sums = graph.cast(sums, np.float64)
    return graph.Add(
        graph.Slice(sums, [0], [targets], [1]), graph.Slice(sums, [targets], [2 * targets], [1])
    )


def most_likely(
    trees: Sequence[Tree],
    start: Array,
    rows: Rows,
    graph: Graph,
    *,
    sums: Literal["float32", "float64"] = "float64",
    reads: Reads = "float32",
    missing: bool = False,
    even_is_second: bool = False,
) -> Answers:
    """The class with the largest sum of leaves and start, and the classes' softmax.

    With one target there are two classes, the first of which has a sum of 0; that softmax is the
    sigmoid. One operator sums, decides and bends, in the precision of its input.

    Args:
        trees: of one model, of one target or one a class.
        start: what each target starts from.
        rows: see `ensemble`, also for `reads` and `missing`.
        graph: where the operator is added.
        sums: the precision of the sums.
        even_is_second: whether a sum of exactly 0 is the second class, of two.
    """
    targets = trees[0].values.shape[1]
    first = replace(trees[0], values=trees[0].values + np.ravel(start))
    held = [first, *trees[1:]]
    if targets == 1 and not any((tree.values < 0).any() for tree in held):
        # onnxruntime takes sums without a negative leaf for shares, and compares with a half.
        held = [replace(first, values=first.values + 1.0), *trees[1:], _leaf(-1.0)]
    if even_is_second:
        # It asks for more than 0, and adds the trees in their order.
        held.append(_leaf(_HARDLY))
    looked_at = _looked_at(rows, graph, reads)
    nodes, thresholds = _nodes(held, looked_at, graph, reads=reads, missing=missing)
    leaves, weights = _leaves(held, "class")
    if targets == 1:
        leaves["class_ids"] = np.ones(len(weights), np.int64)
    matrix, wide = looked_at.matrix, sums == "float64"
    index, likely = graph.node(
        "TreeEnsembleClassifier",
        graph.cast(matrix, np.float64) if wide and not looked_at.wide else matrix,
        outputs=2,
        domain=ML,
        post_transform="SOFTMAX",
        classlabels_int64s=np.arange(max(2, targets)),
        **nodes,
        **leaves,
        **_numbers(thresholds, weights, "class", wide=wide),
    )
    return Answers(index=index, probabilities=graph.widened(likely))


@dataclass(frozen=True, slots=True)
class _LookedAt:
    """What trees look at: a matrix, of float64 where `wide`, else of float32.

    With `gaps` it holds NaN for numbers that a step folded into thresholds has no value for.
    """

    rows: Rows
    matrix: str
    wide: bool
    gaps: bool = False


def _looked_at(rows: Rows, graph: Graph, reads: Reads) -> _LookedAt:
    """The rows as trees look at them: as float64 where the model does and the rows are that wide.

    Steps yet to pass are folded into thresholds over float32 rows only.
    """
    if reads == "float32" or not any(b.kind in ("float64", "int64") for b in rows.blocks):
        matrix = singles(rows, graph)
        lowest = without_value(rows.behind, rows.width) if rows.behind else np.array([-np.inf])
        gaps = bool(np.isfinite(lowest).any())
        if gaps:
            below = graph.LessOrEqual(matrix, graph.exactly(lowest.astype(np.float32)))
            matrix = graph.Where(below, graph.exactly(np.array(np.nan, np.float32)), matrix)
        return _LookedAt(rows, matrix, wide=False, gaps=gaps)
    with graph.computing_in(np.float64):
        passed = through(rows, graph)
        return _LookedAt(passed, passed.matrix(graph), wide=True)


def _numbers(
    thresholds: Array, weights: Array, prefix: Literal["target", "class"], *, wide: bool
) -> dict[str, Any]:
    """Thresholds and leaves in the precision of the operator's input."""
    if not wide:
        return {"nodes_values": _float32(thresholds), f"{prefix}_weights": _float32(weights)}
    return {
        "nodes_values_as_tensor": numpy_onnx.from_array(thresholds),
        f"{prefix}_weights_as_tensor": numpy_onnx.from_array(weights),
    }


def _nodes(
    trees: Sequence[Tree], looked_at: _LookedAt, graph: Graph, *, reads: Reads, missing: bool
) -> tuple[dict[str, Any], Array]:
    """The attributes that tell of the nodes, but for the thresholds, which stand beside."""
    left, right, feature, threshold, missing_left = (
        np.concatenate([getattr(tree, name) for tree in trees])
        for name in ("left", "right", "feature", "threshold", "missing_left")
    )
    leaf = left == LEAF
    inner = ~leaf
    thresholds = np.zeros(len(leaf))
    if looked_at.wide:
        thresholds[inner] = threshold[inner]
    else:
        rows = looked_at.rows
        thresholds[inner] = exact_thresholds(
            feature[inner], threshold[inner], rows.width, rows.behind, reads=reads
        )
    sizes = [len(tree.left) for tree in trees]
    nodes: dict[str, Any] = {
        "nodes_treeids": np.repeat(np.arange(len(trees)), sizes),
        "nodes_nodeids": np.concatenate([np.arange(size) for size in sizes]),
        "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        "nodes_featureids": np.where(leaf, 0, feature),
        "nodes_truenodeids": np.where(leaf, 0, left),
        "nodes_falsenodeids": np.where(leaf, 0, right),
    }
    if (graph.missing or missing or looked_at.gaps) and missing_left[inner].any():
        nodes["nodes_missing_value_tracks_true"] = np.where(leaf, 0, missing_left)
    return nodes, thresholds


def singles(rows: Rows, graph: Graph) -> str:
    """All columns as one float32 matrix, whatever the graph computes in."""
    return joined([block.cast("float32", graph) for block in rows.blocks], graph)


def with_nan(matrix: str, where: str, rows: Rows, graph: Graph) -> Rows:
    """Rows of a float32 matrix with NaN wherever a condition of its shape holds."""
    missing = graph.Where(where, graph.exactly(np.array(np.nan, np.float32)), matrix)
    return Rows((Block(missing, rows.width, "float32"),))


def _split(trees: Sequence[Tree]) -> Sequence[Tree]:
    """Trees with twice the targets: parts that float32 sums exactly, then what they leave.

    The parts are multiples of a power of two. Where nothing is left, as of the votes of pure
    leaves, the trees themselves.
    """
    held = [np.where((tree.left == LEAF)[:, None], tree.values, 0.0) for tree in trees]
    most = float(np.sum([np.abs(values).max(axis=0) for values in held], axis=0).max())
    # The same for all targets: classes with the same shares must come out the same.
    step = np.exp2(np.ceil(np.log2(max(most, float(np.finfo(np.float32).tiny)))) - _EXACT_BITS)
    parts = [np.round(values / step) * step for values in held]
    rests = [values - part for values, part in zip(held, parts, strict=True)]
    if not any(rest.any() for rest in rests):
        return trees
    return [
        replace(tree, values=np.concatenate([part, rest], axis=1))
        for tree, part, rest in zip(trees, parts, rests, strict=True)
    ]


def _leaf(value: float) -> Tree:
    """A tree that adds the same to each row, of one target."""
    nowhere, no = np.array([LEAF]), np.zeros(1)
    return Tree(nowhere, nowhere, no.astype(int), no, no.astype(bool), np.array([[value]]))


def _leaves(trees: Sequence[Tree], prefix: Literal["target", "class"]) -> tuple[Any, Array]:
    """The attributes that tell of the leaves, but for their weights, which stand beside."""
    found: list[list[Array]] = []
    for number, tree in enumerate(trees):
        places = np.flatnonzero(tree.left == LEAF)
        given = np.asarray(tree.values, np.float64)[places]
        row, target = np.nonzero(given)
        if number == 0 and prefix == "class":
            # A class that nothing votes for has a sum all the same.
            row, target = (part.ravel() for part in np.indices(given.shape))
        if not len(row):
            # A tree must vote, if only with 0.
            row, target = np.array([0]), np.array([0])
        found.append([np.full(len(row), number), places[row], target, given[row, target]])
    tree_ids, node_ids, targets, weights = (
        np.concatenate(column) for column in zip(*found, strict=True)
    )
    leaves = {
        f"{prefix}_treeids": tree_ids,
        f"{prefix}_nodeids": node_ids,
        f"{prefix}_ids": targets,
    }
    return leaves, weights


def _float32(values: Array) -> list[float]:
    rounded: list[float] = values.astype(np.float32).tolist()
    return rounded
