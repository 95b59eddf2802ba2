"""One number for how good predictions are."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import r2_score

from edgeship_runtime.bundle import Contract, InputSpec, OutputSpec
from edgeship_runtime.bundle.manifest import Role
from edgeship_runtime.errors import DataError
from edgeship_runtime.metrics import r_squared, score

X = InputSpec(name="x", dtype="float32", shape=(None, 1))


def contract(role: Role, *, classes: tuple[str, ...] | None = None) -> Contract:
    out = OutputSpec(name="out", dtype="float32", shape=(None, None), role=role)
    return Contract(task="other", inputs=(X,), outputs=(out,), classes=classes)


def test_classification_is_scored_by_the_share_of_right_labels() -> None:
    outputs = {"out": np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])}
    truth = np.array(["no", "yes", "yes", "yes"])
    spec = contract("probabilities", classes=("no", "yes"))
    assert score(spec, outputs, truth) == ("accuracy", 0.75)


def test_regression_is_scored_by_r_squared() -> None:
    truth = np.array([1, 2, 4])
    assert score(contract("value"), {"out": np.array([[1.0], [2.0], [4.0]])}, truth) == ("r2", 1.0)
    assert score(contract("value"), {"out": np.full((3, 1), truth.mean())}, truth) == ("r2", 0.0)


def test_r_squared_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=50)
    for predicted in (truth + rng.normal(size=50), rng.normal(size=50), np.zeros(50)):
        assert r_squared(truth, predicted) == pytest.approx(r2_score(truth, predicted))
    constant = np.ones(3)
    assert r_squared(constant, constant) == r2_score(constant, constant) == 1.0
    assert r_squared(constant, truth[:3]) == r2_score(constant, truth[:3]) == 0.0


def test_what_has_no_metric_has_none() -> None:
    assert score(contract("tensor"), {"out": np.zeros((2, 1))}, np.zeros(2)) is None
    assert score(contract("value"), {"out": np.zeros((0, 1))}, np.zeros(0)) is None


def test_a_label_too_few_is_refused() -> None:
    with pytest.raises(DataError, match="there are 1 labels for 2 rows"):
        score(contract("value"), {"out": np.zeros((2, 1))}, np.zeros(1))


def test_labels_of_another_shape_are_refused_and_not_spread_over_all_rows() -> None:
    spec = contract("probabilities", classes=("no", "yes"))
    truth = np.array([["no"], ["yes"]])
    with pytest.raises(DataError, match=r"labels have the shape \(2, 1\), the model's \(2,\)"):
        score(spec, {"out": np.eye(2)}, truth)
    with pytest.raises(DataError, match="give one for each that the model predicts"):
        score(contract("value"), {"out": np.zeros((1, 3))}, np.zeros(1))


def test_text_is_no_truth_for_a_regression() -> None:
    with pytest.raises(DataError, match="a regression needs numbers"):
        score(contract("value"), {"out": np.zeros((1, 1))}, np.array(["cheap"]))
