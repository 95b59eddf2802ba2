"""Rows from files: `.npz`, `.npy`, `.csv`, `.json`, `.jsonl` and, with pyarrow, `.parquet`."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import msgspec
import numpy as np

from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle.manifest import InputSpec
from edgeship_runtime.cells import Column, column_of, label_values, numbers_of
from edgeship_runtime.errors import DataError
from edgeship_runtime.inputs import ANY_NAME
from edgeship_runtime.tables import (
    aligned,
    as_column,
    by_column,
    columns_of,
    columns_wanted,
    listed,
    shaped,
)

LABELS = "y"
SUFFIXES = (".npz", ".npy", ".csv", ".json", ".jsonl", ".parquet")


@dataclass(frozen=True, slots=True)
class DataSet:
    """Rows for a model, not yet checked against its contract, and their labels if there are any.

    `columns` are the names of the columns that a single input was made of, in its order; empty
    for arrays, which have no such names.
    """

    inputs: dict[str, Array]
    labels: Array | None = None
    columns: tuple[str, ...] = ()


def read(
    path: str | os.PathLike[str],
    specs: Sequence[InputSpec],
    label_column: str | None = None,
    *,
    labels_required: bool = False,
) -> DataSet:
    """Read the rows that a model's inputs are made of.

    Args:
        path: an `.npz` with arrays named like the inputs, or `x` for the only one, and labels in
            `y`; an `.npy` with the only input; a table whose columns are the inputs, or the only
            input's features, taken by name where the model knows its feature names: a `.csv` or
            `.parquet`, a `.json` with a list of records, or a `.jsonl` with one in each line.
        specs: the model's inputs.
        label_column: which column, or array of an `.npz`, holds the labels.
        labels_required: whether it is an error when that column is not there.

    Raises:
        DataError: for a file that is missing, of another kind, damaged, or lacks what is needed.
    """
    where = Path(path)
    if not where.is_file():
        raise DataError(f"there is no data file at {where}")
    suffix = where.suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError(f"{where} is no data file: expected one of {', '.join(SUFFIXES)}")
    try:
        match suffix:
            case ".npz":
                return _from_npz(where, specs, label_column, labels_required)
            case ".npy":
                return _from_npy(where, specs, label_column if labels_required else None)
            case ".csv":
                table = _csv_columns(where)
            case ".json" | ".jsonl":
                table = _json_columns(where)
            case _:
                table = _parquet_columns(where)
    except DataError:
        raise
    except Exception as error:
        # The readers of numpy, zipfile and pyarrow raise what a damaged file leads them to.
        line = " ".join(str(error).split())[:200]
        if "allow_pickle" in line:
            # numpy takes whatever it does not know for a pickle.
            writer = "savez" if suffix == ".npz" else "save"
            line = f"it holds no plain arrays, expected what numpy.{writer} writes"
        raise DataError(f"{where} cannot be read as {suffix}: {line}") from error
    return from_table(where, table, specs, label_column, labels_required=labels_required)


def _from_npz(
    path: Path, specs: Sequence[InputSpec], label_column: str | None, labels_required: bool
) -> DataSet:
    loaded = np.load(path, allow_pickle=False)
    if isinstance(loaded, np.ndarray):
        raise DataError(f"{path} holds a single array: name it .npy")
    with loaded as archive:
        arrays = {name: np.asarray(archive[name]) for name in archive.files}
    have = ", ".join(repr(name) for name in arrays) or "no arrays"
    names = [spec.name for spec in specs]
    labels_name = label_column or LABELS
    labels = None if labels_name in names else arrays.pop(labels_name, None)
    if labels is None and labels_required:
        raise DataError(f"{path} has no array {labels_name!r} for the labels: it holds {have}")
    if len(specs) == 1 and names[0] not in arrays and ANY_NAME in arrays:
        arrays[names[0]] = arrays.pop(ANY_NAME)
    for name in names:
        if name not in arrays:
            either = f" or {ANY_NAME!r}" if len(specs) == 1 and name != ANY_NAME else ""
            raise DataError(f"{path} has no array {name!r}{either}: it holds {have}")
    return DataSet({name: arrays[name] for name in names}, _column(labels))


def _from_npy(path: Path, specs: Sequence[InputSpec], label_column: str | None) -> DataSet:
    if len(specs) != 1:
        raise DataError(f"{path} holds one array, the model takes {len(specs)} inputs: use .npz")
    if label_column is not None:
        raise DataError(f"{path} cannot hold the column {label_column!r}: use .npz or .csv")
    array = np.load(path, allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise DataError(f"{path} holds several arrays: name it .npz")
    return DataSet({specs[0].name: array})


def _csv_columns(path: Path) -> dict[str, Column]:
    with path.open(newline="", encoding="utf-8-sig") as stream:
        lines = csv.reader(stream, strict=True)
        header = [name.strip() for name in next(lines, [])]
        if "" in header:
            raise DataError(
                f"{path} must begin with a header of column names, and column "
                f"{header.index('') + 1} has none: name it, or write a data frame's CSV with "
                "index=False"
            )
        if not header or len(set(header)) != len(header):
            twice = listed([name for name in dict.fromkeys(header) if header.count(name) > 1])
            raise DataError(
                f"{path} must begin with a header of distinct column names, got "
                + (f"{twice} more than once" if header else "nothing")
            )
        rows = []
        for row in lines:
            if not row:
                continue
            if len(row) != len(header):
                raise DataError(
                    f"{path} line {lines.line_num} has {len(row)} cells, "
                    f"the header has {len(header)}: mend that line"
                )
            rows.append(row)
    return {name: [row[index].strip() for row in rows] for index, name in enumerate(header)}


def _json_columns(path: Path) -> dict[str, Column]:
    data = path.read_bytes()
    decoder = msgspec.json.Decoder(dict[str, bool | int | float | str | None])
    if path.suffix.lower() == ".jsonl":
        records = [decoder.decode(line) for line in data.splitlines() if line.strip()]
    else:
        records = msgspec.json.decode(data, type=list[dict[str, bool | int | float | str | None]])
    return columns_of(records) or {}


def _parquet_columns(path: Path) -> dict[str, Column]:
    if find_spec("pyarrow") is None:
        raise DataError(f"{path} needs pyarrow, which is not installed: pip install pyarrow")
    from pyarrow import parquet

    table = parquet.read_table(path)
    columns: dict[str, Column] = {}
    for name in table.column_names:
        array = table.column(name).to_numpy()
        text = array.dtype.kind == "O"
        columns[name] = ["" if c is None else str(c) for c in array] if text else array
    return columns


def from_table(
    path: Path | str,
    table: Mapping[str, Column],
    specs: Sequence[InputSpec],
    label_column: str | None = None,
    *,
    labels_required: bool = False,
) -> DataSet:
    """The rows of a table by column name; see `read`, whose `path` is only told of here.

    Raises:
        DataError: where a column is missing, or holds what the model does not take.
    """
    columns = aligned(columns_wanted(specs), table)
    labels = None
    if label_column is not None:
        labels = columns.pop(label_column, None)
        if labels is None and labels_required:
            raise DataError(
                f"{path} has no column {label_column!r} for the labels: "
                f"its columns are {listed(list(columns))}"
            )
    values = label_values(labels)
    if by_column(specs) and (len(specs) > 1 or specs[0].name in columns):
        _check_there(path, [spec.name for spec in specs], list(columns))
        read = {spec.name: column_of(path, spec, columns) for spec in specs}
        return DataSet({spec.name: as_column(spec, read[spec.name]) for spec in specs}, values)
    if len(specs) != 1:
        raise DataError(f"{path} is one table, the model takes {len(specs)} inputs: use .npz")
    spec = specs[0]
    chosen = _chosen_columns(path, list(columns), spec)
    matrix = _matrix(path, {name: columns[name] for name in chosen}, spec)
    return DataSet({spec.name: matrix}, values, chosen)


def _chosen_columns(path: Path | str, have: list[str], spec: InputSpec) -> tuple[str, ...]:
    if spec.feature_names:
        _check_there(path, spec.feature_names, have)
        return spec.feature_names
    sizes = [size for size in spec.shape[1:] if size is not None]
    if len(sizes) == len(spec.shape) - 1 and len(have) != int(np.prod(sizes)):
        want = int(np.prod(sizes))
        remedy = "name the one that holds the labels with --label-column"
        if len(have) != want + 1:
            remedy = "give one column for each feature"
        raise DataError(f"{path} has {len(have)} columns, the model takes {want}: {remedy}")
    return tuple(have)


def _check_there(path: Path | str, names: Sequence[str], have: Sequence[str]) -> None:
    missing = [name for name in names if name not in have]
    if missing:
        raise DataError(
            f"{path} lacks the model's columns {listed(missing)}: its columns are {listed(have)}; "
            "name them as the model does"
        )


def _matrix(path: Path | str, columns: dict[str, Column], spec: InputSpec) -> Array:
    numbers = [numbers_of(path, name, column) for name, column in columns.items()]
    rows = len(numbers[0]) if numbers else 0
    matrix: Array = np.stack(numbers, axis=1) if numbers else np.empty((rows, 0))
    whole = np.isfinite(matrix).all() and (matrix == np.floor(matrix)).all()
    if spec.dtype not in ("float16", "float32", "float64") and whole:
        matrix = matrix.astype(np.int64)
    return shaped(spec, matrix)


def _column(labels: Array | None) -> Array | None:
    if labels is not None and labels.ndim == 2 and labels.shape[1] == 1:
        return labels[:, 0]
    return labels
