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

from edgeship_converters.errors import SourceError
from edgeship_converters.sources import default_name, open_source
from tests.converters.served import assert_served

ROWS = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)


def contract(source: Any) -> tuple[list[str], list[str]]:
    return [s.name for s in source.contract.inputs], [s.name for s in source.contract.outputs]


def test_a_model_in_memory_is_taken_by_its_own_name(tmp_path: Path) -> None:
    inputs = keras.Input((3,), name="image")
    model = keras.Model(inputs, layers.Dense(2)(inputs), name="flowers>v2")
    source = open_source(model)
    assert source.kind == "keras"
    assert default_name(model) == "flowers-v2"
    assert_served(source, {"image": ROWS}, tmp_path)


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


def test_a_nested_model_s_last_activation_is_seen(tmp_path: Path) -> None:
    head = keras.Sequential([layers.Dense(3, activation="softmax")], name="head")
    source = open_source(keras.Sequential([keras.Input((3,)), layers.Dense(4), head]))
    assert source.contract.outputs[0].role == "probabilities"
    assert_served(source, {"x": ROWS}, tmp_path)


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


def test_a_file_that_is_no_archive_is_refused_before_anything_is_imported(tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_text("hello")
    script = (
        "import sys\n"
        "from edgeship_converters.sources import open_source\n"
        "try:\n"
        "    open_source('m.keras')\n"
        "except Exception as error:\n"
        "    print(error, 'tensorflow' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.stdout == (
        "m.keras is not a Keras model that can be loaded: it is no zip file; expected what "
        "model.save('model.keras') writes False\n"
    )
