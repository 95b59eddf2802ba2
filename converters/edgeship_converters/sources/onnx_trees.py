"""Trees in ONNX files, looked at before onnxruntime walks them.

onnxruntime (1.32) checks their lengths and ids, but walks for ever in a tree whose root is a child
of one of its nodes, and calls itself once for each level. It looks for features and adds to outputs
wherever the file says, also outside of them.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, helper, numpy_helper, shape_inference

from edgeship_converters.errors import SourceError
from edgeship_converters.sources.onnx_checks import ML, every_node
from edgeship_converters.steps.canonical_onnx import graphs
from edgeship_runtime.arrays import Array

MOST_DEPTH = 1000
_MOST_OUTPUTS = 100_000
_WITH_LEAVES = ("TreeEnsembleClassifier", "TreeEnsembleRegressor")


def check_trees(model: ModelProto, what: str) -> None:
    """Refuse trees that are none, and more outputs than any model has.

    Args:
        model: without functions of its own.
        what: the model is called in messages.

    Raises:
        SourceError: naming the operator.
    """
    nodes = [node for node in every_node([model.graph]) if node.domain == ML]
    trees = any(node.op_type in (*_WITH_LEAVES, "TreeEnsemble") for node in nodes)
    widths = _widths(model) if trees else {}
    for node in nodes:
        held = {attribute.name: attribute for attribute in node.attribute}
        try:
            for name in ("n_targets", "targets"):
                if name in held and held[name].i > _MOST_OUTPUTS:
                    raise ValueError(
                        f"expected at most {_MOST_OUTPUTS} outputs, got {held[name].i}"
                    )
            if node.op_type in _WITH_LEAVES:
                _check_with_leaves(node, widths.get(node.input[0]))
            elif node.op_type == "TreeEnsemble":
                _check_apart(node, widths.get(node.input[0]))
        except ValueError as error:
            raise SourceError(
                f"{what} is not a sound ONNX model: its {node.op_type} {node.name!r}: {error}; "
                "export it anew"
            ) from error


def _check_with_leaves(node: NodeProto, width: int | None) -> None:
    """Trees whose leaves are nodes, each with a number in its tree."""
    modes = _given(node, "nodes_modes")
    trees, ids = (
        _numbers(node, "nodes_treeids", len(modes)),
        _numbers(node, "nodes_nodeids", len(modes)),
    )
    if len(_given(node, "nodes_missing_value_tracks_true")) not in (0, len(modes)):
        raise ValueError(f"nodes_missing_value_tracks_true: expected {len(modes)} or none")
    places = {
        key: place for place, key in enumerate(zip(trees.tolist(), ids.tolist(), strict=True))
    }
    if len(places) < len(modes):
        raise ValueError("expected each node of a tree once, got one twice")
    inner = np.flatnonzero(np.array([mode != b"LEAF" for mode in modes], bool))
    parents = np.full(len(modes), -1)
    for name in ("nodes_truenodeids", "nodes_falsenodeids"):
        children = _numbers(node, name, len(modes))[inner]
        keys = zip(trees[inner].tolist(), children.tolist(), strict=True)
        _adopt(parents, inner, np.array([places.get(key, -1) for key in keys], np.int64), name)
    _check_depth(parents)
    _check_below(_numbers(node, "nodes_featureids", len(modes))[inner], width, "nodes_featureids")
    classes = [*_given(node, "classlabels_strings"), *_given(node, "classlabels_int64s")]
    for name, most in (("class_ids", len(classes)), ("target_ids", _given(node, "n_targets"))):
        _check_below(np.asarray(_given(node, name), np.int64), most or None, name)


def _check_apart(node: NodeProto, width: int | None) -> None:
    """Trees whose leaves stand apart from their nodes, as of opset 5."""
    leaves = len(_given(node, "leaf_targetids"))
    count = len(_given(node, "nodes_truenodeids"))
    parents = np.full(count, -1)
    roots = np.asarray(_given(node, "tree_roots"), np.int64)
    if ((roots < 0) | (roots >= count)).any():
        raise ValueError(f"tree_roots: expected nodes below {count}")
    for name, leaf in (
        ("nodes_truenodeids", "nodes_trueleafs"),
        ("nodes_falsenodeids", "nodes_falseleafs"),
    ):
        children, ends = _numbers(node, name, count), _numbers(node, leaf, count) != 0
        if ((children[ends] < 0) | (children[ends] >= leaves)).any():
            raise ValueError(f"{name}: expected leaves below {leaves}")
        inside = np.flatnonzero(~ends)
        below = children[inside]
        _adopt(parents, inside, np.where((below < 0) | (below >= count), -1, below), name)
    _check_depth(parents)
    _check_below(_numbers(node, "nodes_featureids", count), width, "nodes_featureids")
    targets = np.asarray(_given(node, "leaf_targetids"), np.int64)
    _check_below(targets, _given(node, "n_targets") or None, "leaf_targetids")


def _adopt(parents: Array, nodes: Array, children: Array, what: str) -> None:
    """Note whose child each node is.

    Raises:
        ValueError: where there is no such node, or it is a child already.
    """
    if (children < 0).any():
        raise ValueError(f"{what}: expected nodes of the same tree, got another number")
    if (parents[children] >= 0).any() or len(np.unique(children)) < len(children):
        raise ValueError(f"{what}: expected each node to be the child of one")
    parents[children] = nodes


def _check_depth(parents: Array) -> None:
    """Refuse circles, and trees too deep to walk: of either, some node has too many above it."""
    above = parents
    for _ in range(MOST_DEPTH):
        above = above[above >= 0]
        if not len(above):
            return
        above = parents[above]
    raise ValueError(f"expected trees of a depth of at most {MOST_DEPTH}, and without circles")


def _check_below(numbers: Array, most: int | None, name: str) -> None:
    """Refuse numbers of features or outputs that there are not; None where that is not known."""
    wrong = numbers[(numbers < 0) | (numbers >= (most or np.inf))]
    if len(wrong):
        told = f"below {most}" if most else "of 0 or more"
        raise ValueError(f"{name}: expected numbers {told}, got {wrong[0]}")


def _widths(model: ModelProto) -> dict[str, int]:
    """The size of the last axis of each value of which the file, or shape inference, tells it."""
    known = [model.graph]
    # Shape inference raises whatever its C++ code does; the file's own shapes stay then.
    with suppress(Exception):
        known.append(shape_inference.infer_shapes(model, data_prop=True).graph)
    found = {}
    for graph in (inner for outer in known for inner in graphs(outer)):
        for value in (*graph.input, *graph.value_info, *graph.output):
            sizes = value.type.tensor_type.shape.dim
            if sizes and sizes[-1].HasField("dim_value"):
                found[value.name] = sizes[-1].dim_value
        found.update({t.name: t.dims[-1] for t in graph.initializer if t.dims})
    return found


def _given(node: NodeProto, name: str) -> Any:
    for attribute in node.attribute:
        if attribute.name == name:
            value = helper.get_attribute_value(attribute)
            return numpy_helper.to_array(value) if hasattr(value, "data_type") else value
    return ()


def _numbers(node: NodeProto, name: str, count: int) -> Array:
    numbers = np.asarray(_given(node, name), np.int64)
    if len(numbers) != count:
        raise ValueError(f"{name}: expected {count} numbers, got {len(numbers)}")
    return numbers
