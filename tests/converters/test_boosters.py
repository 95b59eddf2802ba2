"""LightGBM's and XGBoost's own files and boosters, without the scikit-learn wrappers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

import edgeship
from edgeship_converters.errors import SourceError
from edgeship_runtime.arrays import Array
from edgeship_runtime.model import load

TRUTHS = {"binary": load_breast_cancer, "multi": load_iris, "numbers": load_diabetes}


def rows_of(kind: str) -> tuple[Array, Array]:
    rows, truth = TRUTHS[kind](return_X_y=True)
    return rows.astype(np.float32), truth


def answered(source: Any, folder: Path, rows: Array) -> dict[str, Array]:
    """What the bundle that a model becomes says of rows."""
    return load(edgeship.convert(source, folder / "b.edgeship")).predict(rows)


@pytest.mark.parametrize("saved", [True, False])
@pytest.mark.parametrize("kind", TRUTHS)
def test_a_booster_of_lightgbm(kind: str, saved: bool, tmp_path: Path) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    rows, truth = rows_of(kind)
    objective = {"binary": "binary", "multi": "multiclass", "numbers": "poisson"}[kind]
    options = {"objective": objective, "verbose": -1}
    if kind == "multi":
        options["num_class"] = 3
    booster = lightgbm.train(options, lightgbm.Dataset(rows, truth), 20)
    booster.save_model(tmp_path / "model.txt")
    got = answered(tmp_path / "model.txt" if saved else booster, tmp_path, rows)
    expected = booster.predict(rows)
    if kind == "numbers":
        np.testing.assert_allclose(got["prediction"], expected, rtol=1e-6)
        return
    likely = expected if kind == "multi" else np.stack([1 - expected, expected], axis=1)
    np.testing.assert_allclose(got["probabilities"], likely, atol=1e-6)
    assert got["label"].tolist() == likely.argmax(axis=1).tolist()


@pytest.mark.parametrize("how", ["memory", "json", "ubj"])
@pytest.mark.parametrize("kind", TRUTHS)
def test_a_booster_of_xgboost(kind: str, how: str, tmp_path: Path) -> None:
    xgboost = pytest.importorskip("xgboost")
    rows, truth = rows_of(kind)
    options: dict[str, Any] = {
        "objective": {"binary": "binary:logistic", "multi": "multi:softprob"}.get(
            kind, "reg:squarederror"
        )
    }
    if kind == "multi":
        options["num_class"] = 3
    matrix = xgboost.DMatrix(rows, truth)
    booster = xgboost.train(options, matrix, 20)
    source = booster
    if how != "memory":
        source = tmp_path / f"model.{how}"
        booster.save_model(source)
    got = answered(source, tmp_path, rows)
    expected = booster.predict(matrix)
    if kind == "numbers":
        np.testing.assert_allclose(got["prediction"], expected, rtol=1e-5)
        return
    likely = expected if kind == "multi" else np.stack([1 - expected, expected], axis=1)
    np.testing.assert_allclose(got["probabilities"], likely, atol=1e-5)
    assert got["label"].tolist() == likely.argmax(axis=1).tolist()


@pytest.mark.parametrize("how", ["memory", "json"])
def test_a_booster_asks_all_its_trees(how: str, tmp_path: Path) -> None:
    xgboost = pytest.importorskip("xgboost")
    random = np.random.default_rng(0)
    rows = random.normal(size=(400, 4)).astype(np.float32)
    truth = rows[:, 0] + random.normal(size=400) > 0
    part, rest = (xgboost.DMatrix(rows[s], truth[s]) for s in (slice(200), slice(200, None)))
    booster = xgboost.train(
        {"objective": "binary:logistic"},
        part,
        100,
        evals=[(rest, "rest")],
        early_stopping_rounds=5,
        verbose_eval=False,
    )
    booster.save_model(tmp_path / "m.json")
    got = answered(booster if how == "memory" else tmp_path / "m.json", tmp_path, rows)
    expected = booster.predict(xgboost.DMatrix(rows))
    np.testing.assert_allclose(got["probabilities"][:, 1], expected, atol=1e-5)
    assert int(booster.attr("best_iteration")) < booster.num_boosted_rounds() - 1


@pytest.mark.parametrize("name", ["m.txt", "m.json", "m.ubj"])
@pytest.mark.parametrize("content", [b"", b"tree", b"tree\nversion=v4\n", b"{}", b'{"learner": 3}'])
def test_a_file_that_is_no_booster(name: str, content: bytes, tmp_path: Path) -> None:
    pytest.importorskip("lightgbm" if name == "m.txt" else "xgboost")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=r"is not a model that \w+ can read"):
        edgeship.convert(tmp_path / name, tmp_path / "b")


def test_a_wrapper_in_a_skops_file_is_opened_on_trust(tmp_path: Path) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    rows, truth = rows_of("binary")
    model = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(rows, truth)
    skops.io.dump(model, tmp_path / "model.skops")
    untrusted = skops.io.get_untrusted_types(file=tmp_path / "model.skops")
    with pytest.raises(SourceError, match=f"--trust {untrusted[0]}"):
        edgeship.convert(tmp_path / "model.skops", tmp_path / "b")
    bundle = edgeship.convert(tmp_path / "model.skops", tmp_path / "b", trust=untrusted)
    assert load(bundle).predict(rows)["label"].tolist() == model.predict(rows).tolist()


def people(north: str = "Tromsø") -> tuple[pd.DataFrame, Array]:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "height": random.normal(size=300),
            "city": pd.Categorical(random.choice(["Oslo", "Bergen", north], 300)),
            "grade": pd.Categorical(random.choice([10, 20, 30], 300)),
        }
    )
    return frame, ((frame.city == "Oslo") ^ (frame.height > 0) ^ (frame.grade == 20)).to_numpy()


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_categories_of_a_data_frame_are_words(library: str, tmp_path: Path) -> None:
    module = pytest.importorskip(library)
    north = "Tromsø" if library == "lightgbm" else "Bodo"
    rows, truth = people(north)
    if library == "lightgbm":
        model = module.LGBMClassifier(
            n_estimators=10, verbose=-1, min_data_per_group=5, cat_smooth=1, max_cat_to_onehot=1
        )
    else:
        model = module.XGBClassifier(n_estimators=10, enable_categorical=True)
    model.fit(rows, truth)
    bundle = edgeship.convert(model, tmp_path / "b", data=rows)
    height, city, grade = bundle.manifest.inputs
    assert (city.dtype, city.categories) == ("string", tuple(sorted(["Bergen", "Oslo", north])))
    assert (grade.dtype, grade.categories) == ("int64", (10, 20, 30))
    assert height.dtype == "float32"
    narrow = rows.assign(height=rows.height.astype(np.float32))
    assert load(bundle).predict(rows)["label"].tolist() == model.predict(narrow).tolist()
    # What is missing goes the model's way.
    without = narrow.assign(city=narrow.city.where(narrow.index % 3 > 0))
    assert load(bundle).predict(without)["label"].tolist() == model.predict(without).tolist()


def test_words_that_xgboost_cuts_off_are_refused(tmp_path: Path) -> None:
    module = pytest.importorskip("xgboost")
    model = module.XGBClassifier(n_estimators=2, enable_categorical=True).fit(*people())
    with pytest.raises(SourceError, match="not plain ASCII"):
        edgeship.convert(model, tmp_path / "b")


def test_names_with_spaces_and_another_order(tmp_path: Path) -> None:
    module = pytest.importorskip("lightgbm")
    rows, truth = load_breast_cancer(return_X_y=True, as_frame=True)
    model = module.LGBMClassifier(n_estimators=10, verbose=-1).fit(rows, truth)
    model.booster_.save_model(tmp_path / "model.txt")
    shuffled = rows[rows.columns[::-1]].astype(np.float32)
    expected = model.predict(shuffled[rows.columns])
    for source in (model, model.booster_, tmp_path / "model.txt"):
        bundle = edgeship.convert(source, tmp_path / "b", data=shuffled)
        assert bundle.manifest.inputs[0].feature_names[0] == "mean_radius"
        assert load(bundle).predict(shuffled)["label"].tolist() == expected.tolist()


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_a_ranker_predicts(library: str, tmp_path: Path) -> None:
    module = pytest.importorskip(library)
    rows = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    truth = (rows[:, 0] > 0).astype(int)
    if library == "lightgbm":
        model = module.LGBMRanker(n_estimators=5, verbose=-1).fit(rows, truth, group=[50] * 4)
    else:
        model = module.XGBRanker(n_estimators=5).fit(rows, truth, group=[50] * 4)
    bundle = edgeship.convert(model, tmp_path / "b", data=rows)
    got = load(bundle).predict(rows)["prediction"]
    np.testing.assert_allclose(got, model.predict(rows), rtol=1e-5, atol=1e-6)
