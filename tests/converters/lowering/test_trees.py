"""Tree ensembles, of all that their attributes may say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from edgeship_converters.steps.classical.compact_trees import compacted
from tests.converters.lowering.cases import ML, Case, Drawn, near

_LIMITS = (-1.0, -0.25, 0.0, 0.5, 1.5, 3.0)
_APART = (-1.0, -0.25, 0.5, 1.5, 3.0)
_VALUES = near(4.0, (*_LIMITS, -0.0, 1e30, -1e30, float("nan")))
_WHOLE = near(4.0, (-1.0, 0.0, 1.0, 2.0, 3.0))
_MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")


def _ensemble(
    prefix: str,
    votes: Sequence[Sequence[int]],
    *,
    modes: Sequence[str] = ("BRANCH_LEQ",),
    limits: Sequence[float] = _LIMITS,
    low: float = -2.0,
    missing: bool = False,
    seed: int = 0,
) -> dict[str, Any]:
    """Two-storey trees; all leaves of a tree vote for the classes or targets that stand for it."""
    random = np.random.default_rng(seed)
    nodes: dict[str, list[Any]] = {
        f"nodes_{name}": []
        for name in (
            "treeids", "nodeids", "featureids", "modes", "values",
            "truenodeids", "falsenodeids", "missing_value_tracks_true",
        )
    }  # fmt: skip
    leaves: dict[str, list[Any]] = {
        f"{prefix}_{name}": [] for name in ("treeids", "nodeids", "ids", "weights")
    }
    for tree, classes in enumerate(votes):
        for node, (true, false) in enumerate(
            [(1, 2), (3, 4), (5, 6), (0, 0), (0, 0), (0, 0), (0, 0)]
        ):
            inner = node < 3
            row = (
                tree,
                node,
                int(random.integers(3)) if inner else 0,
                str(random.choice(list(modes))) if inner else "LEAF",
                float(random.choice(list(limits))) if inner else 0.0,
                true,
                false,
                int(missing and random.integers(2)),
            )
            for name, entry in zip(nodes, row, strict=True):
                nodes[name].append(entry)
            for number in () if inner else classes:
                weight = float(np.float32(random.uniform(low, 2.0)))
                for name, entry in zip(leaves, (tree, node, number, weight), strict=True):
                    leaves[name].append(entry)
    return {**nodes, **leaves}


def _regressor(votes: Sequence[Sequence[int]], dtype: str = "float32", **more: Any) -> Case:
    attributes: dict[str, Any] = {
        key: more.pop(key)
        for key in ("base_values", "aggregate_function", "post_transform")
        if key in more
    }
    targets = max(max(own) for own in votes) + 1
    note = "-".join(
        [
            f"targets={targets}",
            str(more.pop("note", "")),
            *[f"{k}={v}" for k, v in more.items() if k not in ("modes", "limits")],
        ]
    )
    made: dict[str, Any] = {
        **_ensemble("target", votes, **more),
        "n_targets": targets,
        **attributes,
    }
    return _tree_case("TreeEnsembleRegressor", dtype, made, note)


def _compact(votes: Sequence[Sequence[int]], dtype: str = "float32", **more: Any) -> Case:
    """The same trees in the operator of ai.onnx.ml 5."""
    made = {name: np.asarray(column) for name, column in _ensemble("target", votes, **more).items()}
    real = np.dtype(dtype).type
    thresholds = made.pop("nodes_values").astype(real)
    weights = made.pop("target_weights").astype(real)
    attributes = {**compacted(made, thresholds, made, weights), "n_targets": len(votes)}
    note = f"missing={more.get('missing', False)}"
    values = Drawn(dtype, values=_VALUES)
    return Case("TreeEnsemble", (values,), attributes, domain=ML, opset=5, note=note)


def _classifier(
    votes: Sequence[Sequence[int]], names: Any, dtype: str = "float32", **more: Any
) -> Case:
    attributes: dict[str, Any] = {
        key: more.pop(key) for key in ("base_values", "post_transform") if key in more
    }
    kind = "classlabels_strings" if isinstance(names[0], str) else "classlabels_int64s"
    note = "-".join([f"{kind}={len(names)}", f"votes={votes[0]}", *map(str, more.values())])
    made: dict[str, Any] = {**_ensemble("class", votes, **more), kind: names, **attributes}
    return _tree_case("TreeEnsembleClassifier", dtype, made, note)


def _tree_case(kind: str, dtype: str, attributes: dict[str, Any], note: str) -> Case:
    values = _WHOLE if dtype.startswith("int") else _VALUES
    return Case(
        kind,
        (Drawn(dtype, values=values),),
        attributes,
        domain=ML,
        opset=1 if dtype != "float64" else 3,
        outputs=2 if "class_ids" in attributes else 1,
        note=note,
    )


_ONE = [[0]] * 4
_THREE = [[0, 1, 2]] * 4
CASES = (
    *[_regressor(_ONE, modes=[mode], limits=_APART, note=mode) for mode in _MODES],
    *[_regressor(_ONE, modes=[mode], limits=_APART, missing=True, seed=3) for mode in _MODES],
    _regressor(_ONE, modes=_MODES, limits=_APART, missing=True, seed=1),
    _regressor(_ONE, "float64"),
    *[
        _regressor(votes, aggregate_function=how, base_values=base, seed=5)
        for how in ("SUM", "AVERAGE", "MIN", "MAX")
        for votes, base in ((_ONE, [0.5]), (_THREE, [1.0, -2.0, 0.25]))
    ],
    _regressor([[0], [1], [2], [0]], note="a target a tree"),
    *[_compact([[0], [1], [2], [0]], missing=missing) for missing in (False, True)],
    _compact([[0], [1]], "float64"),
    *[_regressor(_THREE, post_transform=how) for how in ("SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO")],
    _regressor(_ONE, post_transform="LOGISTIC"),
    *[
        _classifier([[cls]] * 4, names, low=low, post_transform=how)
        for cls in (0, 1)
        for names, low in ((["no", "yes"], 0.0), ([5, 7], -2.0))
        for how in ("NONE", "LOGISTIC")
    ],
    _classifier([[0]] * 4, [0, 1], low=0.0, post_transform="SOFTMAX"),
    _classifier([[0]] * 4, [0, 1], base_values=[0.5]),
    _classifier([[0]] * 4, [0, 1], base_values=[0.5, 0.25]),
    _classifier([[1]] * 4, [0, 1], base_values=[0.5]),
    _classifier([[0, 1]] * 4, [0, 1], base_values=[0.5]),
    _classifier([[0, 1]] * 4, [0, 1]),
    _classifier([[0, 1]] * 4, [5, 7]),
    _classifier([[0, 1]] * 4, ["no", "yes"], post_transform="SOFTMAX"),
    *[
        _classifier(_THREE, ["a", "b", "c"], low=low, post_transform=how)
        for low, how in (
            (0.0, "NONE"),
            (-2.0, "SOFTMAX"),
            (-2.0, "LOGISTIC"),
            (-2.0, "SOFTMAX_ZERO"),
        )
    ],
    _classifier(_THREE, [3, 1, 2], "float64"),
    _classifier([[0], [1], [2], [0]], [0, 1, 2], base_values=[0.5, -0.5, 0.25], missing=True),
    _classifier([[1], [2], [1], [2]], [0, 1, 2], low=-5.0),
    _classifier(_THREE, [0, 1, 2], "int64"),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_labels_and_scores_are_onnxruntimes(case: Case) -> None:
    case.check(10)


@pytest.mark.parametrize("mode", ["BRANCH_LT", "BRANCH_GTE", "BRANCH_EQ", "BRANCH_NEQ"])
def test_a_value_of_zero_is_not_below_a_threshold_of_zero(mode: str) -> None:
    _regressor(_ONE, modes=[mode], limits=(0.0, 1.0)).check(25)
