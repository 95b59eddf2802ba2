"""A source's SavedModel, made, written, loaded and asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.steps.to_savedmodel import to_savedmodel
from edgeship_runtime.arrays import Array


def savedmodel(source: Any) -> Artifact:
    """The source as a SavedModel."""
    return to_savedmodel(source, Task("model", source.contract))


def served(source: Any, rows: Mapping[str, Array], folder: Path) -> dict[str, Array]:
    """What the source's SavedModel gives for `rows`, when a fresh load of it is asked by name."""
    savedmodel(source).write_to(folder)
    loaded = tf.saved_model.load(str(folder / "1"))
    outputs = loaded.signatures["serving_default"](
        **{name: tf.constant(array) for name, array in rows.items()}
    )
    return {name: _text(tensor.numpy()) for name, tensor in outputs.items()}


def assert_served(source: Any, rows: Mapping[str, Array], folder: Path) -> dict[str, Array]:
    """Check that the SavedModel agrees with the source, dtypes included; gives its answers."""
    expected = source.predict(rows)
    got = served(source, rows, folder)
    assert {spec.name for spec in source.contract.outputs} == set(got)
    for name, array in expected.items():
        if array.dtype.kind == "U":
            np.testing.assert_array_equal(got[name], array)
        else:
            assert got[name].dtype == array.dtype
            np.testing.assert_allclose(got[name], array, rtol=1e-5, atol=1e-6)
    return got


def _text(array: Array) -> Array:
    return np.char.decode(array.astype(np.bytes_), "utf-8") if array.dtype.kind == "O" else array
