"""Rows for calibrating, for judging, and for the baseline: read, checked and kept apart."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np

from edgeship_converters.drawn_rows import SYNTHETIC, Vocabulary, drawn
from edgeship_converters.parity import RowsFrom
from edgeship_converters.plan import Plan
from edgeship_converters.recipe import MOST_ROWS
from edgeship_runtime import datafiles
from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import Contract
from edgeship_runtime.errors import DataError
from edgeship_runtime.inputs import by_name, check_inputs
from edgeship_runtime.tables import MISSING_TEXT, columns_of

_SEED = 0
_HELD_OUT_SHARE = 0.2
_FEWEST = 10
_FEWEST_FOR_QUANTIZED = 20
_GONE = 0.3


# A file, arrays by input name, one array, a data frame, or records: dicts by column name.
Data: TypeAlias = "str | os.PathLike[str] | Mapping[str, Array] | Array | Sequence[Any] | Any"


@dataclass(frozen=True, slots=True)
class Rows:
    """What the user's data, or none, gives the conversion to work with.

    Attributes:
        contract: the source's, with the feature names that the data's header added.
        everything: all rows of --data, for the baseline; None without data.
        calibration: rows for choosing quantization ranges, in random order; None without data.
        calibration_truth: the labels of `calibration`.
        judged: rows for parity; held out, or from a file of their own, so none calibrates.
        truth: the labels of `judged`.
        rows_from: where `judged` comes from.
    """

    contract: Contract
    everything: dict[str, Array] | None
    calibration: dict[str, Array] | None
    calibration_truth: Array | None
    judged: dict[str, Array]
    truth: Array | None
    rows_from: RowsFrom


def gather(
    contract: Contract,
    data: Data | None,
    eval_data: Data | None,
    label_column: str | None,
    most: int = MOST_ROWS,
    known: Vocabulary | None = None,
) -> Rows:
    """Read the data files, check them against the contract, and keep a part back for judging.

    With `eval_data` its rows judge and `data` calibrates; with `data` alone a fifth of it, drawn
    with a fixed seed, is held out; with neither, rows are drawn at random. Of the rest, `most` rows
    at most calibrate. Rows that are drawn keep to what the model knows.

    Raises:
        DataError: for a file that cannot be used, or too few rows.
        InputError: for rows that do not fit the contract, NaN and infinities included.
    """
    if data is not None and _same(data, eval_data):
        raise DataError(
            f"{_called(data)} cannot both calibrate and judge: give other rows with --eval-data, "
            "or leave it out, and a fifth of --data is held out"
        )
    main = _read(contract, data, label_column) if data is not None else None
    if main is not None and main.columns:
        contract = _with_names(contract, main.columns)
    judge = _read(contract, eval_data, label_column) if eval_data is not None else None
    if judge is not None:
        everything = _checked(contract, main, data) if main is not None else None
        order = _shuffled(everything)[:most] if everything else np.arange(0)
        return Rows(
            contract=contract,
            everything=everything,
            calibration=_take(everything, order) if everything else None,
            calibration_truth=_labels(main, order),
            judged=_checked(contract, judge, eval_data),
            truth=judge.labels,
            rows_from="eval-data",
        )
    if main is None:
        return Rows(contract, None, None, None, drawn(contract, known), None, "synthetic")
    everything = _checked(contract, main, data)
    order = _shuffled(everything)
    if len(order) < _FEWEST:
        raise DataError(
            f"{_called(data)} has {len(order)} rows, a part of which must be held out: "
            f"give at least {_FEWEST}, or --eval-data as well"
        )
    kept = max(1, round(len(order) * _HELD_OUT_SHARE))
    held_out, rest = np.sort(order[:kept]), order[kept:][:most]
    return Rows(
        contract=contract,
        everything=everything,
        calibration=_take(everything, rest),
        calibration_truth=_labels(main, rest),
        judged=_take(everything, held_out),
        truth=_labels(main, held_out),
        rows_from="held-out",
    )


def check_enough(rows: Rows, plan: Plan) -> None:
    """Refuse to judge quantized variants on so few rows that any of them would pass.

    Raises:
        DataError: with how many there are and are needed.
    """
    count = len(next(iter(rows.judged.values())))
    quantized = [step.variant for step in plan.steps if step.real_rows]
    if quantized and count < _FEWEST_FOR_QUANTIZED:
        raise DataError(
            f"{count} rows are too few to judge {', '.join(quantized)}: give "
            f"{_FEWEST_FOR_QUANTIZED} with --eval-data or five times as many with --data, or "
            "leave these out with --variants"
        )


def _read(contract: Contract, given: Data, label_column: str | None) -> datafiles.DataSet:
    if isinstance(given, str | os.PathLike):
        read = datafiles.read(
            given, contract.inputs, label_column, labels_required=label_column is not None
        )
    else:
        read = _from_memory(contract, given, label_column)
    return replace(read, labels=_from_one_hot(contract, read.labels))


def _from_memory(contract: Contract, given: Any, label_column: str | None) -> datafiles.DataSet:
    if isinstance(given, np.ndarray):
        if len(contract.inputs) > 1:
            return datafiles.DataSet(by_name(contract.inputs, given))
        return datafiles.DataSet({contract.inputs[0].name: given})
    table = columns_of(given)
    if table is not None:
        return datafiles.from_table(
            "the data", table, contract.inputs, label_column, labels_required=True
        )
    arrays = {name: np.asarray(array) for name, array in given.items()}
    name = label_column or datafiles.LABELS
    if label_column is not None and label_column not in arrays:
        raise DataError(f"the data has no {label_column!r} for the labels: it has {_names(arrays)}")
    named = {spec.name for spec in contract.inputs}
    labels = None if name in named else arrays.pop(name, None)
    return datafiles.DataSet(arrays, labels)


def _same(data: Data, other: Data | None) -> bool:
    if isinstance(data, str | os.PathLike) and isinstance(other, str | os.PathLike):
        return Path(data).resolve() == Path(other).resolve()
    return data is other


def _called(data: Data | None) -> str:
    return str(data) if isinstance(data, str | os.PathLike) else "the data"


def _names(arrays: Arrays) -> str:
    return ", ".join(repr(name) for name in arrays)


def _from_one_hot(contract: Contract, labels: Array | None) -> Array | None:
    """Labels as Keras's categorical losses take them, a 1 in its class's column, as classes."""
    if labels is None or contract.classes is None or labels.ndim != 2:
        return labels
    sure = np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all()
    if not sure or labels.shape[1] != len(contract.classes):
        return labels
    chosen: Array = np.asarray(contract.classes)[labels.argmax(axis=1)]
    return chosen


def _checked(contract: Contract, rows: datafiles.DataSet, path: Data | None) -> dict[str, Array]:
    checked = check_inputs(contract.inputs, rows.inputs)
    count = len(next(iter(checked.values())))
    if count == 0:
        raise DataError(f"{_called(path)} has no rows: give some")
    if rows.labels is not None and len(rows.labels) != count:
        raise DataError(
            f"{_called(path)} has {len(rows.labels)} labels for {count} rows: give one each"
        )
    _check_labels(contract, rows.labels, path)
    return checked


def _check_labels(contract: Contract, labels: Array | None, path: Data | None) -> None:
    """Refuse labels that the model cannot give: every variant would be equally wrong on them."""
    if labels is None or contract.classes is None:
        return
    classes = np.asarray(contract.classes)
    if labels.ndim != 1:
        raise DataError(
            f"{_called(path)} has labels of the shape {labels.shape}: give one class a row"
        )
    unlike = "U" in (labels.dtype.kind, classes.dtype.kind)
    known = (
        np.isin(labels.astype(np.str_), classes.astype(np.str_))
        if unlike
        else np.isin(labels, classes)
    )
    if not known.all():
        shown = ", ".join(str(label) for label in classes[:5])
        more = ", …" if len(classes) > 5 else ""
        raise DataError(
            f"{_called(path)} has the label {str(labels[~known][0])!r}, the model's classes are "
            f"{shown}{more}: give labels as the model was trained on"
        )


def _with_names(contract: Contract, names: tuple[str, ...]) -> Contract:
    (spec,) = contract.inputs
    if spec.feature_names or len(spec.shape) != 2:
        return contract
    named = msgspec.structs.replace(spec, feature_names=names)
    return msgspec.structs.replace(contract, inputs=(named,))


def _shuffled(rows: dict[str, Array]) -> Array:
    return np.random.default_rng(_SEED).permutation(len(next(iter(rows.values()))))


def _take(rows: dict[str, Array], chosen: Array) -> dict[str, Array]:
    return {name: array[chosen] for name, array in rows.items()}


def _labels(rows: datafiles.DataSet | None, chosen: Array) -> Array | None:
    return None if rows is None or rows.labels is None else rows.labels[chosen]


def with_missing(contract: Contract, inputs: Arrays) -> dict[str, Array] | None:
    """Some of the rows with values taken out of them; None where no input may miss any."""
    if not any(spec.missing for spec in contract.inputs):
        return None
    random = np.random.default_rng(_SEED)
    holed = {}
    for spec in contract.inputs:
        array = inputs[spec.name][:SYNTHETIC].copy()
        if spec.missing:
            gone = random.random(array.shape) < _GONE
            array[gone] = MISSING_TEXT if spec.dtype == "string" else np.nan
        holed[spec.name] = array
    return holed


def stretched(inputs: Arrays) -> dict[str, Array]:
    """The rows three times as far from their columns' means: beyond what was seen in training."""
    return {
        name: (array + 2.0 * (array - np.nanmean(array, axis=0))).astype(array.dtype)
        if array.dtype.kind == "f"
        else array
        for name, array in inputs.items()
    }
