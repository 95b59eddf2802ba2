"""Smaller forms of classical models: where matrices are most of it, not where trees are."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from edgeship_converters.convert import carry_out
from edgeship_converters.errors import StepError
from edgeship_converters.request import Request


def digits() -> dict[str, Any]:
    rows, truth = load_digits(return_X_y=True)
    return {"x": rows.astype(np.float32), "y": truth}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("model", "variant", "share"),
    [
        (make_pipeline(StandardScaler(), LogisticRegression()), "onnx-float16", 0.6),
        (make_pipeline(StandardScaler(), LogisticRegression()), "onnx-dynamic-int8", 0.5),
        (make_pipeline(StandardScaler(), SVC()), "onnx-dynamic-int8", 0.3),
        (MLPClassifier((100,), max_iter=30, random_state=0), "onnx-int8", 0.4),
        (PCA(40), "onnx-int8", 0.4),
        (make_pipeline(StandardScaler(), LogisticRegression()), "tflite-dynamic-int8", 0.7),
        (LinearSVC(), "tflite-int8", 0.7),
        (make_pipeline(StandardScaler(), SVC()), "tflite-dynamic-int8", 0.35),
        (MLPClassifier((100,), max_iter=30, random_state=0), "tflite-int8", 0.4),
        (PCA(40), "tflite-int8", 0.45),
        (KMeans(60, n_init=1, random_state=0), "tflite-float16", 0.6),
    ],
)
def test_matrices_become_smaller(model: Any, variant: str, share: float, tmp_path: Path) -> None:
    data = digits()
    model.fit(data["x"], data["y"])
    request = Request(
        source=model,
        data=data,
        variants=[f"{variant.split('-', maxsplit=1)[0]}-float32", variant],
        max_drop=0.02,
    )
    whole, small = carry_out(request, tmp_path / "b").bundle.manifest.variants
    assert small.bytes < share * whole.bytes


def test_trees_stay_as_they_are_and_that_is_told_once(tmp_path: Path) -> None:
    data = digits()
    model = RandomForestClassifier(5, random_state=0).fit(data["x"], data["y"])
    told: list[str] = []
    done = carry_out(Request(source=model, data=data, on_warning=told.append), tmp_path / "b")
    exact = ["onnx-float32", "savedmodel-float32", "tflite-float32"]
    assert [spec.name for spec in done.bundle.manifest.variants] == exact
    (line,) = told
    assert line.startswith("onnx-float16, onnx-dynamic-int8, onnx-int8, tflite-float16, tflite-")
    assert "are left out: hardly smaller than its float32 form" in line
    with pytest.raises(StepError, match="onnx-int8 would be hardly smaller than its float32 form"):
        carry_out(Request(source=model, data=data, variants="onnx-int8"), tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_there_are_no_layers_to_look_for(tmp_path: Path) -> None:
    data = digits()
    model = make_pipeline(StandardScaler(), SVC()).fit(data["x"], data["y"])
    told: list[str] = []
    request = Request(
        source=model, data=data, sensitivity=True, max_drop=0.0, on_warning=told.append
    )
    carry_out(request, tmp_path / "b")
    assert any("no layers to rank for --sensitivity" in line for line in told)
    assert not any("--sensitivity looks for" in line for line in told)


def test_few_rows_cost_the_smaller_forms_only(tmp_path: Path) -> None:
    data = {name: array[:60] for name, array in digits().items()}
    model = LogisticRegression(max_iter=500).fit(data["x"], data["y"])
    told: list[str] = []
    done = carry_out(Request(source=model, data=data, on_warning=told.append), tmp_path / "b")
    exact = ["onnx-float32", "savedmodel-float32", "tflite-float32", "tflite-float16"]
    assert [spec.name for spec in done.bundle.manifest.variants] == exact
    assert "smaller forms are not made, for want of rows" in told[0]
    assert done.without_data == ()


def test_missing_values_have_no_scale(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
    truth = rows[:, 0] > 0
    rows[::3, 1] = np.nan
    model = make_pipeline(SimpleImputer(), MLPClassifier((64,), max_iter=20, random_state=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(rows, truth)
    bundle = carry_out(Request(source=model, data={"x": rows, "y": truth}), tmp_path / "b").bundle
    made = [spec.name for spec in bundle.manifest.variants]
    assert "onnx-float16" in made
    assert not {"tflite-int8", "tflite-int16x8"} & set(made)
