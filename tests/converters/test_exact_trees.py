"""No float32 row goes the other way than in scikit-learn, however near to a threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier

from edgeship_converters.artifact import Task
from edgeship_converters.sources.sklearn_model import SklearnSource
from edgeship_converters.steps.sklearn_to_onnx import sklearn_to_onnx
from edgeship_runtime.arrays import Array
from edgeship_runtime.engines.onnx_runtime import OnnxRuntime
from tests.converters.beside_thresholds import WIDTH, rows_at_thresholds, ties, with_missing


def assert_same_decisions(model: Any, rows: Array) -> None:
    """The ONNX form's labels are scikit-learn's own."""
    source = SklearnSource(model, "0" * 64)
    artifact = sklearn_to_onnx(source, Task("m", source.contract))
    got = OnnxRuntime(artifact.data).run({"x": rows})
    expected = source.predict({"x": rows})
    assert got["label"].tolist() == expected["label"].tolist()
    np.testing.assert_allclose(got["probabilities"], expected["probabilities"], atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    offset=st.floats(-1e6, 1e6),
    spread=st.floats(1e-3, 1e6),
    classes=st.integers(2, 4),
    grown=st.sampled_from([None, 2]),
)
def test_rows_beside_thresholds_get_the_same_label(
    seed: int, offset: float, spread: float, classes: int, grown: int | None
) -> None:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(60, WIDTH)) * spread + offset
    truth = random.integers(0, classes, 60)
    forest = RandomForestClassifier(6, max_depth=grown, random_state=seed % 1000)
    model = make_pipeline(StandardScaler(), forest).fit(rows, truth)
    assert_same_decisions(model, rows_at_thresholds(model))


@pytest.mark.parametrize("kind", [DecisionTreeClassifier, ExtraTreesClassifier])
def test_trees_without_scaling_agree_as_well(kind: Any) -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(200, WIDTH))
    model = kind(random_state=0).fit(rows, rows.sum(axis=1) > 0.3)
    assert_same_decisions(model, rows_at_thresholds(model))


@pytest.mark.parametrize("scaler", [MaxAbsScaler, MinMaxScaler, RobustScaler])
def test_other_scalers_fold_as_well(scaler: Any) -> None:
    random = np.random.default_rng(1)
    rows = random.normal(size=(200, WIDTH)) * 50 + 7
    forest = RandomForestClassifier(20, random_state=1)
    model = make_pipeline(scaler(), forest).fit(rows, random.integers(0, 3, 200))
    assert_same_decisions(model, rows_at_thresholds(model))


def test_a_tied_vote_goes_to_the_first_class_as_in_scikit_learn() -> None:
    assert_same_decisions(*ties())


def test_a_tree_of_one_leaf_has_no_threshold_to_fold() -> None:
    model = DecisionTreeClassifier().fit(np.zeros((5, WIDTH)), [1] * 5)
    assert_same_decisions(model, np.ones((3, WIDTH), np.float32))


@pytest.mark.parametrize("bend", [PowerTransformer(), FunctionTransformer(np.cbrt)])
def test_bent_rows_beside_thresholds_get_the_same_label(bend: Any) -> None:
    random = np.random.default_rng(4)
    rows = random.normal(size=(200, WIDTH)) * 5
    model = make_pipeline(bend, HistGradientBoostingClassifier(max_iter=20))
    model.fit(rows, random.integers(0, 3, 200))
    assert_same_decisions(model, rows_at_thresholds(model))


@pytest.mark.parametrize("kind", [RandomForestClassifier, HistGradientBoostingClassifier])
def test_missing_values_go_the_way_that_the_model_sends_them(kind: Any) -> None:
    assert_same_decisions(*with_missing(kind))


def test_rows_at_the_smallest_steps_of_a_scaler_agree_in_boosting_too() -> None:
    random = np.random.default_rng(6)
    rows = random.normal(size=(200, WIDTH)) * 1e-3 + 1e3
    model = make_pipeline(StandardScaler(), HistGradientBoostingClassifier(max_iter=20))
    model.fit(rows, random.integers(0, 2, 200))
    assert_same_decisions(model, rows_at_thresholds(model))


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(max_depth=2, random_state=0),
        RandomForestClassifier(7, max_depth=3, random_state=0),
        BaggingClassifier(DecisionTreeClassifier(max_depth=2), 4, random_state=0),
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_classes_with_the_same_shares_tie(model: Any, seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = random.integers(0, 7, (343, 3)).astype(np.float32)
    assert_same_decisions(model.fit(rows, random.integers(0, 3, 343)), rows)
