"""Tree ensembles as index gathers: all trees of all rows go down one branch at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from edgeship_converters.steps.lowering.tree_tables import Tables, numbers, tables_of
from edgeship_converters.steps.lowering.tree_walk import ends_of
from edgeship_converters.steps.lowering.values import NotLoweredError, Operator, Value, cast
from edgeship_runtime.arrays import Array

# Below this many steps of one power of two, float32 sums exactly.
_EXACT = 2.0**24
# What an int64 holds, with a bit to spare.
_FIXED_BITS = 62
# Beside the largest of the sums, roundings of such small ones in float32 are nothing.
_SMALL = 2.0**-20


@dataclass(frozen=True, slots=True)
class _Sums:
    """(rows, targets) sums of leaves, in steps of `step` where they are whole numbers."""

    values: Any
    step: float = 1.0

    def real(self, dtype: tf.DType) -> Any:
        """The sums as reals."""
        reals = cast(self.values, dtype)
        return reals if self.step == 1.0 else reals * tf.constant(self.step, dtype)


def regressor(op: Operator, x: Value) -> Value:
    """TreeEnsembleRegressor."""
    targets = int(op.get("n_targets", 1))
    if op.get("post_transform", "NONE") != "NONE":
        raise NotLoweredError(f"it transforms sums by {op.get('post_transform')}")
    how = op.get("aggregate_function", "SUM")
    if how not in ("SUM", "AVERAGE"):
        raise NotLoweredError(f"it takes the {how} of its trees")
    sums = _sums(op, "target", targets, x, average=how == "AVERAGE")
    return sums.real(tf.float32)


def classifier(op: Operator, x: Value) -> tuple[Value, Value]:
    """TreeEnsembleClassifier: labels, and scores by class."""
    names = op.get("classlabels_int64s", op.get("classlabels_strings"))
    weights = numbers(op, "class_weights")
    ids = np.unique(op.get("class_ids"))
    binary = len(names) == 2 and len(ids) == 1
    sums = _sums(op, "class", len(names), x)
    scores = sums.real(tf.float32)
    if binary:
        place = cast(_above(sums, int(ids[0]), 0.5 if (weights >= 0).all() else 0.0), tf.int32)
    else:
        place = _largest(sums.values, op)
    match op.get("post_transform", "NONE"):
        case "NONE":
            likely = scores
        case "SOFTMAX":
            likely = tf.nn.softmax(scores)
        case "LOGISTIC":
            likely = tf.sigmoid(scores)
        case other:
            raise NotLoweredError(f"it transforms scores by {other}")
    return _labels(names, place, op), likely


def _labels(names: Any, place: Value, op: Operator) -> Value:
    from edgeship_converters.steps.lowering.tensors import gather

    names = np.asarray(names)
    if names.dtype.kind in "iu" and np.array_equal(names, np.arange(len(names))):
        return place if op.narrow else cast(place, tf.int64)
    return gather(Operator("Gather", {}, 13, 1, op.narrow), names, place)


def _above(sums: _Sums, column: int, limit: float) -> Value:
    values = sums.values[:, column]
    if values.dtype.is_integer:
        return values > tf.constant(int(np.floor(limit / sums.step)), values.dtype)
    return values > tf.constant(limit, values.dtype)


def _largest(values: Value, op: Operator) -> Value:
    if values.dtype == tf.int64:
        # LiteRT finds no extreme of these, but which of them equals it.
        values = cast(tf.equal(values, tf.reduce_max(values, 1, True)), tf.int32)
    return tf.argmax(values, 1, tf.int32)


def _sums(op: Operator, prefix: Any, targets: int, x: Value, *, average: bool = False) -> _Sums:
    rows = op.tensor(x)
    if rows.dtype not in (tf.float32, tf.float64):
        rows = cast(rows, op.dtype(tf.float64))
    tables = tables_of(op, prefix, targets, rows.dtype.as_numpy_dtype)
    base = np.zeros(targets)
    given = numbers(op, "base_values")
    base[: len(given)] = given
    leaves = tables.leaves / len(tables.roots) if average else tables.leaves
    ends = ends_of(tables, rows)
    held = np.flatnonzero(leaves.any(axis=0) | (base != 0))
    if len(held) != 1 or targets == 1:
        return _summed(leaves, base, ends, len(tables.roots), op)
    # Of two classes often only one is voted for, or against.
    sums = _summed(leaves[:, held], base[held], ends, len(tables.roots), op)
    around = [[0, 0], [int(held[0]), targets - 1 - int(held[0])]]
    return _Sums(tf.pad(sums.values, around), sums.step)


def _summed(leaves: Array, base: Array, ends: Value, trees: int, op: Operator) -> _Sums:
    """(rows, targets), the sum over the leaves that rows end in, and what it starts from."""
    step = None
    if op.narrow:
        step = _step(leaves, base, np.abs(leaves).max(axis=0, initial=0.0) * trees + np.abs(base))
        real: Any = np.float32
    else:
        real = np.float64
    table = leaves.astype(real) if step is None else np.round(leaves / step).astype(np.int64)
    start = base.astype(real) if step is None else np.round(base / step).astype(np.int64)
    taken = tf.gather(tf.constant(table), ends)
    total = tf.squeeze(taken, 1) if trees == 1 else tf.reduce_sum(taken, 1)
    return _Sums(total + tf.constant(start) if base.any() else total, step or 1.0)


def _step(leaves: Array, base: Array, most: Array) -> float | None:
    """The unit to count sums in as whole numbers; None where float32 sums exactly.

    Sums that are tiny beside the others, as what those left to round, may be rounded.
    """
    largest = float(most.max(initial=0.0))
    if largest == 0.0:
        return None
    held = np.concatenate([leaves, base[None]])
    for column, bound in zip(held.T, most, strict=True):
        unit = 2.0 ** np.ceil(np.log2(max(bound, 1e-300))) / _EXACT
        exact = np.array_equal(np.round(column / unit) * unit, column)
        if not exact and bound > _SMALL * largest:
            return float(2.0 ** (np.ceil(np.log2(largest)) - _FIXED_BITS))
    return None
