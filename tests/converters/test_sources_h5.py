"""`.h5` files: Keras 3 loads them, else tf-keras does, and no code in them runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from edgeship_converters.errors import SourceError
from edgeship_converters.sources import open_source
from tests.converters.served import assert_served

# tf-keras says that .h5 is an old format, each time.
pytestmark = pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(7, 3)).astype(np.float32)


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


def test_keras_3_loads_what_it_can(dense: Path, tmp_path: Path) -> None:
    source: Any = open_source(dense)
    assert source.tools == ("keras", "tensorflow")
    assert source.contract.task == "regression"
    assert_served(source, {"x": ROWS}, tmp_path / "out")


@pytest.mark.parametrize("version", ["2.4.0", "3.12.0"])
def test_a_lambda_in_an_h5_file_never_runs(version: str, tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((3,)), layers.Lambda(lambda x: x * 2, name="double")])
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        file.attrs["keras_version"] = version
    with pytest.raises(SourceError, match=r"'double' is a Lambda.*not run.*Layer subclass"):
        open_source(tmp_path / "m.h5")


def test_a_lambda_inside_a_wrapper_is_found(dense: Path) -> None:
    def hide(config: dict[str, Any]) -> None:
        code = {"function": ["4wEAAAA", None, None], "function_type": "lambda", "name": "hidden"}
        inner = {"class_name": "Lambda", "config": code}
        config["config"]["layers"].append(
            {"class_name": "TimeDistributed", "config": {"name": "outer", "layer": inner}}
        )

    with pytest.raises(SourceError, match="'hidden' is a Lambda"):
        open_source(edited(dense, hide))


@pytest.mark.parametrize("function", ["io.write_file", "raw_ops.ReadFile", "py_function", "print"])
def test_tensorflow_functions_that_do_more_than_compute_are_refused(
    function: str, dense: Path
) -> None:
    def call(config: dict[str, Any]) -> None:
        config["config"]["layers"].append(
            {"class_name": "TFOpLambda", "config": {"name": "tf.op", "function": function}}
        )

    with pytest.raises(SourceError, match=rf"{function}.*more than compute"):
        open_source(edited(dense, call))


def test_a_file_cannot_import_a_module(dense: Path, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "module_of_a_stranger.py").write_text("raise SystemExit('it ran')")
    monkeypatch.syspath_prepend(tmp_path)

    def point(config: dict[str, Any]) -> None:
        stranger = {"module": "module_of_a_stranger", "class_name": "Start", "config": {}}
        config["config"]["layers"][1]["config"]["kernel_initializer"] = stranger

    with pytest.raises(SourceError, match="'Start', which is not a part of Keras"):
        open_source(edited(dense, point))


def test_a_custom_object_that_was_not_given_is_named_with_the_flag(dense: Path) -> None:
    def rename(config: dict[str, Any]) -> None:
        config["config"]["layers"][1]["class_name"] = "Swirl"
        config["config"]["layers"][1].pop("module", None)

    with pytest.raises(SourceError, match=r"'Swirl'.*--custom-objects"):
        open_source(edited(dense, rename))


@pytest.mark.parametrize("name", ["only.weights.h5", "old_weights.h5"])
def test_files_with_weights_only_are_refused(name: str, tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    if name.endswith(".weights.h5"):
        model.save_weights(tmp_path / name)
    else:
        with h5py.File(tmp_path / name, "w") as file:
            file.attrs["layer_names"] = ["dense"]
    with pytest.raises(SourceError, match=r"weights and no model.*model.save"):
        open_source(tmp_path / name)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89HDF\r\n\x1a\n" + bytes(64)])
def test_damaged_files_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.h5").write_bytes(content)
    with pytest.raises(SourceError, match="not an HDF5 file"):
        open_source(tmp_path / "m.h5")


def test_an_hdf5_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.hdf5", "w") as file:
        file["measurements"] = np.arange(3)
    with pytest.raises(SourceError, match="holds no Keras model"):
        open_source(tmp_path / "m.hdf5")
