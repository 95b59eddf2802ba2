"""Subclassed models: names from their calls, dtypes from what their layers want."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from edgeship_converters.errors import SourceError
from edgeship_converters.prepare import prepare
from edgeship_converters.request import Request
from edgeship_converters.sources import open_source
from tests.converters.served import assert_served

ROWS = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)


def contract(source: Any) -> tuple[list[str], list[str]]:
    return [s.name for s in source.contract.inputs], [s.name for s in source.contract.outputs]


class TwoHeads(keras.Model):  # type: ignore[misc]
    """Subclassed: a dict in, a dict out, with dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = layers.Dense(2)
        self.score = layers.Dense(3, activation="softmax")
        self.dropout = layers.Dropout(0.5)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        kept = self.dropout(inputs["u"], training=training)
        return {"z": self.shared(kept) + self.shared(inputs["v"]), "a": self.score(inputs["v"])}


@keras.saving.register_keras_serializable("tests")
class Scores(keras.Model):  # type: ignore[misc]
    """Subclassed: one tensor in, one out."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.score = layers.Dense(3, activation="softmax")

    def call(self, tokens: Any) -> Any:
        return self.score(tokens)


class Pair(keras.Model):  # type: ignore[misc]
    """Subclassed: a tuple out."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = layers.Dense(2), layers.Dense(4)

    def call(self, x: Any) -> Any:
        return self.first(x), self.second(x)


class TwoArguments(keras.Model):  # type: ignore[misc]
    """Subclassed: two arguments, of which Keras keeps the first one's shape."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, left: Any, right: Any) -> Any:
        return self.dense(left) + self.dense(right)


def test_a_subclassed_model_keeps_the_keys_of_its_dicts(tmp_path: Path) -> None:
    model = TwoHeads()
    model({"u": ROWS[:2], "v": ROWS[:2]})
    source = open_source(model)
    assert contract(source) == (["u", "v"], ["z", "a"])
    rows = {"u": ROWS, "v": -ROWS}
    got = assert_served(source, rows, tmp_path)
    expected = model(rows, training=False)
    np.testing.assert_allclose(got["z"], expected["z"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(got["a"], expected["a"], rtol=1e-5, atol=1e-6)


def test_a_subclassed_model_names_its_input_as_its_call_does(tmp_path: Path) -> None:
    model = Scores()
    model(ROWS)
    source = open_source(model)
    assert contract(source) == (["tokens"], ["probabilities"])
    assert source.contract.task == "classification"
    assert source.contract.inputs[0].shape == (None, 3)
    assert_served(source, {"tokens": ROWS}, tmp_path)


def test_several_outputs_of_a_subclassed_model_are_numbered(tmp_path: Path) -> None:
    model = Pair()
    model(ROWS)
    source = open_source(model)
    assert contract(source) == (["x"], ["output_0", "output_1"])
    assert [spec.shape for spec in source.contract.outputs] == [(None, 2), (None, 4)]
    assert_served(source, {"x": ROWS}, tmp_path)


def test_a_subclassed_model_is_loaded_from_its_file(tmp_path: Path) -> None:
    model = Scores()
    model(ROWS)
    model.save(tmp_path / "scores.keras")
    source = open_source(tmp_path / "scores.keras")
    np.testing.assert_allclose(
        source.predict({"tokens": ROWS})["probabilities"], model.predict(ROWS, verbose=0), rtol=1e-5
    )
    assert_served(source, {"tokens": ROWS}, tmp_path / "out")


def test_a_subclassed_model_that_was_never_called_is_refused() -> None:
    with pytest.raises(SourceError, match="call the model once on a batch"):
        open_source(Scores())


def test_a_subclassed_model_with_several_arguments_is_refused() -> None:
    model = TwoArguments()
    model(ROWS, ROWS)
    with pytest.raises(SourceError, match=r"left, right.*take the inputs as one dict"):
        open_source(model)


@keras.saving.register_keras_serializable("test_subclassed")
class Tokens(keras.Model):  # type: ignore[misc]
    """Token ids to two scores."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.table = layers.Embedding(50, 4)
        self.pool = layers.GlobalAveragePooling1D()
        self.head = layers.Dense(2)

    def call(self, inputs: Any) -> Any:
        """The scores."""
        return self.head(self.pool(self.table(inputs)))


@keras.saving.register_keras_serializable("test_subclassed")
class TokensAndNumbers(keras.Model):  # type: ignore[misc]
    """Token ids and numbers to two scores."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.table = layers.Embedding(50, 4)
        self.pool = layers.GlobalAveragePooling1D()
        self.head = layers.Dense(2)

    def call(self, inputs: Any) -> Any:
        """The scores."""
        ids = self.pool(self.table(inputs["ids"]))
        return self.head(layers.concatenate([ids, inputs["numbers"]]))


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    """A token model in a file."""
    model = Tokens()
    model(np.zeros((1, 6), np.int32))
    model.save(tmp_path / "m.keras")
    return tmp_path / "m.keras"


def test_a_model_of_token_ids_takes_integers(tokens: Path, tmp_path: Path) -> None:
    source: Any = open_source(tokens)
    (spec,) = source.contract.inputs
    assert spec.dtype == "int32"
    rows = np.random.default_rng(0).integers(0, 50, (9, 6)).astype(np.int32)
    assert_served(source, {spec.name: rows}, tmp_path / "out")


def test_without_data_all_of_the_table_is_asked_for(tokens: Path) -> None:
    request = Request(source=tokens, variants="tflite-float32")
    ready = prepare(request)
    assert set(np.unique(ready.rows.judged["inputs"])) == set(range(50))


def test_numbers_beside_token_ids_keep_their_fractions(tmp_path: Path) -> None:
    model = TokensAndNumbers()
    model({"ids": np.zeros((1, 6), np.int32), "numbers": np.zeros((1, 3), np.float32)})
    model.save(tmp_path / "m.keras")
    source: Any = open_source(tmp_path / "m.keras")
    assert {spec.name: spec.dtype for spec in source.contract.inputs} == {
        "ids": "float32",
        "numbers": "float32",
    }
