"""SavedModel and TFLite of classical models as files: what is in them, and what reads them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_digits, load_iris
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import edgeship
from edgeship_converters.artifact import Task
from edgeship_converters.errors import StepError
from edgeship_converters.steps.classical import Answers, Graph, Rows
from edgeship_converters.steps.sklearn_to_onnx import sklearn_to_onnx
from edgeship_runtime.engines.litert import LiteRT
from tests.converters.lowered import FORMS, form_of, source_of

COLUMNS = ["sepal length (cm)", "sepal width (cm)", "1st petal", "petal/width"]
WORDED = ["first word", "2nd"]


@pytest.fixture(scope="module")
def model() -> Any:
    rows, truth = load_iris(return_X_y=True)
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, truth)


@pytest.fixture(scope="module")
def by_column(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a model whose inputs are columns that Python has no names for."""
    rows, truth = load_iris(return_X_y=True)
    table = pandas.DataFrame(rows, columns=COLUMNS)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(table, truth)
    folder = tmp_path_factory.mktemp("columns") / "b"
    variants = ["onnx-float32", "savedmodel-float32", "tflite-float32"]
    edgeship.convert(model, folder, data=table, inputs="columns", variants=variants)
    return folder


def test_tensorflows_own_command_shows_the_signature_by_the_columns_names(by_column: Path) -> None:
    command = [sys.executable, "-m", "tensorflow.python.tools.saved_model_cli", "show", "--all"]
    folder = by_column / "variants" / "savedmodel-float32" / "1"
    shown = subprocess.run(
        [*command, "--dir", str(folder)], capture_output=True, text=True, check=True
    ).stdout
    assert "signature_def['serving_default']" in shown
    for name in COLUMNS:
        assert f"inputs['{name}'] tensor_info" in shown
    for name in ("label", "probabilities"):
        assert f"outputs['{name}'] tensor_info" in shown
    assert "shape: (-1)" in shown


def test_every_form_answers_by_the_columns_names(by_column: Path) -> None:
    rows, _ = load_iris(return_X_y=True)
    given = dict(zip(COLUMNS, rows.T.astype(np.float32), strict=True))
    wanted = edgeship.load(by_column, "onnx-float32").predict(given)
    for form in FORMS:
        got = edgeship.load(by_column, form).predict(given)
        np.testing.assert_array_equal(got["label"], wanted["label"])
        np.testing.assert_allclose(got["probabilities"], wanted["probabilities"], atol=1e-6)
    loaded = tf.saved_model.load(str(by_column / "variants" / "savedmodel-float32" / "1"))
    served = loaded.signatures["serving_default"](
        **{name: tf.constant(column) for name, column in given.items()}
    )
    np.testing.assert_array_equal(served["label"].numpy(), wanted["label"])
    runner = Interpreter(
        str(by_column / "variants" / "tflite-float32.tflite")
    ).get_signature_runner("serving_default")
    np.testing.assert_array_equal(runner(**given)["label"], wanted["label"])


@pytest.mark.parametrize("form", FORMS)
def test_the_same_model_gives_the_same_bytes(model: Any, form: str) -> None:
    first, second = (form_of(source_of(model), form) for _ in range(2))
    assert first.files == second.files


@pytest.fixture(scope="module")
def worded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pandas.DataFrame]:
    """A bundle of a model that looks words up among many, in two columns, and rows of it."""
    random = np.random.default_rng(0)
    table = pandas.DataFrame(
        {name: [f"{name} {k}" for k in random.integers(300, size=2000)] for name in WORDED}
    )
    truth = table[WORDED[0]].str.len() % 2 + (table[WORDED[1]] < f"{WORDED[1]} 2")
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    model = make_pipeline(encoder, DecisionTreeClassifier(random_state=0)).fit(table, truth)
    folder = tmp_path_factory.mktemp("worded") / "b"
    edgeship.convert(
        model, folder, data=table, inputs="columns", variants=["onnx-float32", "savedmodel-float32"]
    )
    table.iloc[:50, 0] = "a word met nowhere"
    return folder, table


def test_tensorflow_looks_words_up_in_a_process_of_its_own(
    worded: tuple[Path, pandas.DataFrame],
) -> None:
    folder, table = worded
    given = {name: table[name].to_numpy(str) for name in WORDED}
    wanted = edgeship.load(folder, "onnx-float32").predict(given)["label"]
    path = str(folder / "variants" / "savedmodel-float32" / "1")
    script = (
        "import json, sys, tensorflow as tf\n"
        "served = tf.saved_model.load(sys.argv[1]).signatures['serving_default']\n"
        "given = {name: tf.constant(words) for name, words in json.load(sys.stdin).items()}\n"
        "print(json.dumps(served(**given)['label'].numpy().tolist()))"
    )
    told = json.dumps({name: words.tolist() for name, words in given.items()})
    command = [sys.executable, "-c", script, path]
    ran = subprocess.run(command, input=told, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == wanted.tolist()
    # As TensorFlow Serving does, and the command that shows what is served.
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], path)
        signature = loaded.signature_def["serving_default"]
        fed = {signature.inputs[name].name: words for name, words in given.items()}
        label = session.run(signature.outputs["label"].name, fed)
    np.testing.assert_array_equal(label, wanted)
    shown = [sys.executable, "-m", "tensorflow.python.tools.saved_model_cli", "show", "--all"]
    subprocess.run([*shown, "--dir", path], capture_output=True, check=True)


def test_tables_of_words_are_the_same_bytes_every_time() -> None:
    words = np.array([[f"word {k}"] for k in range(300)], object)
    model = make_pipeline(OrdinalEncoder(), LogisticRegression()).fit(words, np.arange(300) % 2)
    first, second = (form_of(source_of(model), "savedmodel-float32") for _ in range(2))
    assert b"LookupTableFindV2" in first.files["1/saved_model.pb"]
    assert first.files == second.files


def test_numbers_of_a_tflite_file_are_finite() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(200, 4)).astype(np.float32)
    rows[random.random(rows.shape) < 0.3] = np.nan
    model = RandomForestClassifier(5, random_state=0).fit(rows, np.isnan(rows[:, 0]))
    held = Interpreter(model_content=form_of(source_of(model), "tflite-float32").data)
    floats = 0
    for detail in held.get_tensor_details():
        try:
            values = held.get_tensor(detail["index"])
        except ValueError:
            continue
        if values.dtype.kind == "f":
            floats += 1
            assert np.isfinite(values).all(), detail["name"]
    assert floats


class Pooled(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A step of the user's own."""

    def fit(self, X: Any, y: Any = None) -> Pooled:
        """Learn the width."""
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: Any) -> Any:
        """The means of single columns."""
        return X


def pooled(model: Any, rows: Rows, graph: Graph) -> Answers:
    """By an operator that the lowering does not have."""
    lines = graph.Unsqueeze(rows.matrix(graph), [1])
    means = graph.Squeeze(graph.AveragePool(lines, kernel_shape=[1]), [1])
    return Answers(transformed=Rows.of(means, rows.width, graph))


def test_an_operator_without_a_lowering_is_refused_with_the_step_it_comes_from(
    tmp_path: Path,
) -> None:
    rows, truth = load_iris(return_X_y=True)
    model = make_pipeline(Pooled(), LogisticRegression(max_iter=1000)).fit(rows, truth)
    options: dict[str, Any] = {"data": {"x": rows, "y": truth}, "converters": {Pooled: pooled}}
    wanted = r"the operator AveragePool \(tests\.Pooled/AveragePool_\d+\) has no lowering"
    with pytest.raises(StepError, match=wanted):
        edgeship.convert(model, tmp_path / "b", variants="tflite-float32", **options)
    assert not (tmp_path / "b").exists()
    told: list[str] = []
    bundle = edgeship.convert(model, tmp_path / "b", on_warning=told.append, **options)
    assert [variant.name for variant in bundle.manifest.variants] == ["onnx-float32"]
    assert any("AveragePool" in words for words in told)


@pytest.mark.parametrize(
    ("model", "operator"),
    [
        (RandomForestClassifier(60, random_state=0), "TreeEnsemble"),
        (RandomForestRegressor(60, random_state=0), "TreeEnsemble"),
        # Leaves of several classes, and a file that is small anyway.
        (RandomForestClassifier(60, max_depth=7, random_state=0), "TreeEnsembleRegressor"),
        (RandomForestClassifier(2, random_state=0), "TreeEnsembleRegressor"),
    ],
    ids=["pure leaves", "a regressor", "mixed leaves", "few trees"],
)
def test_large_trees_take_few_bytes_in_onnx_too(model: Any, operator: str) -> None:
    rows, truth = load_digits(return_X_y=True)
    source = source_of(model.fit(rows, truth))
    artifact = sklearn_to_onnx(source, Task("m", source.contract))
    graph = onnx.load_model_from_string(artifact.data)
    onnx.checker.check_model(graph)
    assert operator in [node.op_type for node in graph.graph.node]
    if operator == "TreeEnsemble":
        many = sum(tree.tree_.node_count for tree in model.estimators_)
        assert len(artifact.data) < 14 * many


def test_boosted_classes_take_no_more_bytes_than_in_onnx() -> None:
    rows, truth = load_digits(return_X_y=True)
    model = HistGradientBoostingClassifier(max_iter=10, random_state=0).fit(rows, truth)
    source = source_of(model)
    onnx_bytes = len(sklearn_to_onnx(source, Task("m", source.contract)).data)
    artifact = form_of(source, "tflite-float32")
    assert len(artifact.data) < onnx_bytes
    got = LiteRT(artifact.data).run({"x": rows.astype(np.float32)})
    np.testing.assert_array_equal(got["label"], model.predict(rows))
