"""Models of Keras 2, by tf-keras: they keep what they computed then."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from edgeship_converters import convert
from edgeship_converters.errors import SourceError
from edgeship_converters.sources import open_source
from edgeship_runtime.model import load
from tests.converters.served import assert_served, savedmodel

HAS_TF_KERAS = importlib.util.find_spec("tf_keras") is not None
needs_tf_keras = pytest.mark.skipif(not HAS_TF_KERAS, reason="tf-keras is not installed")


# tf-keras says that .h5 is an old format, each time.
pytestmark = pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(7, 3)).astype(np.float32)
IMAGES = RANDOM.normal(size=(5, 8, 8, 3)).astype(np.float32)


def mobile(k: Any) -> Any:
    """The block that most public image models are made of."""
    model = k.Sequential(
        [
            k.layers.Input((8, 8, 3)),
            k.layers.DepthwiseConv2D(3, name="depthwise"),
            k.layers.BatchNormalization(),
            k.layers.ReLU(6.0),
            k.layers.GlobalAveragePooling2D(),
            k.layers.Dense(3),
        ]
    )
    model.compile(
        k.optimizers.legacy.Adam(learning_rate=0.1),
        k.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


def edited(path: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
    """The file with its configuration changed."""
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        edit(config)
        file.attrs["model_config"] = json.dumps(config)
    return path


@pytest.fixture
def dense(tmp_path: Path) -> Path:
    """An .h5 file that Keras 3 wrote."""
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4), layers.Dense(2)])
    model.compile("adam", "mse")
    model.save(tmp_path / "dense.h5")
    return tmp_path / "dense.h5"


@needs_tf_keras
def test_a_keras_file_of_keras_2_is_refused_with_the_remedy(tmp_path: Path) -> None:
    import tf_keras

    mobile(tf_keras).save(tmp_path / "old.keras")
    with pytest.raises(SourceError, match=r"saved by Keras 2\.\d+.*save it as \.h5"):
        open_source(tmp_path / "old.keras")


@needs_tf_keras
def test_tf_keras_loads_what_keras_3_does_not(tmp_path: Path) -> None:
    import tf_keras

    model = mobile(tf_keras)
    model.save(tmp_path / "mobile.h5")
    with pytest.raises(TypeError, match="groups"):
        keras.saving.load_model(tmp_path / "mobile.h5")
    source: Any = open_source(tmp_path / "mobile.h5")
    assert source.tools == ("tf-keras", "tensorflow")
    assert [spec.name for spec in source.contract.inputs] == ["x"]
    assert source.contract.outputs[0].role == "logits"
    got = assert_served(source, {"x": IMAGES}, tmp_path / "out")["logits"]
    np.testing.assert_allclose(got, model.predict(IMAGES, verbose=0), rtol=1e-5, atol=1e-6)


@needs_tf_keras
def test_a_tf_keras_model_in_memory_is_taken(tmp_path: Path) -> None:
    import tf_keras

    source = open_source(mobile(tf_keras))
    assert source.sha256 == open_source(source.model).sha256  # type: ignore[attr-defined]
    assert_served(source, {"x": IMAGES}, tmp_path)


@needs_tf_keras
def test_an_old_hard_sigmoid_keeps_its_old_slope(tmp_path: Path) -> None:
    import tf_keras

    model = tf_keras.Sequential(
        [tf_keras.layers.Input((3,)), tf_keras.layers.Dense(4, activation="hard_sigmoid")]
    )
    model.save(tmp_path / "m.h5")
    by_keras_3 = keras.saving.load_model(tmp_path / "m.h5").predict(ROWS, verbose=0)
    expected = model.predict(ROWS, verbose=0)
    assert np.abs(by_keras_3 - expected).max() > 0.01
    got = open_source(tmp_path / "m.h5").predict({"x": ROWS})["output"]
    np.testing.assert_allclose(got, expected, rtol=1e-6)


@needs_tf_keras
def test_several_inputs_and_tensorflow_functions_are_kept_by_name(tmp_path: Path) -> None:
    import tensorflow as tf
    import tf_keras

    zeta = tf_keras.Input((3,), name="zeta")
    alpha = tf_keras.Input((3,), name="alpha")
    mixed = tf.nn.relu(tf_keras.layers.Dense(4)(zeta)) + alpha[:, :1] * 2.0
    heads = {"second": tf_keras.layers.Dense(2)(mixed), "first": tf_keras.layers.Dense(5)(mixed)}
    model = tf_keras.Model({"zeta": zeta, "alpha": alpha}, heads)
    model.save(tmp_path / "m.h5")
    source = open_source(tmp_path / "m.h5")
    rows = {"zeta": ROWS, "alpha": -ROWS}
    got = assert_served(source, rows, tmp_path / "out")
    for name, array in model.predict(rows, verbose=0).items():
        np.testing.assert_allclose(got[name], array, rtol=1e-5, atol=1e-6)


@needs_tf_keras
def test_a_mixed_precision_file_is_taken_in_the_variables_precision(tmp_path: Path) -> None:
    import tf_keras

    policy = tf_keras.mixed_precision.Policy("mixed_float16")
    body = [
        tf_keras.layers.Dense(4, dtype=policy),
        tf_keras.layers.BatchNormalization(dtype=policy),
    ]
    model = tf_keras.Sequential([tf_keras.layers.Input((3,)), *body])
    source = open_source(model)
    assert source.contract.outputs[0].dtype == "float32"
    assert_served(source, {"x": ROWS}, tmp_path)
    assert model.layers[0].dtype_policy.name == "mixed_float16"


@needs_tf_keras
def test_a_legacy_model_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    import tf_keras

    path = tmp_path / "m.h5"
    tf_keras.Sequential(
        [
            tf_keras.layers.Input((5, 3)),
            tf_keras.layers.LSTM(4, return_sequences=True),
            tf_keras.layers.DepthwiseConv1D(2),
            tf_keras.layers.LSTM(2),
        ]
    ).save(path)
    script = (
        "import sys; from pathlib import Path; from edgeship_converters.sources import open_source;"
        "from tests.converters.served import savedmodel;"
        "savedmodel(open_source(sys.argv[1])).write_to(Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", script, str(path), str(tmp_path / "out")]
    subprocess.run(command, check=True)
    here = savedmodel(open_source(path)).files
    there = {name: (tmp_path / "out" / name).read_bytes() for name in here}
    assert there == here


@needs_tf_keras
@pytest.mark.parametrize("steps", [5, 40])
def test_recurrent_layers_reach_every_float_format(steps: int, tmp_path: Path) -> None:
    import tf_keras

    model = tf_keras.Sequential(
        [
            tf_keras.layers.Input((steps, 3), name="steps"),
            tf_keras.layers.Bidirectional(tf_keras.layers.LSTM(4, return_sequences=True)),
            tf_keras.layers.GRU(3),
        ]
    )
    model.save(tmp_path / "m.h5")
    wanted = ("savedmodel-float32", "tflite-float32", "onnx-float32")
    bundle = convert(tmp_path / "m.h5", tmp_path / "b", variants=wanted)
    rows = RANDOM.normal(size=(7, steps, 3)).astype(np.float32)
    expected = model.predict(rows, verbose=0)
    for variant in wanted:
        (got,) = load(bundle, variant).predict({"steps": rows}).values()
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


def test_without_tf_keras_the_error_says_what_to_install(
    dense: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_keras_2(config: dict[str, Any]) -> None:
        for layer in config["config"]["layers"]:
            layer["config"]["groups_of_old"] = 1

    edited(dense, as_keras_2)
    with h5py.File(dense, "r+") as file:
        file.attrs["keras_version"] = "2.4.0"
    monkeypatch.setitem(sys.modules, "tf_keras", None)
    monkeypatch.delitem(sys.modules, "edgeship_converters.sources.legacy_keras", raising=False)
    with pytest.raises(SourceError, match=r"Keras 2.4.0.*pip install 'edgeship\[legacy-keras\]'"):
        open_source(dense)
