"""Boosted classifiers as one operator: its own rules for ties and shares do not change a label."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PowerTransformer, RobustScaler, StandardScaler

from edgeship_converters.artifact import Task
from edgeship_converters.sources.sklearn_model import in_memory
from edgeship_converters.steps.sklearn_to_onnx import sklearn_to_onnx
from edgeship_runtime.arrays import Array
from edgeship_runtime.engines.onnx_runtime import OnnxRuntime

RANDOM = np.random.default_rng(0)


def form(model: Any, rows: Array) -> bytes:
    """The ONNX form of a fitted model."""
    source = in_memory(model)
    return sklearn_to_onnx(source, Task("m", source.contract, {"x": rows})).data


def assert_same(model: Any, rows: Array) -> list[str]:
    """The form decides as the model does; its operators."""
    made = form(model, rows)
    got = OnnxRuntime(made).run({"x": rows})
    # As the source's rows go in: in float32 scikit-learn itself rounds more.
    asked = rows.astype(np.float64)
    assert got["label"].tolist() == model.predict(asked).tolist()
    np.testing.assert_allclose(got["probabilities"], model.predict_proba(asked), atol=2e-7)
    return [node.op_type for node in onnx.load_from_string(made).graph.node]


@pytest.mark.parametrize("trees", [1, 3, 200])
def test_a_sum_of_exactly_nothing_is_the_second_class(trees: int) -> None:
    rows = np.array([[0], [0], [1], [1]], np.float32)
    model = GradientBoostingClassifier(n_estimators=trees).fit(rows, [0, 1, 0, 1])
    assert model.decision_function(rows).tolist() == [0.0] * 4
    assert model.predict(rows).tolist() == [1] * 4
    assert_same(model, rows)


def test_a_sum_of_nothing_is_the_first_class_over_histograms() -> None:
    rows = np.array([[0], [0], [1], [1]] * 20, np.float32)
    model = HistGradientBoostingClassifier(max_iter=2).fit(rows, [0, 1, 0, 1] * 20)
    assert model.predict(rows).tolist() == [0] * 80
    assert_same(model, rows)


def test_leaves_that_are_never_negative_are_no_shares() -> None:
    rows = RANDOM.normal(size=(400, 2)).astype(np.float32)
    truth = RANDOM.random(400) < 0.56
    model = HistGradientBoostingClassifier(max_iter=1, max_leaf_nodes=3).fit(rows, truth)
    sums = model.decision_function(rows)
    assert sums.min() > 0
    assert sums.max() < 0.5
    assert_same(model, rows)


def test_three_classes_one_of_them_without_votes() -> None:
    rows = np.arange(60, dtype=np.float32)[:, None]
    model = HistGradientBoostingClassifier(max_iter=3).fit(rows, np.repeat([0, 1, 2], [29, 30, 1]))
    assert_same(model, rows)


@pytest.mark.parametrize("scaler", [StandardScaler(), RobustScaler(), MinMaxScaler()])
@pytest.mark.parametrize("last", [LogisticRegression(), MLPClassifier((4,), max_iter=30)])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.filterwarnings("ignore")
def test_a_scaler_goes_into_the_weights(scaler: Any, last: Any, classes: int) -> None:
    rows = (RANDOM.normal(size=(200, 3)) * [1, 10, 0.1] + [2, 0, 0.3]).astype(np.float32)
    model = make_pipeline(scaler, last).fit(rows, rows.argmax(axis=1) % classes)
    assert not {"Sub", "Div", "Scaler"} & set(assert_same(model, rows)[:2])


def test_a_scaler_of_columns_far_from_nothing_stays() -> None:
    rows = (RANDOM.normal(size=(200, 2)) + np.array([100.0, -300.0])).astype(np.float32)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(rows, rows[:, 0] > 100.0)
    assert assert_same(model, rows)[0] == "Sub"


def test_only_what_stands_right_before_is_folded() -> None:
    rows = RANDOM.normal(size=(200, 2)).astype(np.float32)
    model = make_pipeline(StandardScaler(), PowerTransformer(standardize=False), MinMaxScaler())
    model = make_pipeline(*(step for _, step in model.steps), Ridge()).fit(rows, rows[:, 0])
    got = OnnxRuntime(form(model, rows)).run({"x": rows})
    np.testing.assert_allclose(got["prediction"], model.predict(rows), atol=1e-5)
