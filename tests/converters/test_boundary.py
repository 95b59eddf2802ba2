"""Rows beside the boundary: as near as floats get, and told of in the evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from edgeship_converters import convert
from edgeship_converters.boundary import beside_boundary
from edgeship_converters.sources.sklearn_model import in_memory
from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle import BoundaryEvidence


def cancer() -> tuple[Array, Array]:
    rows, truth = load_breast_cancer(return_X_y=True)
    return rows.astype(np.float32), truth


def evidence(model: Any, rows: Array, folder: Path) -> BoundaryEvidence | None:
    """What a bundle's manifest says of rows beside the boundary."""
    found = convert(model, folder / "b", data=rows).manifest.variants[0].evidence.boundary
    return found or None


def test_the_two_sides_are_neighbours_and_labelled_unlike() -> None:
    rows, truth = load_iris(return_X_y=True)
    source = in_memory(DecisionTreeClassifier(random_state=0).fit(rows, truth))
    inputs = {"x": rows.astype(np.float32)}
    found = beside_boundary(source.contract, source.predict, inputs, source.predict(inputs))["x"]
    low, high = np.split(found, 2)
    one, other = (source.predict({"x": side})["label"] for side in (low, high))
    assert len(low) > 20
    assert (one != other).all()
    np.testing.assert_array_max_ulp(low, high, 1)


@pytest.mark.parametrize(
    "model",
    [
        RandomForestClassifier(20, random_state=0),
        make_pipeline(StandardScaler(), RandomForestClassifier(20, random_state=0)),
        make_pipeline(StandardScaler(), HistGradientBoostingClassifier(max_iter=20)),
    ],
)
def test_no_tree_is_wrong_beside_the_boundary(model: Any, tmp_path: Path) -> None:
    rows, truth = cancer()
    found = evidence(model.fit(rows, truth), rows, tmp_path)
    assert found is not None
    assert found.rows > 50
    assert found.label_flips == 0
    assert found.widest_gap is None


@pytest.mark.parametrize("last", [LogisticRegression(max_iter=500), LinearSVC()])
def test_sums_flip_only_where_scores_are_nearly_the_same(last: Any, tmp_path: Path) -> None:
    rows, truth = cancer()
    found = evidence(make_pipeline(StandardScaler(), last).fit(rows, truth), rows, tmp_path)
    assert found is not None
    assert 0 < found.label_flips < found.rows
    assert found.widest_gap is not None
    assert found.widest_gap < 1e-5


def test_words_stay_and_numbers_move(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    colours = np.array(["red", "green", "blue"])[random.integers(0, 3, 200)]
    sizes = random.normal(size=200).astype(np.float32)
    table = np.empty((200, 2), object)
    table[:, 0], table[:, 1] = colours, sizes
    model = make_pipeline(
        make_column_transformer((OneHotEncoder(), [0]), remainder="passthrough"), LinearSVC()
    )
    model.fit(table, (sizes > 0.2) & (colours != "red"))
    source = in_memory(model)
    inputs = {"x0": colours, "x1": sizes}
    found = beside_boundary(source.contract, source.predict, inputs, source.predict(inputs))
    first, second = np.split(found["x0"], 2)
    assert first.tolist() == second.tolist()
    low, high = np.split(found["x1"], 2)
    np.testing.assert_array_max_ulp(low, high, 1)
    bundle = convert(model, tmp_path / "b", data=inputs)
    assert bundle.manifest.variants[0].evidence.boundary


def test_where_there_is_no_boundary_nothing_is_told(tmp_path: Path) -> None:
    rows, truth = cancer()
    assert evidence(LinearRegression().fit(rows, truth), rows, tmp_path) is None
    one = DecisionTreeClassifier().fit(rows, np.ones(len(rows), int))
    assert evidence(one, rows, tmp_path) is None
