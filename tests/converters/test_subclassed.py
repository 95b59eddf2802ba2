"""Subclassed models, whose inputs have no dtypes: they are taken as what their layers want."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from edgeship_converters.prepare import prepare
from edgeship_converters.request import Request
from edgeship_converters.sources import open_source
from tests.converters.served import assert_served


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
