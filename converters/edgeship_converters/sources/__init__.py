"""Source models, and the one table that says which file is which kind."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edgeship_converters.errors import SourceError
from edgeship_converters.sources.boosters import LIBRARIES, as_estimator, is_booster
from edgeship_converters.sources.fingerprint import of_file, of_folder
from edgeship_converters.sources.sklearn_inputs import Asked, Form
from edgeship_converters.sources.source import Kind, Source, TensorFlowSource
from edgeship_runtime.bundle.manifest import DType

SUFFIXES: dict[str, Kind] = {
    ".keras": "keras",
    ".h5": "keras",
    ".hdf5": "keras",
    ".skops": "sklearn",
    ".joblib": "sklearn",
    ".pkl": "sklearn",
    **dict.fromkeys(LIBRARIES, "sklearn"),
    ".onnx": "onnx",
}
_HDF5 = (".h5", ".hdf5")


def open_source(
    given: Any,
    *,
    allow_pickle: bool = False,
    custom_objects: Sequence[str] | Mapping[str, Any] = (),
    signature: str | None = None,
    trust: Sequence[str] = (),
    converters: Sequence[str] | Mapping[Any, Any] = (),
    inputs: Form = "auto",
    schema: Mapping[str, DType] | None = None,
) -> Source:
    """Load a source model, or take one that is in memory.

    Args:
        given: a `.keras`, `.h5`, `.hdf5` or `.skops` file; `.joblib` and `.pkl` only with
            `allow_pickle`; LightGBM's `.txt`, XGBoost's `.json` and `.ubj`; `.onnx`; a SavedModel
            folder, or a folder with such by version numbers; a Keras, tf-keras or scikit-learn
            model, a booster, or an `onnx.ModelProto`.
        allow_pickle: whether a file may be opened that can run any code on opening.
        custom_objects: the user's own layers and functions that a Keras file refers to, each as
            `module:attr`; importing the module runs its code. Or the objects, by name.
        signature: which one of a SavedModel; without it `serving_default`, or the only one.
        trust: the types in a `.skops` file that skops does not know and the user vouches for.
        converters: of the user's own, each as `package.Class=module:function`; or the functions,
            by class or by its name.
        inputs: of a scikit-learn model: one `matrix`, an input for each of the `columns`, or
            `auto`: a matrix unless there is text among them.
        schema: what its columns hold, by name, as far as a sample of rows tells.

    Raises:
        SourceError: where there is none, or it cannot be opened.
    """
    asked = Asked(inputs, schema or {})
    if not isinstance(given, str | os.PathLike):
        return _in_memory(given, converters, asked)
    where = Path(given)
    if not where.exists():
        raise SourceError(f"there is no model at {where}")
    if where.is_dir():
        from edgeship_converters.sources.saved_model import find_saved_model, load_saved_model

        return load_saved_model(where, of_folder(find_saved_model(where)), signature)
    if signature is not None:
        raise SourceError(
            f"a signature is of a SavedModel folder, which {where} is not: leave --signature away"
        )
    suffix = where.suffix.lower()
    match SUFFIXES.get(suffix):
        case "sklearn":
            from edgeship_converters.sources.own_converters import import_converters
            from edgeship_converters.sources.sklearn_model import Allowed, load_sklearn

            allowed = Allowed(allow_pickle, tuple(trust), import_converters(converters), asked)
            return load_sklearn(where, of_file(where), allowed)
        case "onnx":
            from edgeship_converters.sources.onnx_file import load_onnx

            return load_onnx(where)
        case "keras":
            # Said before seconds are spent on importing TensorFlow.
            if suffix not in _HDF5 and not zipfile.is_zipfile(where):
                raise SourceError(
                    f"{where} is not a Keras model that can be loaded: it is no zip file; expected "
                    "what model.save('model.keras') writes"
                )
            from edgeship_converters.sources.custom_objects import import_custom_objects

            objects = import_custom_objects(custom_objects)
            if suffix in _HDF5:
                from edgeship_converters.sources.h5_file import load_h5

                return load_h5(where, of_file(where), objects)
            from edgeship_converters.sources.keras_file import load_keras

            return load_keras(where, of_file(where), objects)
    raise SourceError(
        f"{where} is no model file that edgeship knows: expected one of {', '.join(SUFFIXES)}, "
        "or a SavedModel folder"
    )


def default_name(given: Any) -> str:
    """A name for a model that was given none, fit for a bundle: that of its file, or its own.

    >>> default_name("models/flowers v2.keras"), default_name("serving/flowers/3/")
    ('flowers-v2', 'flowers')
    """
    if isinstance(given, str | os.PathLike):
        path = Path(given)
        stem = path.parent.name if path.name.isdecimal() else path.stem
    else:
        stem = str(getattr(given, "name", ""))
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:64] or "model"


def _in_memory(model: Any, converters: Sequence[str] | Mapping[Any, Any], asked: Asked) -> Source:
    # A model's framework is imported already; asking its classes imports no other.
    kinds = {(kind.__module__.split(".")[0], kind.__name__) for kind in type(model).__mro__}
    if ("keras", "Model") in kinds:
        from edgeship_converters.sources.keras_file import in_memory

        return in_memory(model)
    if ("tf_keras", "Model") in kinds:
        from edgeship_converters.sources.legacy_keras import in_memory as legacy_in_memory

        return legacy_in_memory(model)
    if ("onnx", "ModelProto") in kinds:
        from edgeship_converters.sources.onnx_file import in_memory as onnx_in_memory

        return onnx_in_memory(model)
    booster = is_booster(model)
    if booster or (hasattr(model, "fit") and hasattr(model, "get_params")):
        from edgeship_converters.sources.own_converters import import_converters
        from edgeship_converters.sources.sklearn_model import in_memory as sklearn_in_memory

        estimator = as_estimator(model) if booster else model
        return sklearn_in_memory(estimator, import_converters(converters), asked)
    raise SourceError(
        f"a {type(model).__name__} cannot be converted from memory: expected a Keras, "
        "scikit-learn or ONNX model, or the path of a model file"
    )


__all__ = ["SUFFIXES", "Kind", "Source", "TensorFlowSource", "default_name", "open_source"]
