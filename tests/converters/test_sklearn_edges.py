"""Models whose options and rows lie where a converter is easily wrong, or refuses for nothing."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.cluster import BisectingKMeans, KMeans, MiniBatchKMeans
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, NuSVC
from sklearn.tree import DecisionTreeClassifier

from edgeship_converters import convert
from edgeship_converters.errors import SourceError
from edgeship_runtime.arrays import Array
from edgeship_runtime.model import load

RANDOM = np.random.default_rng(0)


def iris() -> tuple[Array, Array]:
    rows, truth = load_iris(return_X_y=True)
    return rows.astype(np.float32), truth


def assert_same_labels(model: Any, data: Any, asked: Any, folder: Path, **options: Any) -> None:
    """A bundle made with some rows answers others as the source does."""
    bundle = convert(model, folder / "b", data=data, **options)
    rows = asked.astype(np.float64) if isinstance(asked, np.ndarray) else asked
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = model.predict(rows)
    assert load(bundle).predict(asked)["label"].tolist() == expected.tolist()


@pytest.mark.parametrize("model", [SVC(break_ties=True), NuSVC(nu=0.2, break_ties=True)])
def test_ties_between_machines_are_broken(model: Any, tmp_path: Path) -> None:
    rows, truth = iris()
    wild = (RANDOM.normal(size=(2000, 4)) * 2 + rows.mean(axis=0)).astype(np.float32)
    model.fit(rows, truth)
    voting = type(model)(**model.get_params() | {"break_ties": False}).fit(rows, truth)
    assert (model.predict(wild) != voting.predict(wild)).any()
    assert_same_labels(model, rows, wild, tmp_path)


@pytest.mark.parametrize("function", [np.sqrt, np.log1p])
@pytest.mark.parametrize(
    "last", [DecisionTreeClassifier(random_state=0), HistGradientBoostingClassifier(max_iter=20)]
)
@pytest.mark.parametrize("up", [True, False])
@pytest.mark.filterwarnings("ignore:.*encountered in")
def test_what_a_function_has_no_value_for_goes_the_way_of_missing_values(
    function: Any, last: Any, up: bool, tmp_path: Path
) -> None:
    rows = np.abs(RANDOM.normal(size=(400, 4)) * 3).astype(np.float32)
    truth = (rows[:, 0] > 4) if up else (rows[:, 0] < 2)
    model = make_pipeline(FunctionTransformer(function), last).fit(rows, truth)
    assert_same_labels(model, rows, RANDOM.normal(size=(500, 4)).astype(np.float32), tmp_path)


def test_other_rows_choose_another_precision_in_spite_of_the_cache(tmp_path: Path) -> None:
    rows = RANDOM.normal(size=(600, 5))
    model = make_pipeline(PCA(3), RandomForestClassifier(20, random_state=0))
    model.fit(rows, rows @ RANDOM.normal(size=5) > 0)
    skops.io.dump(model, tmp_path / "model.skops")
    singles = rows.astype(np.float32)
    alike = singles[~model.predict(singles.astype(np.float64))]
    for data in (alike, singles):
        bundle = convert(tmp_path / "model.skops", tmp_path / "b", data=data)
    found = bundle.manifest.variants[0].evidence.boundary
    assert found
    assert found.label_flips == 0


@pytest.mark.parametrize("encoder", [OneHotEncoder(), OrdinalEncoder()])
def test_an_encoder_that_refuses_numbers_between_its_own(encoder: Any, tmp_path: Path) -> None:
    codes = RANDOM.integers(1, 4, size=(300, 2)).astype(np.float32)
    rows = np.hstack([codes, RANDOM.normal(size=(300, 1)).astype(np.float32)])
    columns = make_column_transformer((encoder, [0, 1]), remainder="passthrough")
    model = make_pipeline(columns, LogisticRegression())
    model.fit(rows, (codes[:, 0] == 2) ^ (rows[:, 2] > 0))
    assert_same_labels(model, rows, rows, tmp_path)


def test_columns_by_name_of_a_frame_of_numbers(tmp_path: Path) -> None:
    rows, truth = iris()
    frame = pd.DataFrame(rows, columns=list("abcd"))
    columns = make_column_transformer((StandardScaler(), ["d", "b"]), remainder="passthrough")
    model = make_pipeline(columns, LogisticRegression(max_iter=500)).fit(frame, truth)
    bundle = convert(model, tmp_path / "b", data=frame)
    assert [spec.name for spec in bundle.manifest.inputs] == ["x"]
    assert load(bundle).predict(rows)["label"].tolist() == model.predict(frame).tolist()


@pytest.mark.parametrize("kind", [KMeans, MiniBatchKMeans, BisectingKMeans])
def test_centres_of_float32(kind: Any, tmp_path: Path) -> None:
    rows, _ = iris()
    model = kind(3, random_state=0).fit(rows)
    bundle = convert(model, tmp_path / "b", data=rows)
    assert load(bundle).predict(rows)["cluster"].tolist() == model.predict(rows).tolist()


@pytest.mark.parametrize(
    "scaler",
    [
        StandardScaler(with_mean=False),
        StandardScaler(with_std=False),
        RobustScaler(with_centering=False),
        RobustScaler(with_scaling=False),
    ],
)
def test_the_way_back_through_half_a_scaler(scaler: Any, tmp_path: Path) -> None:
    rows, _ = iris()
    model = TransformedTargetRegressor(LinearRegression(), transformer=scaler)
    model.fit(rows, rows[:, 0] * 3 + 50)
    bundle = convert(model, tmp_path / "b", data=rows)
    got = load(bundle).predict(rows)["prediction"]
    np.testing.assert_allclose(got, model.predict(rows.astype(np.float64)), rtol=1e-5)


@pytest.mark.parametrize("library", ["sklearn", "lightgbm"])
def test_whole_numbers_beyond_float32_are_told_apart(library: str, tmp_path: Path) -> None:
    times = np.sort(RANDOM.integers(1_700_000_000, 1_702_000_000, 400))
    frame = pd.DataFrame({"time": times, "value": RANDOM.normal(size=400)})
    model: Any = HistGradientBoostingClassifier(max_iter=30)
    if library == "lightgbm":
        module = pytest.importorskip("lightgbm")
        model = module.LGBMClassifier(n_estimators=60, min_child_samples=5, verbose=-1)
    model.fit(frame, (times // 500_000) % 2)
    asked = np.arange(1_700_000_000, 1_702_000_000, 97)
    zeros = pd.DataFrame({"time": asked, "value": np.zeros(len(asked))})
    assert_same_labels(model, frame, zeros, tmp_path, inputs="columns")


def test_a_few_points_much_denser_than_the_others(tmp_path: Path) -> None:
    wide, dense = RANDOM.normal(size=(2900, 8)) * 100, RANDOM.normal(size=(100, 8)) * 1e-3 + 300
    points = np.concatenate([wide, dense]).astype(np.float32)
    model = KNeighborsClassifier().fit(points, RANDOM.integers(0, 3, 3000))
    asked = points[-100:] + (RANDOM.normal(size=(100, 8)) * 1e-3).astype(np.float32)
    assert_same_labels(model, points[::3], asked, tmp_path)


def categories() -> tuple[pd.DataFrame, Array]:
    frame = pd.DataFrame(
        {
            "level": pd.Categorical(
                RANDOM.choice(["lo", "mid", "hi"], 600), ["lo", "mid", "hi"], ordered=True
            ),
            "code": RANDOM.integers(0, 5, 600),
            "grade": pd.Categorical(RANDOM.choice([10, 20, 30], 600)),
        }
    )
    return frame, ((frame.level == "hi") ^ (frame.code == 3) ^ (frame.grade == 10)).to_numpy()


def test_categories_that_the_model_does_not_place_are_refused(tmp_path: Path) -> None:
    module = pytest.importorskip("lightgbm")
    frame, truth = categories()
    model = module.LGBMClassifier(n_estimators=10, verbose=-1, min_data_per_group=5)
    frame = frame[["level", "code"]]
    model.fit(frame, truth, categorical_feature=["code"])
    with pytest.raises(SourceError, match="fit it without ordered categories"):
        convert(model, tmp_path / "b", data=frame)


@pytest.mark.parametrize("around", ["pipeline", "search"])
def test_categories_of_a_model_inside(around: str, tmp_path: Path) -> None:
    module = pytest.importorskip("lightgbm")
    frame, truth = categories()
    frame = frame[["code", "grade"]]
    inner = module.LGBMClassifier(n_estimators=5, verbose=-1)
    model: Any = Pipeline([("model", inner)])
    if around == "search":
        model = GridSearchCV(inner, {"num_leaves": [5, 7]}, cv=2)
    model.fit(frame, truth)
    assert_same_labels(model, frame, frame, tmp_path)


def test_categories_that_steps_made_are_refused(tmp_path: Path) -> None:
    module = pytest.importorskip("lightgbm")
    frame, truth = categories()
    columns = make_column_transformer(("passthrough", ["code", "grade"]))
    columns.set_output(transform="pandas")
    model = make_pipeline(columns, module.LGBMClassifier(n_estimators=5, verbose=-1))
    model.fit(frame, truth)
    with pytest.raises(SourceError, match="categories that steps before it made"):
        convert(model, tmp_path / "b", data=frame)
