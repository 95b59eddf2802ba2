"""Models that encode text take each column as an input of its own, missing values included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from edgeship_converters import convert
from edgeship_runtime.arrays import Array
from edgeship_runtime.errors import InputError
from edgeship_runtime.model import load


def table() -> tuple[Array, Array]:
    """Rows of city, age and rooms, some without city or age, and a label that hangs by both."""
    random = np.random.default_rng(0)
    rows = np.empty((300, 3), object)
    rows[:, 0] = random.choice(["Oslo", "Rome", "Bonn"], 300)
    rows[:, 1] = random.normal(40, 12, 300).astype(np.float32).astype(float)
    rows[:, 2] = random.integers(1, 6, 300)
    truth = np.where((rows[:, 0] == "Oslo") ^ (rows[:, 1] > 40), "yes", "no")
    rows[::11, 0] = np.nan
    rows[::7, 1] = np.nan
    return rows, truth


def fitted(for_text: Any, last: Any) -> Any:
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = ColumnTransformer([("text", for_text, [0]), ("numbers", numbers, [1, 2])])
    rows, truth = table()
    return make_pipeline(columns, last).fit(rows, truth)


@pytest.mark.parametrize(
    "for_text",
    [
        OneHotEncoder(handle_unknown="ignore"),
        make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()),
        make_pipeline(SimpleImputer(strategy="constant", fill_value="none"), OneHotEncoder()),
        OrdinalEncoder(encoded_missing_value=-2),
    ],
    ids=["its own category", "most frequent", "constant", "ordinal"],
)
def test_columns_of_text_and_numbers(for_text: Any, tmp_path: Path) -> None:
    model = fitted(for_text, DecisionTreeClassifier(max_depth=4, random_state=0))
    bundle = convert(model, tmp_path / "b")
    specs = bundle.manifest.inputs
    assert [(spec.name, spec.dtype) for spec in specs] == [
        ("x0", "string"), ("x1", "float32"), ("x2", "float32"),
    ]  # fmt: skip
    assert set(specs[0].categories) >= {"Bonn", "Oslo", "Rome"}
    assert all(spec.missing for spec in specs)
    rows, _ = table()
    given = [{f"x{place}": value for place, value in enumerate(row)} for row in rows]
    got = load(bundle).predict(given)
    assert got["label"].tolist() == model.predict(rows).tolist()
    np.testing.assert_allclose(got["probabilities"], model.predict_proba(rows), atol=1e-6)


def test_what_is_not_of_its_column_is_refused(tmp_path: Path) -> None:
    encoder = OneHotEncoder(handle_unknown="ignore")
    model = load(convert(fitted(encoder, LogisticRegression()), tmp_path / "b"))
    with pytest.raises(InputError, match="'x0' takes text, got '3' in row 0"):
        model.predict([{"x0": 3, "x1": 1.0, "x2": 1}])
    with pytest.raises(InputError, match="'x2' are missing"):
        model.predict([{"x0": "Oslo", "x1": 1.0}])
