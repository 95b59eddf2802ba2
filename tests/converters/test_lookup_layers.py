"""Layers that hold tables: words and numbers go in, are looked up, and come out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import edgeship
from edgeship_converters.errors import SourceError
from edgeship_converters.sources import open_source
from edgeship_runtime.errors import DataError
from tests.converters.served import assert_served, savedmodel


def test_the_hash_of_a_model_in_memory_tells_weights_and_vocabularies_apart() -> None:
    def built(words: list[str], weight: float) -> Any:
        word = keras.Input((1,), dtype="string", name="word")
        lookup = layers.StringLookup(name="lookup")
        lookup.adapt(words)
        start = keras.initializers.Constant(weight)
        table = layers.Embedding(4, 2, embeddings_initializer=start, name="table")
        model = keras.Model(word, table(lookup(word)), name="words")
        return model

    def digest(model: Any) -> str:
        return open_source(model).sha256

    model = built(["a", "b"], 1.0)
    assert digest(model) == digest(model)
    changed = built(["a", "c"], 1.0)
    assert digest(changed) != digest(model)
    before = digest(changed)
    changed.get_layer("table").set_weights([np.full((4, 2), 2.0)])
    assert digest(changed) != before


def test_lookup_tables_of_words_and_numbers_are_kept(tmp_path: Path) -> None:
    word = keras.Input((1,), dtype="string", name="word")
    number = keras.Input((1,), dtype="int64", name="number")
    words, numbers = layers.StringLookup(), layers.IntegerLookup()
    words.adapt(["red", "green", "green"])
    numbers.adapt([[3], [4], [5], [5]])
    outputs = [
        layers.Embedding(4, 2, name="colour")(words(word)),
        layers.Embedding(5, 3, name="size")(numbers(number)),
    ]
    keras.Model([word, number], outputs).save(tmp_path / "m.keras")
    source = open_source(tmp_path / "m.keras")
    assert [spec.dtype for spec in source.contract.inputs] == ["string", "int64"]
    rows = {"word": np.array([["red"], ["blue"], ["green"]]), "number": np.array([[3], [5], [9]])}
    got = assert_served(source, rows, tmp_path / "out")
    assert len(np.unique(got["colour"], axis=0)) == 3


def test_text_goes_in_and_comes_out(tmp_path: Path) -> None:
    number = keras.Input((1,), dtype="int64", name="number")
    words = layers.StringLookup(vocabulary=["größe", "b"], invert=True)
    source = open_source(keras.Model(number, words(number)))
    assert source.contract.outputs[0].dtype == "string"
    got = assert_served(source, {"number": np.array([[1], [2], [0]])}, tmp_path)
    assert got["output"].tolist() == [["größe"], ["b"], ["[UNK]"]]


def test_text_vectorization_is_kept_inside(tmp_path: Path) -> None:
    text = keras.Input((), dtype="string", name="text")
    vectorize = layers.TextVectorization(10, output_sequence_length=4)
    vectorize.adapt(["hello world", "big world"])
    embedded = layers.Flatten()(layers.Embedding(10, 2)(vectorize(text)))
    source = open_source(keras.Model(text, layers.Dense(1, activation="sigmoid")(embedded)))
    assert source.contract.outputs[0].role == "probabilities"
    assert_served(source, {"text": np.array(["hello big", "world", ""])}, tmp_path)


def test_a_layer_that_states_a_wrong_dtype_is_asked_by_a_trace(tmp_path: Path) -> None:
    word = keras.Input((1,), dtype="string", name="word")
    one_hot = layers.StringLookup(vocabulary=["a", "b"], output_mode="one_hot")
    source = open_source(keras.Model(word, one_hot(word)))
    assert source.contract.outputs[0].dtype == "int64"
    assert source.contract.outputs[0].role == "tensor"
    assert_served(source, {"word": np.array([["a"], ["q"]])}, tmp_path)


def test_a_model_with_tables_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    word = keras.Input((1,), dtype="string", name="word")
    first, second = layers.StringLookup(vocabulary=["a"]), layers.StringLookup(vocabulary=["b"])
    keras.Model(word, [first(word), second(word)]).save(tmp_path / "m.keras")
    script = (
        "import sys; from pathlib import Path; from edgeship_converters.sources import open_source;"
        "from tests.converters.served import savedmodel;"
        "savedmodel(open_source(sys.argv[1])).write_to(Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "m.keras"), str(tmp_path / "out")]
    subprocess.run(command, check=True)
    here = savedmodel(open_source(tmp_path / "m.keras")).files
    there = {name: (tmp_path / "out" / name).read_bytes() for name in here}
    assert there == here


def test_ids_beyond_an_embedding_are_told_before_the_model_is_asked(tmp_path: Path) -> None:
    layers = [keras.layers.Embedding(20, 4), keras.layers.Flatten(), keras.layers.Dense(1)]
    keras.Sequential([keras.Input((5,), dtype="int32"), *layers]).save(tmp_path / "m.keras")
    ids = np.random.default_rng(0).integers(0, 20, (200, 5))
    beyond = ids.copy()
    beyond[7, 2] = 345
    np.savez(tmp_path / "good.npz", x=ids)
    np.savez(tmp_path / "bad.npz", x=beyond)
    for options in ({"data": "bad.npz"}, {"data": "good.npz", "eval_data": "bad.npz"}):
        files = {name: tmp_path / file for name, file in options.items()}
        with pytest.raises(DataError, match="345"):
            edgeship.convert(tmp_path / "m.keras", tmp_path / "b", **files)
    with pytest.raises(SourceError, match=r"on these rows: .*345 is not in \[0, 20\)"):
        open_source(tmp_path / "m.keras").predict({"x": beyond.astype(np.int32)})
