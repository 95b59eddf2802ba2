"""What files scikit-learn models are opened from, and which are refused before they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
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
    assert len(told) == 2
    assert told[0] == told[1]
    assert "fitted with scikit-learn 1.2.3, and" in told[0]


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
