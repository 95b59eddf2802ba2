"""Converters of the user's own: as the page shows them, judged like any other, refused by name."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import edgeship
from edgeship_converters.errors import ParityError, SourceError, StepError
from edgeship_converters.steps.classical import Answers, Graph, Rows
from edgeship_runtime.model import load

PAGE = Path(__file__).parents[2] / "docs" / "own-converters.md"


class Double(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A step that no library has."""

    def fit(self, X: Any, y: Any = None) -> Double:
        """Learn the width."""
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: Any) -> Any:
        """Twice the rows."""
        return np.asarray(X) * 2.0


def double(model: Any, rows: Rows, graph: Graph) -> Answers:
    """As `Double` does."""
    return Answers(transformed=Rows.of(graph.Mul(rows.matrix(graph), 2.0), rows.width, graph))


def triple(model: Any, rows: Rows, graph: Graph) -> Answers:
    """Not as `Double` does."""
    return Answers(transformed=Rows.of(graph.Mul(rows.matrix(graph), 3.0), rows.width, graph))


@pytest.fixture(scope="module")
def model() -> Any:
    rows = np.random.default_rng(0).normal(size=(200, 3))
    return make_pipeline(Double(), LogisticRegression()).fit(rows, rows.sum(axis=1) > 0.3)


def test_a_step_without_a_converter_is_refused_by_name(model: Any, tmp_path: Path) -> None:
    wanted = r"the tests\.Double \(in Pipeline\).*--converter tests\.Double=MODULE:FUNCTION"
    with pytest.raises(StepError, match=wanted):
        edgeship.convert(model, tmp_path / "b")
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("key", [Double, "tests.Double"])
def test_a_converter_of_the_users_is_used(model: Any, tmp_path: Path, key: Any) -> None:
    bundle = edgeship.convert(model, tmp_path / "b", converters={key: double})
    rows = np.random.default_rng(1).normal(size=(50, 3)).astype(np.float32)
    assert load(bundle).predict(rows)["label"].tolist() == model.predict(rows).tolist()


def test_a_converter_that_computes_something_else_is_found_out(model: Any, tmp_path: Path) -> None:
    with pytest.raises(ParityError, match="onnx-float32"):
        edgeship.convert(model, tmp_path / "b", converters={Double: triple})
    assert not (tmp_path / "b").exists()


class Cut(Double):
    """A step that does nothing to the rows of its fit."""

    def fit(self, X: Any, y: Any = None) -> Cut:
        """Learn the largest values."""
        self.high_ = np.max(X, axis=0)
        super().fit(X)
        return self

    def transform(self, X: Any) -> Any:
        """Cut off what is larger."""
        return np.minimum(X, self.high_)


def nothing(model: Any, rows: Rows, graph: Graph) -> Answers:
    """As `Cut` does to the rows of its fit, and to no others."""
    return Answers(transformed=rows)


def test_a_converter_is_judged_beyond_the_data_too(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    cut = make_pipeline(Cut(), LogisticRegression()).fit(rows, rows[:, 0] > 0.3)
    with pytest.raises(ParityError, match="on rows beyond those of the data"):
        edgeship.convert(cut, tmp_path / "b", data=rows, converters={Cut: nothing})
    assert not (tmp_path / "b").exists()


def test_a_step_of_scikit_learn_is_converted_otherwise_and_named_right(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    scaled = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, rows[:, 0] > 0.3)
    for name in ("sklearn.Foo", "sklearn.preprocessing.StandardScaler"):
        with pytest.raises(StepError, match=rf"no step of the model is a {name}.*LogisticRegr"):
            edgeship.convert(scaled, tmp_path / "b", converters={name: double})
    with pytest.raises(ParityError):
        edgeship.convert(scaled, tmp_path / "b", converters={StandardScaler: triple})


@pytest.mark.parametrize(
    ("converters", "wanted"),
    [
        ({Double: 3}, "tests.Double is a int, expected a function"),
        ([double], "converters are functions by class"),
        (["Double"], "--converter takes package.Class=module:function"),
        (["tests.Double=nowhere:double"], "module 'nowhere' cannot be imported"),
        (["tests.Double=numpy:nothing"], "has no 'nothing'"),
    ],
)
def test_what_is_no_converter_is_refused(
    model: Any, tmp_path: Path, converters: Any, wanted: str
) -> None:
    with pytest.raises(SourceError, match=re.escape(wanted)):
        edgeship.convert(model, tmp_path / "b", converters=converters)


def test_a_converter_that_gives_nothing_is_told(model: Any, tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"Double.*gives a NoneType, expected Answers"):
        edgeship.convert(model, tmp_path / "b", converters={Double: lambda *_: None})


def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    (tmp_path / "mysteps.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mysteps", raising=False)
    from mysteps import Clip

    rows = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    skops.io.dump(
        make_pipeline(Clip(), LogisticRegression()).fit(rows[:200], rows[:200, 0] > 0),
        tmp_path / "model.skops",
    )
    np.save(tmp_path / "rows.npy", rows)
    trust, own = ["--trust", "mysteps.Clip"], ["--converter", "mysteps.Clip=mysteps:clip"]
    assert "--trust mysteps.Clip" in converted(tmp_path).stderr
    refused = converted(tmp_path, *trust)
    assert "--converter mysteps.Clip=MODULE:FUNCTION" in refused.stderr
    assert not (tmp_path / "b").exists()
    done = converted(tmp_path, *trust, *own)
    assert done.returncode == 0, done.stderr


def converted(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """What the command says of a folder's model, from within it."""
    command = [sys.executable, "-m", "edgeship", "convert", "model.skops", "-o", "b"]
    return subprocess.run(
        [*command, "--data", "rows.npy", *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
