"""No function that a `.keras` file names is called while it is opened, and no file is read."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import keras
import pytest
from keras import layers

from edgeship_converters.errors import SourceError
from edgeship_converters.sources import open_source


def _file(path: Path, keras_version: str, function: tuple[str, str], argument: str) -> Path:
    """A model of one Lambda that calls a function on a constant while its graph is rebuilt."""
    module, name = function
    shape = "batch_input_shape" if keras_version.startswith("2") else "batch_shape"
    given: dict[str, Any] = {
        "module": "keras.layers", "class_name": "InputLayer", "registered_name": None,
        "name": "x", "inbound_nodes": [],
        "config": {shape: [None, 4], "dtype": "float32", "name": "x"},
    }  # fmt: skip
    calling: dict[str, Any] = {
        "module": "keras.layers", "class_name": "Lambda", "registered_name": None,
        "name": "calls", "inbound_nodes": [[["_CONSTANT_VALUE", -1, argument, {}]]],
        "config": {
            "name": "calls",
            "function": {
                "module": module, "class_name": "function", "config": name,
                "registered_name": name,
            },
            "function_type": "function", "output_shape_type": "function", "arguments": {},
        },
    }  # fmt: skip
    ends = [["x", 0, 0]]
    graph = {"name": "m", "layers": [given, calling], "input_layers": ends, "output_layers": ends}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "config.json",
            json.dumps(
                {"module": "keras", "class_name": "Model", "registered_name": None, "config": graph}
            ),
        )
        archive.writestr("metadata.json", json.dumps({"keras_version": keras_version}))
        archive.writestr("model.weights.h5", b"")
    return path


@pytest.mark.parametrize("keras_version", ["2.15.0", "3.15.1"])
@pytest.mark.parametrize("function", [("builtins", "exec"), ("os", "system")])
def test_a_lambda_that_names_a_function_is_refused_and_not_run(
    tmp_path: Path, keras_version: str, function: tuple[str, str]
) -> None:
    marker = tmp_path / "marker"
    argument = f"open({str(marker)!r}, 'w')" if function[1] == "exec" else f"touch {marker}"
    path = _file(tmp_path / "m.keras", keras_version, function, argument)
    with pytest.raises(SourceError):
        open_source(path)
    assert not marker.exists()


def test_a_vocabulary_in_another_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("one\ntwo\n")
    vocabulary = str(tmp_path / "secret.txt")
    lookup = layers.StringLookup(vocabulary=["one", "two"], name="lookup")
    model = keras.Sequential([keras.Input((1,), dtype="string"), lookup])
    model.save(tmp_path / "m.keras")
    edited = tmp_path / "edited.keras"
    with zipfile.ZipFile(tmp_path / "m.keras") as old, zipfile.ZipFile(edited, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                config = json.loads(data)
                (inner,) = (
                    layer["config"]
                    for layer in config["config"]["layers"]
                    if layer["class_name"] == "StringLookup"
                )
                inner["vocabulary"] = vocabulary
                data = json.dumps(config).encode()
            new.writestr(name, data)
    with pytest.raises(SourceError, match="layer 'lookup' reads its vocabulary from another file"):
        open_source(edited)
