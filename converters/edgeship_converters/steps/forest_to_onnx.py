"""Tree and forest classifiers → ONNX, with votes that add up exactly.

skl2onnx gives each of n trees the weight 1/n in float32, so that 50 votes against 50 need not be a
tie, and the label flips. Here a leaf votes with its own class shares, which are 1 and 0 in a fully
grown tree and sum exactly; n divides the sums only where probabilities are given.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier
from sklearn.tree._tree import TREE_LEAF

from edgeship_runtime.arrays import Array

FORESTS = (
    DecisionTreeClassifier,
    ExtraTreeClassifier,
    ExtraTreesClassifier,
    RandomForestClassifier,
)


def forest_to_onnx(forest: Any, name: str, opsets: dict[str, int]) -> ModelProto:
    """A fitted classifier of `FORESTS`, over float32 rows `x`, with its thresholds as they are.

    Outputs are `label` and `probabilities`; the first class wins a tie, as in scikit-learn.
    """
    trees = [tree.tree_ for tree in getattr(forest, "estimators_", [forest])]
    classes = forest.classes_
    labels = classes.astype(np.int64) if classes.dtype.kind in "iub" else classes
    if labels.dtype.kind in "UO":
        labels = labels.astype(object)
    constants = [
        numpy_helper.from_array(labels, "classes"),
        numpy_helper.from_array(np.array(len(trees), np.float32), "trees"),
    ]
    ensemble = helper.make_node(
        "TreeEnsembleRegressor",
        ["x"],
        ["votes"],
        domain="ai.onnx.ml",
        aggregate_function="SUM",
        post_transform="NONE",
        n_targets=len(classes),
        **_nodes(trees),
        **_votes(trees),
    )
    nodes = [
        ensemble,
        helper.make_node("ArgMax", ["votes"], ["winner"], axis=1, keepdims=0),
        helper.make_node("Gather", ["classes", "winner"], ["label"], axis=0),
        helper.make_node("Div", ["votes", "trees"], ["probabilities"]),
    ]
    kind = TensorProto.FLOAT
    width = int(forest.n_features_in_)
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("x", kind, [None, width])],
        [
            helper.make_tensor_value_info("label", constants[0].data_type, [None]),
            helper.make_tensor_value_info("probabilities", kind, [None, len(classes)]),
        ],
        constants,
    )
    imports = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    return helper.make_model(graph, opset_imports=imports, ir_version=8, producer_name="edgeship")


def _nodes(trees: list[Any]) -> dict[str, Any]:
    leaves = np.concatenate([tree.children_left == TREE_LEAF for tree in trees])
    left = np.concatenate([tree.children_left for tree in trees])
    right = np.concatenate([tree.children_right for tree in trees])
    features = np.concatenate([tree.feature for tree in trees])
    thresholds = np.concatenate([tree.threshold for tree in trees])
    return {
        "nodes_treeids": np.repeat(np.arange(len(trees)), [t.node_count for t in trees]).tolist(),
        "nodes_nodeids": np.concatenate([np.arange(tree.node_count) for tree in trees]).tolist(),
        "nodes_modes": np.where(leaves, "LEAF", "BRANCH_LEQ").tolist(),
        "nodes_featureids": np.where(leaves, 0, features).tolist(),
        "nodes_values": np.where(leaves, 0.0, thresholds).astype(np.float32).tolist(),
        "nodes_truenodeids": np.where(leaves, 0, left).tolist(),
        "nodes_falsenodeids": np.where(leaves, 0, right).tolist(),
    }


def _votes(trees: list[Any]) -> dict[str, Any]:
    numbers: list[Array] = []
    for number, tree in enumerate(trees):
        leaves = np.flatnonzero(tree.children_left == TREE_LEAF)
        values = tree.value[leaves, 0, :]
        shares = values / values.sum(axis=1, keepdims=True)
        leaf, target = np.nonzero(shares)
        numbers.append(
            np.stack([np.full(len(leaf), number), leaves[leaf], target, shares[leaf, target]])
        )
    tree_ids, node_ids, targets, weights = np.concatenate(numbers, axis=1)
    return {
        "target_treeids": tree_ids.astype(int).tolist(),
        "target_nodeids": node_ids.astype(int).tolist(),
        "target_ids": targets.astype(int).tolist(),
        "target_weights": weights.tolist(),
    }
