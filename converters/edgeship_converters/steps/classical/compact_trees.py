"""Tree ensembles in the operator of ai.onnx.ml 5: a quarter of the bytes of the one before.

It names no mode in words, numbers branches over all trees, and keeps leaves apart, so that equal
leaves are one. onnxruntime has it from 1.21 on, and runs it by the same code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from onnx import numpy_helper as numpy_onnx

from edgeship_runtime.arrays import Array

# Codes of the operator, for `x at most the threshold` and for a sum.
_AT_MOST, _SUM = 0, 1


def fits(nodes: Mapping[str, Any], leaves: Mapping[str, Array]) -> bool:
    """Whether no leaf adds to several targets, and no tree is but a leaf.

    Args:
        nodes: see `compacted`.
        leaves: see `compacted`.
    """
    trees, ids = leaves["target_treeids"], leaves["target_nodeids"]
    # Those of one leaf stand beside each other.
    several = (trees[1:] == trees[:-1]) & (ids[1:] == ids[:-1])
    roots = np.asarray(nodes["nodes_modes"])[np.asarray(nodes["nodes_nodeids"]) == 0]
    return not several.any() and not (roots == "LEAF").any()


def compacted(
    nodes: Mapping[str, Any], thresholds: Array, leaves: Mapping[str, Array], weights: Array
) -> dict[str, Any]:
    """The attributes of a TreeEnsemble, from those of a TreeEnsembleRegressor.

    Args:
        nodes: its `nodes_` attributes; the nodes of a tree follow each other, the root first, and
            are numbered in that order.
        thresholds: one each, in the type of the rows.
        leaves: its `target_` attributes; a leaf that is not among them adds nothing.
        weights: beside these.
    """
    trees = np.asarray(nodes["nodes_treeids"])
    modes = np.asarray(nodes["nodes_modes"])
    is_leaf = modes == "LEAF"
    starts = np.flatnonzero(np.asarray(nodes["nodes_nodeids"]) == 0)
    offset = np.repeat(starts, np.diff(np.append(starts, len(trees))))
    place_of_branch = np.cumsum(~is_leaf) - 1
    target, weight = np.zeros(len(trees), np.int64), np.zeros(len(trees), weights.dtype)
    at = starts[leaves["target_treeids"]] + leaves["target_nodeids"]
    target[at], weight[at] = leaves["target_ids"], weights
    kinds = np.zeros(int(is_leaf.sum()), [("target", np.int64), ("weight", weights.dtype)])
    kinds["target"], kinds["weight"] = target[is_leaf], weight[is_leaf]
    distinct, which = np.unique(kinds, return_inverse=True)
    place = place_of_branch.copy()
    place[is_leaf] = which.ravel()

    def children(name: str) -> tuple[Array, Array]:
        at = (offset + np.asarray(nodes[name]))[~is_leaf]
        return place[at], is_leaf[at].astype(np.int64)

    true, true_leaf = children("nodes_truenodeids")
    false, false_leaf = children("nodes_falsenodeids")
    made: dict[str, Any] = {
        "aggregate_function": _SUM,
        "post_transform": 0,
        "nodes_featureids": np.asarray(nodes["nodes_featureids"])[~is_leaf],
        "nodes_modes": numpy_onnx.from_array(np.full(len(true), _AT_MOST, np.uint8)),
        "nodes_splits": numpy_onnx.from_array(thresholds[~is_leaf]),
        "nodes_truenodeids": true,
        "nodes_trueleafs": true_leaf,
        "nodes_falsenodeids": false,
        "nodes_falseleafs": false_leaf,
        "leaf_targetids": distinct["target"],
        "leaf_weights": numpy_onnx.from_array(np.ascontiguousarray(distinct["weight"])),
        "tree_roots": place[starts],
    }
    missing = nodes.get("nodes_missing_value_tracks_true")
    if missing is not None:
        made["nodes_missing_value_tracks_true"] = np.asarray(missing)[~is_leaf]
    return made
