"""The same models by skl2onnx and onnxmltools, as their own guides show the calls."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType

from edgeship_runtime.arrays import Array
from edgeship_runtime.tables import is_missing


def plain_onnx(model: Any, rows: Array) -> bytes:
    """The model in ONNX, labels and scores as tensors.

    Args:
        model: fitted; of LightGBM and XGBoost through onnxmltools.
        rows: such as it was fitted on; a table of objects becomes an input for each column.

    Raises:
        Exception: whatever the converter raises where it cannot, ImportError among others.
    """
    library = type(model).__module__.partition(".")[0]
    if library in ("lightgbm", "xgboost"):
        return _by_onnxmltools(model, library, rows.shape[1])
    options: dict[Any, Any] = {id(model): {"zipmap": False}}
    if rows.dtype != object:
        made = to_onnx(model, rows[:1].astype(np.float32), options=options)
    else:
        inputs = [
            (f"x{place}", (StringTensorType if _is_text(column) else FloatTensorType)([None, 1]))
            for place, column in enumerate(rows.T)
        ]
        made = to_onnx(model, initial_types=inputs, options=options)
    return bytes(made.SerializeToString())


def feeds(session: onnxruntime.InferenceSession, rows: Array) -> dict[str, Array]:
    """All rows as a model of `plain_onnx` takes them."""
    if rows.dtype != object:
        return {session.get_inputs()[0].name: rows.astype(np.float32)}
    return {
        f"x{place}": _words(column) if _is_text(column) else column.astype(np.float32)[:, None]
        for place, column in enumerate(rows.T)
    }


def _by_onnxmltools(model: Any, library: str, width: int) -> bytes:
    import onnxmltools
    from onnxmltools.convert.common import data_types

    inputs = [("x", data_types.FloatTensorType([None, width]))]
    if library == "lightgbm":
        made = onnxmltools.convert_lightgbm(model, initial_types=inputs, zipmap=False)
    else:
        made = onnxmltools.convert_xgboost(model, initial_types=inputs)
    return bytes(made.SerializeToString())


def _words(column: Array) -> Array:
    """A column of text, the missing ones empty: no tensor holds text that is missing."""
    return np.array([["" if is_missing(value) else value] for value in column])


def _is_text(column: Array) -> bool:
    return any(isinstance(value, str) for value in column)
