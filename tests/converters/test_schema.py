"""What a sample of rows tells of a model's columns: data frames, records, Parquet, arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from edgeship_converters import convert
from edgeship_converters.errors import PlanError, SourceError
from edgeship_converters.schema import schema_of
from edgeship_runtime.errors import DataError, InputError
from edgeship_runtime.model import load

KINDS = {
    "age": "int64",
    "income": "float32",
    "city": "string",
    "member": "bool",
    "grade": "string",
}


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": random.integers(18, 80, 300),
            "income": random.normal(3e4, 1e4, 300),
            "city": random.choice(["Oslo", "Bergen", "Tromsø"], 300),
            "member": random.random(300) > 0.5,
            "grade": pd.Categorical(random.choice(["a", "b"], 300)),
        }
    )
    frame.loc[::17, "income"] = np.nan
    return frame.assign(bought=(frame.age > 40) & (frame.city != "Oslo"))


@pytest.fixture(scope="module")
def model(people: pd.DataFrame) -> Any:
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["age", "income"]),
        (OneHotEncoder(), ["city", "grade"]),
        remainder="passthrough",
    )
    return make_pipeline(columns, LogisticRegression()).fit(
        people.drop(columns="bought"), people.bought
    )


@pytest.mark.parametrize("form", ["pandas", "polars", "parquet"])
def test_a_typed_table_tells_every_column(
    form: str, people: pd.DataFrame, model: Any, tmp_path: Path
) -> None:
    data: Any = people if form == "pandas" else pl.from_pandas(people)
    if form == "parquet":
        data = tmp_path / "people.parquet"
        people.to_parquet(data)
    bundle = convert(model, tmp_path / "b", data=data, label_column="bought")
    assert {spec.name: spec.dtype for spec in bundle.manifest.inputs} == KINDS
    by_name = {spec.name: spec for spec in bundle.manifest.inputs}
    assert by_name["city"].categories == ("Bergen", "Oslo", "Tromsø")
    assert [name for name, spec in by_name.items() if spec.missing] == ["income"]
    evidence = bundle.manifest.variants[0].evidence
    assert evidence.metric == "accuracy"
    assert evidence.label_flips == 0
    told = load(bundle).predict(people)["label"]
    assert told.tolist() == model.predict(people.drop(columns="bought")).tolist()


def test_records_tell_the_names(people: pd.DataFrame, model: Any, tmp_path: Path) -> None:
    records = people.to_dict("records")
    bundle = convert(model, tmp_path / "b", data=records, label_column="bought")
    assert [spec.name for spec in bundle.manifest.inputs] == list(KINDS)
    told = load(bundle).predict(records[:50])["label"]
    assert told.tolist() == model.predict(people[:50].drop(columns="bought")).tolist()


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ("auto", [("x", "float32")]),
        ("matrix", [("x", "float32")]),
        ("columns", [("age", "int64"), ("income", "float32"), ("member", "bool")]),
    ],
)
def test_numbers_are_one_matrix_or_an_input_a_column(
    inputs: str, expected: list[Any], people: pd.DataFrame, tmp_path: Path
) -> None:
    numbers = people[["age", "income", "member"]]
    forest = RandomForestClassifier(10, random_state=0).fit(numbers, people.bought)
    bundle = convert(forest, tmp_path / "b", data=numbers, inputs=inputs)
    assert [(spec.name, spec.dtype) for spec in bundle.manifest.inputs] == expected
    told = load(bundle).predict(numbers)["label"]
    assert told.tolist() == forest.predict(numbers).tolist()


def test_a_frame_names_the_columns_of_a_model_fitted_on_an_array(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(100, 2))
    forest = RandomForestClassifier(3, random_state=0).fit(rows, rows[:, 0] > 0)
    bundle = convert(forest, tmp_path / "b", data=pd.DataFrame(rows, columns=["left", "right"]))
    assert bundle.manifest.inputs[0].feature_names == ("left", "right")


def test_what_a_frame_lacks_or_a_matrix_cannot_hold_is_told(
    people: pd.DataFrame, model: Any, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="the data lacks the model's columns 'city'"):
        convert(model, tmp_path / "b", data=people.drop(columns="city"))
    with pytest.raises(DataError, match="no column 'sold' for the labels"):
        convert(model, tmp_path / "b", data=people, label_column="sold")
    with pytest.raises(SourceError, match="takes text, in 'city', 'grade'"):
        convert(model, tmp_path / "b", data=people, inputs="matrix")
    with pytest.raises(PlanError, match="inputs is one of auto, matrix, columns, got 'rows'"):
        convert(model, tmp_path / "b", inputs="rows")
    with pytest.raises(PlanError, match=r"a data frame, a list of records.* got a int"):
        convert(model, tmp_path / "b", data=3)
    assert not (tmp_path / "b").exists()


def test_missing_ones_make_whole_numbers_floats() -> None:
    frame = pd.DataFrame(
        {
            "whole": pd.array([1, None, 3], "Int64"),
            "sure": pd.array([True, None, False], "boolean"),
            "words": ["a", None, "b"],
            "bytes": np.array([1, 2, 3], np.uint8),
        }
    )
    assert schema_of(frame) == {
        "whole": "float32",
        "sure": "float32",
        "words": "string",
        "bytes": "int64",
    }
    assert schema_of(np.zeros((3, 2))) == schema_of({"a": np.zeros(3)}) == schema_of("a.csv") == {}


def test_an_encoder_that_refuses_unknown_words_does_so_on_the_board(
    people: pd.DataFrame, model: Any, tmp_path: Path
) -> None:
    bundle = convert(model, tmp_path / "b", data=people)
    assert {spec.name: spec.closed for spec in bundle.manifest.inputs}["city"]
    elsewhere = people.head(3).assign(city=["Oslo", "Tokyo", "Bergen"])
    wanted = r"'Tokyo' in row 1, which the model does not know and refuses: expected 'Bergen', 'Os"
    with pytest.raises(InputError, match=wanted):
        load(bundle).predict(elsewhere)


def test_an_encoder_that_takes_unknown_words_does_so_on_the_board(
    people: pd.DataFrame, tmp_path: Path
) -> None:
    columns = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["city"]))
    model = make_pipeline(columns, LogisticRegression()).fit(people[["city"]], people.bought)
    bundle = convert(model, tmp_path / "b", data=people[["city"]])
    assert not bundle.manifest.inputs[0].closed
    elsewhere = pd.DataFrame({"city": ["Tokyo", "Oslo"]})
    assert load(bundle).predict(elsewhere)["label"].tolist() == model.predict(elsewhere).tolist()


def test_an_int_that_an_encoder_does_not_know_is_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame({"code": [1, 2, 3] * 20, "word": ["a", "b", "c"] * 20})
    columns = make_column_transformer((OneHotEncoder(), ["code", "word"]))
    model = make_pipeline(columns, LogisticRegression()).fit(frame, frame.code > 1)
    bundle = convert(model, tmp_path / "b", data=frame)
    with pytest.raises(InputError, match="'code' holds 7 in row 0"):
        load(bundle).predict(pd.DataFrame({"code": [7], "word": ["a"]}))


def test_a_table_without_names_goes_in_by_place(tmp_path: Path) -> None:
    table = np.array([["a", 1.0], ["b", 2.0], ["c", 3.0]] * 20, object)
    columns = make_column_transformer((OneHotEncoder(), [0]), remainder="passthrough")
    model = make_pipeline(columns, LogisticRegression()).fit(table, table[:, 1] > 1.5)
    bundle = convert(model, tmp_path / "b", data=table)
    assert load(bundle).predict(table)["label"].tolist() == model.predict(table).tolist()
    with pytest.raises(DataError, match=r"lacks the model's columns 'x0'.*name them as the model"):
        convert(model, tmp_path / "c", data=pd.DataFrame(table, columns=["left", "right"]))
