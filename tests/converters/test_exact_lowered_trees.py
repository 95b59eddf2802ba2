"""In SavedModel and TFLite too, no float32 row goes the other way than in scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from edgeship_runtime.arrays import Array
from tests.converters.beside_thresholds import WIDTH, rows_at_thresholds, ties, with_missing
from tests.converters.lowered import FORMS, answers, source_of


def assert_same_decisions(model: Any, rows: Array, forms: Any = FORMS) -> None:
    """The lowered forms' labels are scikit-learn's own."""
    source = source_of(model)
    expected = source.predict({"x": rows})
    for form in forms:
        got = answers(source, form, {"x": rows})
        assert got["label"].tolist() == expected["label"].tolist(), form
        np.testing.assert_allclose(got["probabilities"], expected["probabilities"], atol=1e-6)


@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    offset=st.floats(-1e6, 1e6),
    spread=st.floats(1e-3, 1e6),
    grown=st.sampled_from([None, 2]),
)
def test_rows_beside_thresholds_get_the_same_label(
    seed: int, offset: float, spread: float, grown: int | None
) -> None:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(60, WIDTH)) * spread + offset
    forest = RandomForestClassifier(6, max_depth=grown, random_state=seed % 1000)
    model = make_pipeline(StandardScaler(), forest).fit(rows, random.integers(0, 3, 60))
    assert_same_decisions(model, rows_at_thresholds(model), ["tflite-float32"])


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(random_state=0),
        ExtraTreesClassifier(30, random_state=0),
        GradientBoostingClassifier(n_estimators=30, random_state=0),
        make_pipeline(StandardScaler(), HistGradientBoostingClassifier(max_iter=20)),
        make_pipeline(FunctionTransformer(np.cbrt), HistGradientBoostingClassifier(max_iter=20)),
    ],
    ids=["tree", "extra trees", "boosting", "scaled", "bent"],
)
@pytest.mark.parametrize("classes", [2, 3])
def test_all_kinds_of_trees_agree_beside_their_thresholds(model: Any, classes: int) -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(200, WIDTH)) * 5
    model.fit(rows, random.integers(0, classes, 200))
    assert_same_decisions(model, rows_at_thresholds(model))


@pytest.mark.parametrize("kind", [RandomForestClassifier, HistGradientBoostingClassifier])
def test_missing_values_go_the_way_that_the_model_sends_them(kind: Any) -> None:
    assert_same_decisions(*with_missing(kind))


def test_a_tied_vote_goes_to_the_first_class_as_in_scikit_learn() -> None:
    assert_same_decisions(*ties())


@pytest.mark.parametrize("depth", [2, 3])
def test_classes_with_the_same_shares_tie(depth: int) -> None:
    random = np.random.default_rng(depth)
    rows = random.integers(0, 7, (343, 3)).astype(np.float32)
    forest = RandomForestClassifier(7, max_depth=depth, random_state=0)
    assert_same_decisions(forest.fit(rows, random.integers(0, 3, 343)), rows)


def test_sums_of_exactly_nothing_are_the_second_class_as_in_scikit_learn() -> None:
    # One tree of two leaves, the same on both sides: decisions of 0, which the rows tie on.
    rows = np.tile(np.arange(4.0), 10)[:, None].astype(np.float32).repeat(WIDTH, axis=1)
    model = GradientBoostingClassifier(n_estimators=4, init="zero", random_state=0)
    model.fit(rows, np.tile([0, 1], 20))
    assert_same_decisions(model, rows)


def test_a_tree_of_one_leaf_has_nothing_to_walk() -> None:
    model = DecisionTreeClassifier().fit(np.zeros((5, WIDTH)), [1] * 5)
    assert_same_decisions(model, np.ones((3, WIDTH), np.float32))
