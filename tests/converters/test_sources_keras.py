"""Keras 3 models of every build: what is taken as it is, what is changed, what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import edgeship
from edgeship_converters.errors import SourceError
from edgeship_converters.sources import default_name, open_source
from edgeship_runtime.errors import DataError
from tests.converters.served import assert_served, savedmodel

ROWS = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)

OWN_MODULE = "own_layers_of_a_user"
OWN_CODE = """
import keras

class Scale(keras.layers.Layer):
    def call(self, x):
        return x * 3.0

@keras.saving.register_keras_serializable("own")
class Shift(keras.layers.Layer):
    def call(self, x):
        return x + 5.0

def square(x):
    return x * x

ALL = {"Scale": Scale, "square": square}
NUMBER = 3
"""


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


def test_a_model_in_memory_is_taken_by_its_own_name(tmp_path: Path) -> None:
    inputs = keras.Input((3,), name="image")
    model = keras.Model(inputs, layers.Dense(2)(inputs), name="flowers>v2")
    source = open_source(model)
    assert source.kind == "keras"
    assert default_name(model) == "flowers-v2"
    assert_served(source, {"image": ROWS}, tmp_path)


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


def test_outputs_in_a_dict_are_called_by_its_keys_in_any_order(tmp_path: Path) -> None:
    inputs = keras.Input((3,), name="row")
    heads = {"zeta": layers.Dense(2)(inputs), "alpha": layers.Dense(5)(inputs)}
    model = keras.Model(inputs, heads)
    model.save(tmp_path / "m.keras")
    source = open_source(tmp_path / "m.keras")
    shapes = {spec.name: spec.shape for spec in source.contract.outputs}
    assert shapes == {"zeta": (None, 2), "alpha": (None, 5)}
    got = assert_served(source, {"row": ROWS}, tmp_path / "out")
    np.testing.assert_allclose(got["alpha"], model(ROWS)["alpha"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "kept"), [("my-input", "my_input"), ("image:0", "image_0"), ("1st", "x_1st")]
)
def test_input_names_that_some_format_loses_are_changed_once_for_all(
    given: str, kept: str, tmp_path: Path
) -> None:
    inputs = keras.Input((3,), name=given)
    source = open_source(keras.Model(inputs, layers.Dense(2)(inputs)))
    assert contract(source)[0] == [kept]
    assert_served(source, {kept: ROWS}, tmp_path)


def test_a_model_for_one_batch_size_is_converted_for_any(tmp_path: Path) -> None:
    inputs = keras.Input(batch_shape=(4, 3), name="row")
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(inputs))
    model.save(tmp_path / "m.keras")
    source = open_source(tmp_path / "m.keras")
    assert source.contract.inputs[0].shape == (None, 3)
    assert source.contract.outputs[0].shape == (None, 2)
    assert source.contract.outputs[0].role == "probabilities"
    got = assert_served(source, {"row": ROWS}, tmp_path / "out")["probabilities"]
    np.testing.assert_allclose(got[:4], model.predict_on_batch(ROWS[:4]), rtol=1e-5)


def test_a_model_that_computes_with_its_batch_size_is_refused() -> None:
    inputs = keras.Input(batch_shape=(4, 3))
    model = keras.Model(inputs, keras.ops.reshape(layers.Dense(2)(inputs), (4, 2, 1)))
    with pytest.raises(SourceError, match=r"batches of 4 rows.*without batch_size"):
        open_source(model)


@pytest.mark.parametrize("wrapped", [False, True])
def test_layers_that_keep_state_between_calls_are_refused(wrapped: bool) -> None:
    inputs = keras.Input((5, 3), batch_size=2)
    recurrent: Any = layers.LSTM(2, stateful=True, name="memory")
    layer = layers.Bidirectional(recurrent) if wrapped else recurrent
    with pytest.raises(SourceError, match=r"keeps its state.*stateful=False"):
        open_source(keras.Model(inputs, layer(inputs)))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_is_taken_in_the_variables_precision(policy: str, tmp_path: Path) -> None:
    dense = layers.Dense(4, activation="relu", dtype=policy)
    body = [dense, layers.BatchNormalization(dtype=policy)]
    model = keras.Sequential([keras.Input((3,)), *body, layers.Dense(2, dtype=policy)])
    half = model.predict(ROWS, verbose=0)
    source = open_source(model)
    assert source.contract.outputs[0].dtype == "float32"
    exact = assert_served(source, {"x": ROWS}, tmp_path)["output"]
    np.testing.assert_allclose(exact, half.astype(np.float32), atol=0.05)
    assert model.layers[0].dtype_policy.name == policy
    np.testing.assert_array_equal(model.predict(ROWS, verbose=0), half)


def test_a_float64_model_keeps_its_dtype(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4, dtype="float64")])
    source = open_source(model)
    assert source.contract.outputs[0].dtype == "float64"
    assert_served(source, {"x": ROWS}, tmp_path)


def test_random_layers_are_off(tmp_path: Path) -> None:
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3), name="image"),
            layers.RandomFlip(),
            layers.RandomRotation(0.2),
            layers.RandomContrast(0.2),
            layers.GaussianNoise(1.0),
            layers.SpatialDropout2D(0.5),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.GaussianDropout(0.5),
            layers.Dense(2),
        ]
    )
    images = np.random.default_rng(1).normal(size=(5, 8, 8, 3)).astype(np.float32)
    source = open_source(model)
    got = assert_served(source, {"image": images}, tmp_path)["output"]
    weights = model.layers[-1].get_weights()
    np.testing.assert_allclose(
        got, images.reshape(5, -1) @ weights[0] + weights[1], rtol=1e-4, atol=1e-5
    )


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


def test_a_nested_model_s_last_activation_is_seen(tmp_path: Path) -> None:
    head = keras.Sequential([layers.Dense(3, activation="softmax")], name="head")
    source = open_source(keras.Sequential([keras.Input((3,)), layers.Dense(4), head]))
    assert source.contract.outputs[0].role == "probabilities"
    assert_served(source, {"x": ROWS}, tmp_path)


@pytest.fixture(scope="module")
def own_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a module of the user's, and c.keras made with it."""
    folder = tmp_path_factory.mktemp("own")
    (folder / f"{OWN_MODULE}.py").write_text(OWN_CODE)
    script = (
        f"import keras, {OWN_MODULE} as m\n"
        "model = keras.Sequential([keras.Input((3,)), m.Scale(), m.Shift(), "
        "keras.layers.Activation(m.square)])\n"
        "model.compile('adam', loss=m.square, metrics=[m.square])\n"
        "model.save('c.keras')"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=folder)
    return folder


@pytest.fixture
def own_code(own_model: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the user's module, which lies in the current directory, not yet imported."""
    monkeypatch.chdir(own_model)
    monkeypatch.delitem(sys.modules, OWN_MODULE, raising=False)
    return OWN_MODULE


def test_custom_objects_are_taken_from_the_modules_named(own_code: str, tmp_path: Path) -> None:
    given = (f"{own_code}:ALL", f"{own_code}:Shift")
    source = open_source("c.keras", custom_objects=given)
    got = assert_served(source, {"x": ROWS}, tmp_path / "out")
    np.testing.assert_allclose(next(iter(got.values())), (ROWS * 3 + 5) ** 2, rtol=1e-5)


def test_a_custom_object_that_was_not_given_is_named_with_the_flag(own_code: str) -> None:
    with pytest.raises(SourceError, match=rf"'Scale'.*--custom-objects {own_code}:Scale"):
        open_source("c.keras", custom_objects=(f"{own_code}:Shift",))
    with pytest.raises(SourceError, match=r"'square'.*--custom-objects"):
        open_source("c.keras", custom_objects=(f"{own_code}:Shift", f"{own_code}:Scale"))


def test_a_file_cannot_make_its_module_run(own_code: str) -> None:
    with pytest.raises(SourceError):
        open_source("c.keras")
    assert own_code not in sys.modules


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{module}", "takes module:attr"),
        ("../{module}:Scale", "takes module:attr"),
        ("{module}.py:Scale", "not its file's"),
        ("no_such_module_here:Scale", "cannot be imported.*ModuleNotFoundError"),
        ("{module}:Nothing", "has no 'Nothing'"),
        ("{module}:NUMBER", "is a int, expected a class"),
    ],
)
def test_custom_objects_that_cannot_be_used_are_said(
    given: str, message: str, own_code: str
) -> None:
    with pytest.raises(SourceError, match=message):
        open_source("c.keras", custom_objects=(given.format(module=own_code),))


def test_a_lambda_is_refused_by_name_with_the_remedy(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((3,)), layers.Lambda(lambda x: x * 2, name="double")])
    model.save(tmp_path / "m.keras")
    with pytest.raises(SourceError, match=r"'double'.*Layer subclass.*--custom-objects.*Rescaling"):
        open_source(tmp_path / "m.keras")


def test_a_configuration_deeper_than_the_stack_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", "[" * 100_000 + "]" * 100_000)
    with pytest.raises(SourceError, match="not a Keras model"):
        open_source(tmp_path / "m.keras")


def test_a_file_that_holds_a_layer_is_refused(tmp_path: Path) -> None:
    config = keras.saving.serialize_keras_object(layers.Dense(2))
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("metadata.json", json.dumps({"keras_version": keras.__version__}))
    with pytest.raises(SourceError):
        open_source(tmp_path / "m.keras")


def test_sparse_inputs_are_refused() -> None:
    inputs = keras.Input((3,), sparse=True, name="row")
    with pytest.raises(SourceError, match=r"is sparse.*dense"):
        open_source(keras.Model(inputs, layers.Dense(2)(inputs)))


def test_objects_of_other_kinds_are_refused() -> None:
    with pytest.raises(SourceError, match="cannot be converted from memory"):
        open_source(object())


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
