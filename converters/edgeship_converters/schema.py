"""What the columns of a sample hold, where its form tells: data frames and Parquet files."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from edgeship_converters.errors import in_a_line
from edgeship_runtime.bundle.manifest import DType
from edgeship_runtime.errors import DataError
from edgeship_runtime.tables import is_missing

Schema = dict[str, DType]


def schema_of(data: Any) -> Schema:
    """The dtype of each column by name: float32, int64, bool or string; empty for other forms.

    A column of whole numbers or truths with missing ones among them is one of floats.

    Raises:
        DataError: for a Parquet file that cannot be read.
    """
    if isinstance(data, str | os.PathLike):
        path = Path(data)
        if path.suffix.lower() != ".parquet" or not path.is_file() or not find_spec("pyarrow"):
            return {}
        return _of_parquet(path)
    if isinstance(data, np.ndarray) or not (
        hasattr(data, "columns") and hasattr(data, "__getitem__")
    ):
        return {}
    return {str(name): _dtype(np.asarray(data[name])) for name in data.columns}


def _of_parquet(path: Path) -> Schema:
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except Exception as error:
        raise DataError(f"{path} cannot be read as .parquet: {in_a_line(error)}") from error
    return {name: _dtype(table.column(name).to_numpy()) for name in table.column_names}


def _dtype(values: np.ndarray[Any, Any]) -> DType:
    match values.dtype.kind:
        case "i" | "u":
            return "int64"
        case "b":
            return "bool"
        case "f":
            return "float32"
    present = [value for value in values.tolist() if not is_missing(value)]
    if present and not any(isinstance(value, str) for value in present):
        # Numbers with missing ones among them, as objects.
        return "float32"
    return "string"
