"""Keras models from `.keras` files, and from memory."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras

from edgeship_converters.errors import SourceError, in_a_line
from edgeship_converters.sources.fingerprint import of_model
from edgeship_converters.sources.keras_model import KerasSource
from edgeship_converters.sources.meaning import loss_of
from edgeship_converters.sources.model_config import (
    check_configuration,
    missing_message,
    missing_object,
)


def load_keras(
    path: Path, sha256: str, custom_objects: Mapping[str, Any] | None = None
) -> KerasSource:
    """Load a `.keras` file; Keras's safe mode stays on, so no code in it runs.

    Raises:
        SourceError: where it cannot be loaded, needs custom objects that were not given, or its
            inputs have no known shape.
    """
    check_backend()
    custom = dict(custom_objects or {})
    config = _configuration(path)
    # The optimizer and the metrics do not matter here, and may be the user's own.
    compiled = config.pop("compile_config", None) if isinstance(config, dict) else None
    check_configuration(config, path, is_registered, custom)
    try:
        model = keras.saving.load_model(path, custom_objects=custom, compile=False)
    except Exception as error:
        version = _keras_version(path)
        if version.startswith("2.") and missing_object(error) is None:
            # tf-keras is not asked: its safe mode lets a .keras file call what functions it names.
            raise SourceError(
                f"{path} was saved by Keras {version}, and Keras {keras.__version__} cannot load "
                "it: open it with that Keras and save it as .h5 or as a SavedModel folder, which "
                "edgeship takes"
            ) from error
        raise SourceError(loading_failed(path, error)) from error
    if not isinstance(model, keras.Model):
        raise SourceError(f"{path} holds a {type(model).__name__}, expected a keras.Model")
    loss = compiled.get("loss") if isinstance(compiled, dict) else None
    return KerasSource(model, sha256, loss_of(loss))


def in_memory(model: keras.Model) -> KerasSource:
    """A model that is in memory; it is used as it is, and left as it was.

    Raises:
        SourceError: where its inputs have no known shape.
    """
    check_backend()
    return KerasSource(model, model_sha256(model))


def model_sha256(model: Any) -> str:
    """The SHA-256 of a Keras or tf-keras model: its JSON, its vocabularies and its weights."""
    try:
        configuration = str(model.to_json())
    except Exception:
        # A subclassed model need not have a configuration; its weights still tell it apart.
        configuration = type(model).__name__
    tables = [
        str(layer.get_vocabulary())
        for layer in model._flatten_layers()
        if hasattr(layer, "get_vocabulary")
    ]
    return of_model("\n".join([configuration, *tables]), model.get_weights())


def check_backend() -> None:
    """Keras must run on TensorFlow, which every variant is made with.

    Raises:
        SourceError: where it runs on another.
    """
    if keras.backend.backend() != "tensorflow":
        raise SourceError(
            f"Keras runs on {keras.backend.backend()}, edgeship needs tensorflow: "
            "set KERAS_BACKEND=tensorflow"
        )


def is_registered(name: str) -> bool:
    """Whether a class or function was registered with Keras in this process."""
    return keras.saving.get_registered_object(name) is not None


def loading_failed(path: Path, error: Exception) -> str:
    """Why Keras could not load a file, in one line; a file may make it raise anything."""
    missing = missing_object(error)
    if missing is not None:
        return missing_message(path, missing)
    # Before this Keras repeats the layer's whole configuration.
    reason = in_a_line(error, most=100_000).rsplit("Exception encountered:", maxsplit=1)[-1].strip()
    return f"{path} is not a Keras model that can be loaded: {reason[:200]}"


def _keras_version(path: Path) -> str:
    """What `metadata.json` says; empty where it says nothing."""
    try:
        with zipfile.ZipFile(path) as archive:
            metadata = json.loads(archive.read("metadata.json"))
    except (OSError, KeyError, ValueError, RecursionError, zipfile.BadZipFile):
        return ""
    return str(metadata.get("keras_version", "")) if isinstance(metadata, dict) else ""


def _configuration(path: Path) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read("config.json"))
    except (OSError, KeyError, ValueError, RecursionError, zipfile.BadZipFile) as error:
        line = in_a_line(error)
        raise SourceError(
            f"{path} is not a Keras model that can be loaded: {line}; expected what "
            "model.save('model.keras') writes"
        ) from error
