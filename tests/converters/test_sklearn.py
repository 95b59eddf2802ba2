"""scikit-learn models to ONNX, deciding as the source does."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVR

from edgeship_converters import convert
from edgeship_converters.errors import SourceError, StepError
from edgeship_converters.sources import open_source
from edgeship_runtime.bundle import Bundle
from edgeship_runtime.errors import BundleError, DataError, InputError
from edgeship_runtime.model import load
from tests.converters.test_sklearn_sources import saved


def test_the_forest_gives_the_labels_of_scikit_learn_on_every_row(
    cancer: Path, cancer_bundle: Path
) -> None:
    source = open_source(cancer / "cancer.skops")
    rows = load_breast_cancer().data.astype(np.float32)
    expected = source.predict({"x": rows})
    got = load(cancer_bundle).predict(rows)
    assert got["label"].tolist() == expected["label"].tolist()
    np.testing.assert_allclose(got["probabilities"], expected["probabilities"], atol=1e-5)


def test_the_contract_names_matrix_features_and_labels(cancer_bundle: Path) -> None:
    manifest = Bundle.open(cancer_bundle).manifest
    (matrix,) = manifest.inputs
    assert (matrix.name, matrix.dtype, matrix.shape) == ("x", "float32", (None, 30))
    assert matrix.feature_names[0] == "mean radius"
    assert [output.name for output in manifest.outputs] == ["label", "probabilities"]
    assert manifest.classes == ("benign", "malignant")
    assert manifest.label_column == "diagnosis"
    assert manifest.variants[0].evidence.label_flips == 0


def test_the_same_forest_gives_the_same_bytes(cancer: Path, tmp_path: Path) -> None:
    data = cancer / "cancer-train.csv"
    for name in ("one.edgeship", "two.edgeship"):
        convert(cancer / "cancer.skops", tmp_path / name, data=data, label_column="diagnosis")
    assert (tmp_path / "one.edgeship").read_bytes() == (tmp_path / "two.edgeship").read_bytes()


@pytest.mark.parametrize("labels", ["int", "str", "bool"])
def test_labels_come_back_in_their_own_type(labels: str, tmp_path: Path) -> None:
    rows, target = load_iris(return_X_y=True)
    kinds: dict[str, Any] = {
        "int": target * 10 - 5,
        "str": np.array(["setosa", "versicolor", "virginica"])[target],
        "bool": target > 0,
    }
    truth = kinds[labels]
    model = LogisticRegression(max_iter=500).fit(rows, truth)
    np.savez(tmp_path / "rows.npz", x=rows, y=truth)
    bundle = convert(saved(model, tmp_path), tmp_path / "b", data=tmp_path / "rows.npz")
    got = load(bundle).predict(rows)["label"]
    assert got.dtype.kind == truth.dtype.kind
    assert got.tolist() == model.predict(rows).tolist()
    assert bundle.manifest.variants[0].evidence.metric == "accuracy"


def test_a_classifier_without_probabilities_gives_its_decision(tmp_path: Path) -> None:
    rows, target = load_iris(return_X_y=True)
    model = make_pipeline(StandardScaler(), RidgeClassifier()).fit(rows, target)
    bundle = convert(saved(model, tmp_path), tmp_path / "b")
    assert [output.name for output in bundle.manifest.outputs] == ["label", "decision"]
    got = load(bundle).predict(rows)["label"]
    assert got.tolist() == model.predict(rows.astype(np.float32)).tolist()


@pytest.mark.parametrize("outputs", [1, 2])
def test_a_regressor_gives_its_prediction(outputs: int, tmp_path: Path) -> None:
    rows, target = load_diabetes(return_X_y=True)
    truth = target if outputs == 1 else np.stack([target, -target], axis=1)
    model = LinearRegression().fit(rows, truth)
    np.savez(tmp_path / "rows.npz", x=rows, y=truth)
    bundle = convert(saved(model, tmp_path), tmp_path / "b", data=tmp_path / "rows.npz")
    got = load(bundle).predict(rows)["prediction"]
    assert got.shape == truth.shape
    np.testing.assert_allclose(got, model.predict(rows), rtol=1e-4, atol=1e-2)
    assert bundle.manifest.variants[0].evidence.metric == "r2"


def test_a_model_of_an_old_opset_converts(tmp_path: Path) -> None:
    rows, target = load_diabetes(return_X_y=True)
    model = SVR().fit(rows, target / 100)
    bundle = convert(saved(model, tmp_path), tmp_path / "b")
    got = load(bundle).predict(rows)["prediction"]
    np.testing.assert_allclose(got, model.predict(rows), atol=1e-3)


def test_rows_that_the_source_itself_cannot_take_are_said(tmp_path: Path) -> None:
    model = make_pipeline(FunctionTransformer(np.log1p), LogisticRegression())
    model.fit([[0.0], [1.0]], [0, 1])
    joblib.dump(model, tmp_path / "m.joblib")
    with pytest.raises(SourceError, match="itself fails on these rows"):
        convert(tmp_path / "m.joblib", tmp_path / "b", allow_pickle=True)


def test_boosted_trees_agree(tmp_path: Path) -> None:
    rows, target = load_iris(return_X_y=True)
    model = GradientBoostingClassifier(n_estimators=20, random_state=0).fit(rows, target)
    bundle = convert(saved(model, tmp_path), tmp_path / "b")
    assert load(bundle).predict(rows)["label"].tolist() == model.predict(rows).tolist()


def test_columns_are_taken_by_name_in_any_order(cancer: Path, tmp_path: Path) -> None:
    with (cancer / "cancer-train.csv").open(newline="") as stream:
        lines = list(csv.reader(stream))
    with (tmp_path / "turned.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(line[::-1] for line in lines)
    from edgeship_runtime import datafiles

    first = convert(
        cancer / "cancer.skops",
        tmp_path / "b",
        data=cancer / "cancer-train.csv",
        label_column="diagnosis",
    )
    inputs = first.manifest.inputs
    straight = datafiles.read(cancer / "cancer-train.csv", inputs, "diagnosis")
    turned = datafiles.read(tmp_path / "turned.csv", inputs, "diagnosis")
    np.testing.assert_array_equal(straight.inputs["x"], turned.inputs["x"])


def test_labels_that_the_model_cannot_give_are_refused(tmp_path: Path) -> None:
    rows, target = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=500).fit(rows, target)
    np.savez(tmp_path / "rows.npz", x=rows, y=target + 100)
    with pytest.raises(DataError, match=r"label '10\d', the model's classes are 0, 1, 2"):
        convert(saved(model, tmp_path), tmp_path / "b", data=tmp_path / "rows.npz")


def test_the_same_file_cannot_calibrate_and_judge(cancer: Path, tmp_path: Path) -> None:
    data = cancer / "cancer-train.csv"
    with pytest.raises(DataError, match="cannot both calibrate and judge"):
        convert(cancer / "cancer.skops", tmp_path / "b", data=data, eval_data=data)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (LogisticRegression(), "not fitted"),
        (DBSCAN().fit([[0.0], [1.0]]), "says nothing about new rows"),
        ({"a": 1}, "expected a scikit-learn model"),
    ],
)
def test_what_is_not_covered_is_refused(model: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=message):
        convert(saved(model, tmp_path), tmp_path / "b")


def test_a_step_of_the_users_own_is_refused_by_name_and_place(tmp_path: Path) -> None:
    rows, target = load_iris(return_X_y=True)
    model = make_pipeline(Halved(), LogisticRegression(max_iter=500)).fit(rows, target)
    joblib.dump(model, tmp_path / "model.joblib")
    with pytest.raises(StepError, match=r"the tests\.Halved \(in Pipeline\) cannot become ONNX"):
        convert(tmp_path / "model.joblib", tmp_path / "b", allow_pickle=True)
    assert not (tmp_path / "b").exists()


class Halved(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A step of the user's own."""

    def fit(self, rows: Any, target: Any = None) -> Any:
        """Learn nothing but the width."""
        self.n_features_in_ = np.shape(rows)[1]
        return self

    def transform(self, rows: Any) -> Any:
        """Half of everything."""
        return np.asarray(rows) / 2


def test_a_model_in_memory_needs_no_file(tmp_path: Path) -> None:
    rows, target = load_iris(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, target)
    bundle = convert(model, tmp_path / "b")
    got = load(bundle).predict(rows)["label"]
    assert got.tolist() == model.predict(rows.astype(np.float32)).tolist()
    again = convert(model, tmp_path / "again")
    assert again.manifest.source.sha256 == bundle.manifest.source.sha256


def test_where_float32_loses_too_much_the_form_computes_in_float64(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows = (random.normal(size=(300, 2)) + 4096).astype(np.float32)
    # The difference of two large columns, of which float32 products keep few bits.
    model = LinearRegression().fit(rows, (rows[:, 0] - rows[:, 1]) * 1000.0)
    np.savez(tmp_path / "rows.npz", x=rows)
    bundle = convert(saved(model, tmp_path), tmp_path / "b", data=tmp_path / "rows.npz")
    assert bundle.manifest.outputs[0].dtype == "float32"
    np.testing.assert_allclose(
        load(bundle, "onnx-float32").predict(rows)["prediction"],
        model.predict(rows.astype(np.float64)),
        rtol=1e-6,
        atol=1e-3,
    )


def test_a_clusterer_gives_its_cluster_and_distances(tmp_path: Path) -> None:
    rows, _ = load_iris(return_X_y=True)
    model = KMeans(3, n_init=1, random_state=0).fit(rows)
    bundle = convert(model, tmp_path / "b")
    assert [output.name for output in bundle.manifest.outputs] == ["cluster", "transformed"]
    got = load(bundle).predict(rows)
    sent = rows.astype(np.float32).astype(np.float64)
    assert got["cluster"].tolist() == model.predict(sent).tolist()


def test_several_labels_a_row_are_given_side_by_side(tmp_path: Path) -> None:
    rows, target = load_iris(return_X_y=True)
    truth = np.stack([target * 10, target > 0], axis=1)
    model = RandomForestClassifier(5, random_state=0).fit(rows, truth)
    got = load(convert(model, tmp_path / "b")).predict(rows)
    assert got["label"].tolist() == model.predict(rows.astype(np.float32)).tolist()
    assert got["probabilities"].shape == (150, 5)


def test_rows_with_missing_values_are_proven_where_the_model_takes_them(
    cancer: Path, tmp_path: Path
) -> None:
    lines = (cancer / "cancer-train.csv").read_text().splitlines()
    cells = lines[3].split(",")
    lines[3] = ",".join(["", *cells[1:]])
    (tmp_path / "holes.csv").write_text("\n".join(lines) + "\n")
    options = {"data": tmp_path / "holes.csv", "label_column": "diagnosis"}
    bundle = convert(cancer / "cancer.skops", tmp_path / "b", **options)
    assert bundle.manifest.inputs[0].missing
    rows = np.full((1, 30), np.nan, np.float32)
    assert len(load(bundle).predict(rows)["label"]) == 1
    linear = LogisticRegression().fit(np.eye(30)[:20], [0, 1] * 10)
    with pytest.raises(InputError, match=r"NaN.*row 2, column 'mean radius'"):
        convert(linear, tmp_path / "c", **options)
    assert not (tmp_path / "c").exists()


def test_what_is_no_bundle_is_not_replaced(cancer: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("precious")
    with pytest.raises(BundleError, match="not a bundle"):
        convert(cancer / "cancer.skops", tmp_path / "thesis")
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "precious"
