"""What files scikit-learn models are opened from, and which are refused before they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KDTree, KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.tree._tree import Tree

from edgeship_converters import convert
from edgeship_converters.convert import carry_out
from edgeship_converters.errors import SourceError, StepError
from edgeship_converters.request import Request
from edgeship_converters.sources import open_source
from edgeship_runtime.model import load


def saved(model: Any, folder: Path) -> Path:
    """The model as a .skops file."""
    path = folder / "model.skops"
    skops.io.dump(model, path)
    return path


def test_a_pickle_needs_the_flag(cancer: Path, tmp_path: Path) -> None:
    model = DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])
    joblib.dump(model, tmp_path / "model.joblib")
    with pytest.raises(SourceError, match=r"can run any code.*--allow-pickle"):
        convert(tmp_path / "model.joblib", tmp_path / "b")
    assert not (tmp_path / "b").exists()
    bundle = convert(tmp_path / "model.joblib", tmp_path / "b", allow_pickle=True)
    assert load(bundle).predict([[0.0], [1.0]])["label"].tolist() == [0, 1]


def test_a_pickle_is_not_opened_without_the_flag(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "sprung",))

    joblib.dump(Trap(), tmp_path / "trap.pkl")
    with pytest.raises(SourceError):
        convert(tmp_path / "trap.pkl", tmp_path / "b")
    assert not (tmp_path / "sprung").exists()


def test_a_type_that_skops_does_not_trust_is_named(tmp_path: Path) -> None:
    model = make_pipeline(FunctionTransformer(parse), LinearRegression())
    model.fit([[0.0], [1.0]], [0.0, 1.0])
    with pytest.raises(SourceError, match=r"does not trust.*parse"):
        convert(saved(model, tmp_path), tmp_path / "b")


def parse(rows: Any) -> Any:
    """A step of the user's own."""
    return rows


@pytest.mark.parametrize("name", ["model.joblib", "model.skops"])
def test_another_release_of_scikit_learn_is_told(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_pipeline(StandardScaler(), LinearRegression()).fit([[0.0], [1.0]], [0.0, 1.0])
    with monkeypatch.context() as older:
        older.setattr("sklearn.base.__version__", "1.2.3")
        write = skops.io.dump if name.endswith("skops") else joblib.dump
        write(model, tmp_path / name)
    told: list[str] = []
    for _ in range(2):
        # The second time the model is not opened, as the cache knows it.
        carry_out(
            Request(
                source=tmp_path / name,
                allow_pickle=name.endswith("joblib"),
                on_warning=told.append,
            ),
            tmp_path / "b",
        )
    first, second = (words for words in told if "fitted with scikit-learn 1.2.3, and" in words)
    assert first == second


def test_a_forged_tree_is_refused(tmp_path: Path) -> None:
    model = DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])
    state = model.tree_.__getstate__()
    state["nodes"]["left_child"][0] = 4_000_000
    model.tree_.__setstate__(state)
    with pytest.raises(SourceError, match="not sound"):
        open_source(saved(model, tmp_path))


def test_a_tree_that_lies_about_its_width_is_refused(tmp_path: Path) -> None:
    model = RandomForestClassifier(2).fit([[0.0], [1.0]] * 10, [0, 1] * 10)
    for part in model.estimators_:
        part.n_features_in_ = 2_000_000_000
        state = part.tree_.__getstate__()
        state["nodes"]["feature"][0] = 1_999_999_999
        forged = Tree(2_000_000_000, np.array([2]), 1)
        forged.__setstate__(state)
        part.tree_ = forged
    with pytest.raises(SourceError, match="not sound"):
        open_source(saved(model, tmp_path))


def test_a_function_without_a_name_is_what_is_refused(tmp_path: Path) -> None:
    model = make_pipeline(FunctionTransformer(lambda rows: rows), LinearRegression())
    model.fit([[0.0], [1.0]], [0.0, 1.0])
    with pytest.raises(StepError, match=r"'<lambda>' is Python code, which no ONNX file holds"):
        convert(model, tmp_path / "b")


def boosted() -> HistGradientBoostingClassifier:
    """Of two numbers and a category of scikit-learn's own, in trees that split by both."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(300, 3))
    rows[:, 2] = random.integers(0, 9, 300)
    truth = (rows[:, 0] > 0) ^ (rows[:, 2] % 2 == 0)
    model = HistGradientBoostingClassifier(max_iter=3, categorical_features=[2])
    return model.fit(rows, truth)


# The step that codes categories is a partial of a function, which skops trusts nobody to name.
CODING = ("functools.partial", "sklearn.utils.validation.check_array")


@pytest.mark.parametrize("kind", [HistGradientBoostingClassifier, HistGradientBoostingRegressor])
def test_histogram_gradient_boosting_needs_no_trust(kind: Any, tmp_path: Path) -> None:
    rows, truth = load_iris(return_X_y=True)
    model = kind(max_iter=3).fit(rows, truth)
    opened: Any = open_source(saved(model, tmp_path))
    assert (opened.estimator.predict(rows) == model.predict(rows)).all()


def test_histogram_gradient_boosting_of_categories_is_sound(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).integers(-1, 12, (50, 3)).astype(float)
    model = boosted()
    opened: Any = open_source(saved(model, tmp_path), trust=CODING)
    assert (opened.estimator.predict(rows) == model.predict(rows)).all()


def in_nodes(name: str, value: Any) -> Any:
    """Another value of a field, in the nodes that split."""

    def forge(model: Any) -> None:
        nodes = model._predictors[0][0].nodes
        nodes[name][nodes["is_leaf"] == 0] = value

    return forge


def in_tree(name: str, value: Any) -> Any:
    """Another attribute of a tree."""
    return lambda model: setattr(model._predictors[0][0], name, value)


def in_mapper(name: str, value: Any) -> Any:
    """Another attribute of what sorts numbers into bins."""
    return lambda model: setattr(model._bin_mapper, name, value)


def without_its_encoder(model: Any) -> None:
    """A first step that takes rows of another width."""
    model._preprocessor = StandardScaler().fit([[0.0], [1.0]])


def of_no_width(model: Any) -> None:
    """scikit-learn asks no row for its width that a model does not tell."""
    model._preprocessor = None
    del model.n_features_in_


FORGED_HISTOGRAMS = {
    "a left child beyond": in_nodes("left", 4_000_000),
    "a right child beyond": in_nodes("right", 4_000_000),
    "a circle": in_nodes("left", 0),
    "a column beyond": in_nodes("feature_idx", 2_000_000_000),
    "a column before": in_nodes("feature_idx", -1),
    "a set of categories beyond": in_nodes("bitset_idx", 4_000_000),
    "a number for a category": in_nodes("is_categorical", 1),
    "no nodes": in_tree("nodes", np.zeros(0, PREDICTOR_RECORD_DTYPE)),
    "nodes of another shape": in_tree("nodes", np.zeros((1, 1), PREDICTOR_RECORD_DTYPE)),
    "short sets": in_tree("raw_left_cat_bitsets", np.zeros((9, 1), np.uint32)),
    "sets of another kind": in_tree("raw_left_cat_bitsets", np.zeros((9, 8), np.uint8)),
    "no sets": in_tree("raw_left_cat_bitsets", np.zeros((0, 8), np.uint32)),
    "no categories": in_mapper("is_categorical_", np.zeros(3, bool)),
    "few columns": in_mapper("is_categorical_", np.ones(1, bool)),
    "a category beyond": in_mapper("bin_thresholds_", [np.array([9000.0])] * 3),
    "a category before": in_mapper("bin_thresholds_", [np.array([-1.0])] * 3),
    "a category of no number": in_mapper("bin_thresholds_", [np.array([np.nan])] * 3),
    "rows that are binned": lambda model: setattr(model, "_in_fit", True),
    "no bins": lambda model: setattr(model, "_bin_mapper", None),
    "another tree": lambda model: model._predictors[0].append(DecisionTreeClassifier()),
    "narrow rows": without_its_encoder,
    "rows of no width": of_no_width,
}


@pytest.mark.parametrize("forge", FORGED_HISTOGRAMS.values(), ids=FORGED_HISTOGRAMS.keys())
def test_forged_histogram_gradient_boosting_is_refused(forge: Any, tmp_path: Path) -> None:
    model = boosted()
    forge(model)
    path = saved(make_pipeline(StandardScaler().fit(np.eye(3)), model), tmp_path)
    with pytest.raises(SourceError, match="not sound"):
        open_source(path, trust=CODING)


@pytest.mark.parametrize(
    "model",
    [
        KNeighborsClassifier(algorithm="kd_tree"),
        KNeighborsClassifier(algorithm="ball_tree", weights="distance"),
        KNeighborsRegressor(algorithm="kd_tree", metric="manhattan", leaf_size=3),
        KNeighborsRegressor(algorithm="ball_tree", metric="chebyshev"),
        KNeighborsClassifier(algorithm="kd_tree", p=3),
        KNeighborsRegressor(algorithm="ball_tree", p=3, metric_params={"w": [1.0, 2, 3, 4]}),
    ],
    ids=str,
)
def test_neighbours_in_a_tree_need_no_trust(model: Any, tmp_path: Path) -> None:
    rows, truth = load_iris(return_X_y=True)
    model.fit(rows, truth)
    opened: Any = open_source(saved(model, tmp_path))
    assert type(opened.estimator._tree) is type(model._tree)
    for got, expected in zip(
        opened.estimator.kneighbors(rows), model.kneighbors(rows), strict=True
    ):
        assert (got == expected).all()


def neighbours(**forged: Any) -> KNeighborsClassifier:
    """A model whose tree has other parts."""
    rows, truth = load_iris(return_X_y=True)
    model = KNeighborsClassifier(algorithm="kd_tree").fit(rows, truth)
    names = ["data", "index", "nodes", "bounds", "leaf_size", "levels", "size"]
    state = dict(enumerate(model._tree.__getstate__()))
    for name, value in forged.items():
        state[names.index(name)] = value
    tree = KDTree.__new__(KDTree)
    tree.__setstate__(tuple(state.values()))
    model._tree = tree
    return model


@pytest.mark.parametrize(
    "forged",
    [
        {"index": np.full(150, 90_000_000)},
        {"size": 90_000_000, "levels": 26},
        {"bounds": np.zeros((1, 1, 1))},
    ],
)
def test_what_a_tree_of_neighbours_says_beside_its_rows_is_not_believed(
    forged: dict[str, Any], tmp_path: Path
) -> None:
    rows, truth = load_iris(return_X_y=True)
    expected = KNeighborsClassifier(algorithm="kd_tree").fit(rows, truth).predict(rows)
    opened: Any = open_source(saved(neighbours(**forged), tmp_path))
    assert (opened.estimator.predict(rows) == expected).all()


@pytest.mark.parametrize(
    "forged", [{"leaf_size": 0}, {"data": np.zeros((0, 4))}, {"data": np.full((150, 4), np.nan)}]
)
def test_a_tree_of_neighbours_without_rows_is_refused(
    forged: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match="not sound"):
        open_source(saved(neighbours(**forged), tmp_path))


@pytest.mark.parametrize("part", ["tree", "metric"])
def test_a_tree_of_neighbours_in_another_place_is_refused(part: str, tmp_path: Path) -> None:
    model = neighbours()
    model.metric_params = {"of": model._tree if part == "tree" else model._tree.__getstate__()[11]}
    with pytest.raises(SourceError, match="not sound"):
        open_source(saved(model, tmp_path))


def test_a_metric_that_is_not_known_is_named(tmp_path: Path) -> None:
    rows, truth = load_iris(return_X_y=True)
    model = KNeighborsClassifier(algorithm="ball_tree", metric="canberra").fit(rows, truth)
    name = "sklearn.metrics._dist_metrics.CanberraDistance64"
    with pytest.raises(SourceError, match=f"--trust {name}"):
        open_source(saved(model, tmp_path))
    opened: Any = open_source(saved(model, tmp_path), trust=[name])
    assert (opened.estimator.predict(rows) == model.predict(rows)).all()
