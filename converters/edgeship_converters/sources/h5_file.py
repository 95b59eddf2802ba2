"""Keras models from `.h5` files, as Keras 1 and 2 wrote them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import h5py
import keras

from edgeship_converters.errors import SourceError, in_a_line
from edgeship_converters.sources.h5_contents import check_contents
from edgeship_converters.sources.keras_file import check_backend, is_registered, loading_failed
from edgeship_converters.sources.keras_model import KerasSource
from edgeship_converters.sources.meaning import Loss, loss_of
from edgeship_converters.sources.model_config import check_configuration, mentions, missing_object


@dataclass(frozen=True, slots=True)
class _Header:
    """What an `.h5` file says of its model: configuration, loss, and the Keras that wrote it."""

    config: Any
    loss: Loss
    keras_version: str


def load_h5(
    path: Path, sha256: str, custom_objects: Mapping[str, Any] | None = None
) -> KerasSource:
    """Load an `.h5` file by Keras 3, or where that does not understand it, by tf-keras.

    Its contents are looked at first, since `.h5` files can hold Python code in Lambda layers, and
    name other files.
    A file of Keras 1 or 2 with `hard_sigmoid` goes to tf-keras at once: the function is another in
    Keras 3 (slope 1/6, formerly 1/5), which would load it and give other numbers.

    Raises:
        SourceError: where it cannot be loaded, holds weights only, or tf-keras is needed and
            missing.
    """
    check_backend()
    custom = dict(custom_objects or {})
    header = _read_header(path)
    check_configuration(header.config, path, is_registered, custom)
    old = header.keras_version.split(".")[0] in ("", "1", "2")
    if old and mentions(header.config, "hard_sigmoid"):
        return _load_legacy(path, sha256, custom, header, "hard_sigmoid is another function there")
    try:
        model = keras.saving.load_model(path, custom_objects=custom, compile=False)
    except Exception as error:
        # Keras and the layers it rebuilds raise whatever they like; a file is not trusted.
        missing = missing_object(error)
        if not old:
            raise SourceError(loading_failed(path, error)) from error
        reason = loading_failed(path, error).rsplit("loaded: ", maxsplit=1)[-1]
        if missing is not None:
            reason = f"it has no {missing!r}; if that is your own, add --custom-objects"
        return _load_legacy(path, sha256, custom, header, reason)
    return KerasSource(model, sha256, header.loss)


def _load_legacy(
    path: Path, sha256: str, custom: Mapping[str, Any], header: _Header, reason: str
) -> KerasSource:
    try:
        from edgeship_converters.sources.legacy_keras import load_legacy
    except ModuleNotFoundError as error:
        if error.name != "tf_keras":
            raise
        raise SourceError(
            f"{path} was saved by Keras {header.keras_version or '1'} and Keras "
            f"{keras.__version__} cannot load it ({reason[:160]}): tf-keras can, after "
            "pip install 'edgeship[legacy-keras]'"
        ) from error
    return load_legacy(path, sha256, custom, header.loss)


def _read_header(path: Path) -> _Header:
    try:
        with h5py.File(path, "r") as file:
            check_contents(file, path)
            attributes = {key: _text(file.attrs.get(key)) for key in _ATTRIBUTES}
            weights_only = attributes["model_config"] is None and bool(
                {"layers", "layer_names", "_layer_checkpoint_dependencies"}
                & {*file.keys(), *file.attrs.keys()}
            )
        config = json.loads(attributes["model_config"] or "null")
        training = json.loads(attributes["training_config"] or "null")
    except (OSError, ValueError, RuntimeError, RecursionError, KeyError) as error:
        line = in_a_line(error)
        raise SourceError(f"{path} is not an HDF5 file that can be read: {line}") from error
    if weights_only:
        raise SourceError(
            f"{path} holds weights and no model: build the model in Python, load the weights into "
            "it, and save all of it with model.save('model.keras')"
        )
    if not isinstance(config, dict):
        raise SourceError(f"{path} holds no Keras model: expected what model.save writes")
    loss = training.get("loss") if isinstance(training, dict) else None
    return _Header(config, loss_of(loss), attributes["keras_version"] or "")


_ATTRIBUTES = ("model_config", "training_config", "keras_version")


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return bytes(value).decode("utf-8") if isinstance(value, bytes) else str(value)
