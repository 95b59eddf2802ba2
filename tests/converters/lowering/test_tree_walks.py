"""Each way to walk trees, over trees of all shapes, against onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from edgeship_converters.steps.lowering import tree_layouts, tree_walk
from edgeship_converters.steps.lowering.tree_attributes import tables_of
from edgeship_converters.steps.lowering.values import Operator, Parts
from tests.converters.lowering.cases import ML, Case, Drawn, near

_GRID = (-2.0, -0.75, -0.5, 0.0, 0.25, 1.0, 3.5)
_VALUES = near(4.0, (*_GRID, np.nextafter(np.float32(0.25), np.float32(1)).item(), float("nan")))
# Costs by which one way is cheaper than all others.
_WAYS: dict[str, dict[str, float]] = {
    "on the way": {"_WIDEST": 0},
    "before": {"GATHERED": 1e6, "CHOSEN": 1e12},
    "chosen": {"COMPARED": 0.0, "CHOSEN": 0.0},
}


def _trees(sizes: list[int], *, chain: bool = False, missing: bool = True) -> dict[str, Any]:
    """Trees of so many branches each, that grow at random leaves, or always at the last one."""
    random = np.random.default_rng(0)
    rows: list[tuple[Any, ...]] = []
    votes: list[tuple[Any, ...]] = []
    for tree, branches in enumerate(sizes):
        children: dict[int, tuple[int, int]] = {}
        leaves = [0]
        for _ in range(branches):
            grown = leaves.pop(-1 if chain else int(random.integers(len(leaves))))
            children[grown] = (2 * len(children) + 1, 2 * len(children) + 2)
            leaves += children[grown]
        for node in range(2 * branches + 1):
            true, false = children.get(node, (0, 0))
            inner = node in children
            rows.append(
                (tree, node, int(random.integers(3)) * inner, "BRANCH_LEQ" if inner else "LEAF",
                 float(random.choice(_GRID)) * inner, true, false,
                 int(missing and inner and random.integers(2)))
            )  # fmt: skip
            if not inner:
                # Few distinct ones, as of pure leaves.
                votes.append((tree, node, int(random.integers(2)), float(random.integers(1, 4))))
    names = ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids",
             "missing_value_tracks_true")  # fmt: skip
    made = dict(
        zip((f"nodes_{name}" for name in names), map(list, zip(*rows, strict=True)), strict=True)
    )
    told = (f"target_{name}" for name in ("treeids", "nodeids", "ids", "weights"))
    return {
        **made,
        **dict(zip(told, map(list, zip(*votes, strict=True)), strict=True)),
        "n_targets": 2,
    }


def _case(attributes: dict[str, Any], dtype: str = "float32") -> Case:
    drawn = Drawn(dtype, values=_VALUES)
    return Case("TreeEnsembleRegressor", (drawn,), attributes, domain=ML, opset=3)


@pytest.mark.parametrize("way", _WAYS)
@pytest.mark.parametrize(
    "attributes",
    [
        _trees([12, 0, 1, 30, 7], missing=False),
        _trees([12, 0, 1, 30, 7]),
        _trees([40], chain=True),
        _trees([0]),
        _trees([1, 1, 2, 25], chain=True),
    ],
    ids=["no value missing", "some missing", "a chain", "a leaf", "deep beside flat"],
)
def test_rows_end_where_onnxruntimes_do(
    way: str, attributes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in _WAYS[way].items():
        monkeypatch.setattr(tree_walk if name == "_WIDEST" else tree_layouts, name, value)
    _case(attributes).check(12)


@pytest.mark.parametrize("way", _WAYS)
def test_whole_numbers_beyond_float32_go_where_they_belong(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in _WAYS[way].items():
        monkeypatch.setattr(tree_walk if name == "_WIDEST" else tree_layouts, name, value)
    made = _trees([12, 5], missing=False)
    limits = np.where(np.asarray(made["nodes_values"]) > 0, 1_700_000_000.5, 2**31 - 300.0)
    attributes = made | {"nodes_values": (limits * (limits > 0)).tolist()}
    op = Operator("TreeEnsembleRegressor", attributes, 3, 1, narrow=True)
    tables = tables_of(op, "target", 2, np.float64)
    rows = np.random.default_rng(1).integers(1_699_999_000, 1_700_001_000, (200, 3))
    rows[::2] = 1_700_000_000 + np.arange(-1, 2)
    high = rows.astype(np.float32)
    low = (rows - high.astype(np.int64)).astype(np.float32)
    parts = Parts(tf.constant(high), tf.constant(low))
    ends, _ = tree_walk.ends_of(tables, parts, finite=True)
    plain, _ = tree_walk.ends_of(tables, tf.constant(rows.astype(np.float64)), finite=True)
    np.testing.assert_array_equal(ends.numpy(), plain.numpy())


def test_equal_leaves_and_branches_are_kept_once() -> None:
    one = _trees([30], missing=False)
    twice = {name: [*column, *column] for name, column in one.items() if name != "n_targets"}
    for name in ("nodes_treeids", "target_treeids"):
        twice[name] = [*one[name], *(tree + 1 for tree in one[name])]
    op = Operator("TreeEnsembleRegressor", twice, 3, 1, narrow=True)
    tables = tables_of(op, "target", 2, np.float32)
    assert len(tables.roots) == 2
    assert tables.roots[0] == tables.roots[1]
    assert len(tables.branches.leaf) <= 30
    assert len(tables.leaves) <= 6
