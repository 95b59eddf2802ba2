"""Text goes in and comes out alike in every format, also in TFLite, which holds none."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

import edgeship
from edgeship_converters.errors import StepError
from edgeship_runtime.bundle import Bundle
from edgeship_runtime.errors import InputError
from edgeship_runtime.model import Model
from edgeship_runtime.selftest import check_goldens
from edgeship_runtime.serve import App
from edgeship_runtime.serve.tensors import DATATYPES

VARIANTS = ("onnx-float32", "savedmodel-float32", "tflite-float32")
EXACT = pytest.mark.parametrize("variant", VARIANTS)
COMMAND = "from edgeship.cli import main; main()"


def frame(rows: int = 300) -> pd.DataFrame:
    """Two columns of text, one of them with gaps, and a real, a whole number and a truth."""
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "city": random.choice(["Oslo", "Rome", "Bonn"], rows).astype(object),
            "kind": random.choice(["flat", "house", "a b", "Bürohaus"], rows).astype(object),
            "age": random.normal(40, 12, rows).astype(np.float32).astype(np.float64),
            "rooms": random.integers(1, 6, rows),
            "owned": random.random(rows) < 0.5,
        }
    )
    table.loc[::11, "city"] = np.nan
    return table


def truth(table: pd.DataFrame) -> np.ndarray[Any, Any]:
    """A label that hangs by all kinds of columns."""
    yes = (table["city"] == "Oslo") ^ (table["age"] + 5 * table["rooms"] > 55)
    return np.where(yes | ((table["kind"] == "flat") & table["owned"]), "yes", "nein, é")


def fitted(encoder: Any, last: Any = None, known: Any = None) -> Any:
    """A pipeline of encoded text, scaled numbers, a category of whole numbers, and a truth."""
    table = frame() if known is None else known
    columns = ColumnTransformer(
        [
            ("text", encoder, ["city", "kind"]),
            ("numbers", StandardScaler(), ["age"]),
            ("rooms", OneHotEncoder(handle_unknown="ignore"), ["rooms"]),
            ("owned", "passthrough", ["owned"]),
        ],
        sparse_threshold=0,
    )
    return make_pipeline(columns, LogisticRegression() if last is None else last).fit(
        table, truth(table)
    )


def converted(model: Any, target: Path, **options: Any) -> Bundle:
    """A bundle of the three formats that keep the model's precision."""
    return edgeship.convert(model, target, variants=VARIANTS, name="homes", **options)


@pytest.fixture(scope="module")
def model() -> Any:
    return fitted(OneHotEncoder(handle_unknown="ignore"))


@pytest.fixture(scope="module")
def bundle(model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    table = frame()
    path = tmp_path_factory.mktemp("homes") / "homes.edgeship"
    converted(model, path, data=table.assign(y=truth(table)), label_column="y")
    return path


def asked() -> pd.DataFrame:
    """Rows that the model knows, and such as hold unknown, empty and missing text."""
    table = frame().iloc[:40].reset_index(drop=True)
    table.loc[1, "city"] = "Paris"
    table.loc[2, ["city", "kind"]] = ["oslo", "castle"]
    table.loc[3, "city"] = np.nan
    table.loc[4, "kind"] = "Bürohaus "
    table.loc[5, "city"] = "yes"
    table.loc[6, "rooms"] = 99
    return table


def assert_alike(loaded: Model, model: Any, table: pd.DataFrame) -> None:
    """The variant answers as scikit-learn does."""
    got = loaded.predict(table)
    assert got["label"].dtype.kind == "U"
    assert got["label"].tolist() == model.predict(table).tolist()
    np.testing.assert_allclose(got["probabilities"], model.predict_proba(table), atol=1e-5)


def test_the_contract_is_text_and_words_are_of_tflite_only(bundle: Path) -> None:
    manifest = Bundle.open(bundle).manifest
    dtypes = {spec.name: spec.dtype for spec in manifest.inputs}
    assert dtypes == {
        "city": "string",
        "kind": "string",
        "age": "float32",
        "rooms": "int64",
        "owned": "bool",
    }
    assert {spec.name: spec.dtype for spec in manifest.outputs}["label"] == "string"
    words = {spec.name: spec.words for spec in manifest.variants}
    assert set(words["tflite-float32"].inputs) == {"city", "kind"}
    assert words["tflite-float32"].outputs == {"label": ("nein, é", "yes")}
    for name in ("onnx-float32", "savedmodel-float32"):
        assert not words[name].inputs
        assert not words[name].outputs


@EXACT
def test_many_rows_are_answered_as_by_the_source(bundle: Path, model: Any, variant: str) -> None:
    assert_alike(edgeship.load(bundle, variant), model, asked())


@EXACT
def test_one_row_is_answered_as_by_the_source(bundle: Path, model: Any, variant: str) -> None:
    loaded = edgeship.load(bundle, variant)
    for row in range(8):
        assert_alike(loaded, model, asked().iloc[row : row + 1])


@EXACT
def test_empty_text_and_none_are_the_same_missing_value(bundle: Path, variant: str) -> None:
    loaded = edgeship.load(bundle, variant)
    (row,) = frame().iloc[:1].to_dict("records")
    answers = [loaded.predict([{**row, "city": gone}]) for gone in (None, "", np.nan)]
    for answer in answers[1:]:
        assert answer["label"].tolist() == answers[0]["label"].tolist()
        assert answer["probabilities"].tolist() == answers[0]["probabilities"].tolist()


@EXACT
def test_goldens_are_met(bundle: Path, variant: str) -> None:
    assert check_goldens(edgeship.load(bundle, variant)).rows == 16


def test_verify_passes_every_format(bundle: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "verify", str(bundle)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for variant in VARIANTS:
        (line,) = (line for line in done.stdout.splitlines() if line.startswith(variant))
        assert line.rstrip().endswith("ok")


@EXACT
def test_the_daemon_takes_and_gives_text(bundle: Path, model: Any, variant: str) -> None:
    table = asked()
    loaded = edgeship.load(bundle, variant)
    inputs = [
        {
            "name": spec.name,
            "datatype": DATATYPES[spec.dtype],
            "shape": [len(table)],
            "data": table[spec.name].fillna("").tolist(),
        }
        for spec in loaded.contract.inputs
    ]
    answer = asyncio.run(infer(App(loaded), {"inputs": inputs}))
    assert answer.status_code == 200, answer.text
    label = next(output for output in answer.json()["outputs"] if output["name"] == "label")
    assert label["datatype"] == "BYTES"
    assert label["data"] == model.predict(table).tolist()


async def infer(app: App, body: object) -> httpx.Response:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://board") as client:
        return await client.post("/v2/models/homes/infer", json=body)


@pytest.mark.parametrize(
    "encoder",
    [
        partial(OneHotEncoder, handle_unknown="infrequent_if_exist", min_frequency=80),
        partial(
            OrdinalEncoder,
            handle_unknown="use_encoded_value",
            unknown_value=-1,
            encoded_missing_value=-2,
        ),
        lambda: make_pipeline(
            SimpleImputer(strategy="most_frequent"),
            OneHotEncoder(handle_unknown="ignore"),
        ),
    ],
    ids=["infrequent", "ordinal", "imputed"],
)
def test_other_encoders_answer_alike(encoder: Any, tmp_path: Path) -> None:
    model = fitted(encoder(), RandomForestClassifier(10, max_depth=5, random_state=0))
    made = converted(model, tmp_path / "b")
    for variant in VARIANTS:
        loaded = edgeship.load(made, variant)
        check_goldens(loaded)
        assert_alike(loaded, model, asked())


def test_what_the_source_refuses_every_format_refuses(tmp_path: Path) -> None:
    table = frame().fillna({"city": "Rome"})
    made = converted(fitted(OneHotEncoder(), known=table), tmp_path / "b")
    said = set()
    for variant in VARIANTS:
        loaded = edgeship.load(made, variant)
        loaded.predict(table.iloc[:3])
        with pytest.raises(InputError, match="'city' holds 'Paris' in row 1") as caught:
            loaded.predict(asked().fillna({"city": "Rome"}))
        said.add(str(caught.value))
    assert len(said) == 1


def test_classes_of_text_need_no_input_of_text(tmp_path: Path) -> None:
    rows = frame()[["age", "rooms"]].to_numpy()
    labels = np.where(rows.sum(axis=1) > 44, "", "a\nb")
    model = RandomForestClassifier(5, max_depth=3, random_state=0).fit(rows, labels)
    made = converted(model, tmp_path / "b")
    for variant in VARIANTS:
        got = edgeship.load(made, variant).predict(rows)["label"]
        assert got.tolist() == model.predict(rows).tolist()


def test_labels_beyond_32_bits_are_kept(tmp_path: Path) -> None:
    rows = frame()[["age", "rooms"]].to_numpy()
    labels = np.where(rows.sum(axis=1) > 44, -(1 << 40), 1 << 53)
    model = LogisticRegression().fit(rows, labels)
    made = converted(model, tmp_path / "b")
    for variant in VARIANTS:
        got = edgeship.load(made, variant).predict(rows)["label"]
        assert got.dtype == np.int64
        assert got.tolist() == model.predict(rows).tolist()


def test_text_that_is_passed_on_cannot_become_tflite(tmp_path: Path) -> None:
    text = frame()[["city", "kind"]].to_numpy()
    model = SimpleImputer(strategy="most_frequent").fit(text)
    with pytest.raises(StepError, match="'transformed' passes text on, which TFLite cannot hold"):
        converted(model, tmp_path / "b")


def test_quantized_forms_keep_the_words(tmp_path: Path) -> None:
    table = frame(2000)
    network = MLPClassifier((96, 96), tol=0.01, random_state=0)
    model = fitted(OneHotEncoder(handle_unknown="ignore"), network, known=table)
    made = edgeship.convert(
        model,
        tmp_path / "b",
        data=table.assign(y=truth(table)),
        label_column="y",
        variants="tflite-float16,tflite-dynamic-int8,tflite-int8",
        max_drop=0.2,
    )
    for spec in made.manifest.variants:
        assert set(spec.words.inputs) == {"city", "kind"}
        loaded = edgeship.load(made, spec.name)
        agreed = loaded.predict(table)["label"] == model.predict(table)
        assert agreed.mean() > 0.8
