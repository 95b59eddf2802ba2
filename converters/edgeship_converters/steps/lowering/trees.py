"""Tree ensembles as index gathers: all trees of all rows go down one branch at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from edgeship_converters.steps.exact_trees import ranks_within
from edgeship_converters.steps.lowering.reductions import marked
from edgeship_converters.steps.lowering.scores import labels, transformed
from edgeship_converters.steps.lowering.tree_attributes import (
    compact_tables_of,
    numbers,
    tables_of,
)
from edgeship_converters.steps.lowering.tree_tables import Tables
from edgeship_converters.steps.lowering.tree_walk import ends_of
from edgeship_converters.steps.lowering.values import NotLoweredError, Operator, Parts, Value, cast
from edgeship_runtime.arrays import Array

# Below this many steps of one power of two, float32 sums exactly.
_EXACT = 2.0**24
# What an int64 holds, with a bit to spare.
_FIXED_BITS = 62
# Beyond so many numbers a row, memory counts more than time.
_WIDEST = 2**14
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


def compact(op: Operator, x: Value) -> Value:
    """TreeEnsemble, of ai.onnx.ml 5."""
    targets, rows = int(op.get("n_targets", 1)), _rows(op, x)
    if op.get("aggregate_function", 1) != 1 or op.get("post_transform", 0) != 0:
        raise NotLoweredError("it does more than add leaves")
    tables = compact_tables_of(op, targets, _real(rows))
    sums = _sums(op, tables, rows, np.zeros(targets))
    return sums.real(tf.float32 if op.narrow else rows.dtype)


def regressor(op: Operator, x: Value) -> Value:
    """TreeEnsembleRegressor."""
    targets, rows = int(op.get("n_targets", 1)), _rows(op, x)
    how = op.get("aggregate_function", "SUM")
    if how in ("SUM", "AVERAGE"):
        tables = tables_of(op, "target", targets, _real(rows))
        sums = _sums(op, tables, rows, _base(op, targets), average=how == "AVERAGE")
        made = sums.real(tf.float32)
    elif how in ("MIN", "MAX"):
        made = _extremes(op, targets, x, tf.reduce_min if how == "MIN" else tf.reduce_max)
    else:
        raise NotLoweredError(f"it takes the {how} of its trees")
    after = op.get("post_transform", "NONE")
    # onnxruntime leaves the only target as it is but for this.
    return transformed(made, after) if targets > 1 or after == "PROBIT" else made


def classifier(op: Operator, x: Value) -> tuple[Value, Value]:
    """TreeEnsembleClassifier: labels, and scores by class.

    A class that no leaf votes for has no score in onnxruntime, and is never the label.
    """
    names = op.get("classlabels_int64s", op.get("classlabels_strings"))
    classes, how = len(names), op.get("post_transform", "NONE")
    if classes < 2:
        raise NotLoweredError("it knows one class only")
    rows = _rows(op, x)
    tables = tables_of(op, "class", classes, _real(rows))
    sums = _sums(op, tables, rows, _base(op, classes))
    if classes == 2:
        return _of_two_classes(op, names, sums, how)
    scored = _scored(op, classes)
    decided = _decided_by(op, sums).values
    values = decided if scored.all() else tf.gather(decided, np.flatnonzero(scored), axis=1)
    place = _largest(values)
    if not scored.all():
        place = tf.gather(tf.constant(np.flatnonzero(scored).astype(np.int32)), place)
    return labels(op, names, place), transformed(sums.real(tf.float32), how)


def _of_two_classes(op: Operator, names: Any, sums: _Sums, how: str) -> tuple[Value, Value]:
    """What onnxruntime's `TreeAggregatorClassifier` does, by which classes leaves vote for."""
    deciding = _decided_by(op, sums)
    voted = np.unique(op.get("class_ids"))
    base, scored = numbers(op, "base_values"), _scored(op, 2, always=True)
    if scored[1] and len(base) == 2:
        raise NotLoweredError("it has two base values, of which onnxruntime loses a sum")
    decides = 1 if scored[1] else 0
    if len(voted) == 2:
        # onnxruntime says 0 and 1 here, whatever the numbers of the classes are.
        given = names if isinstance(names[0], str) else [0, 1]
        label = labels(op, given, cast(_above(deciding, decides, 0.0), tf.int32))
        return label, transformed(sums.real(tf.float32), how)
    positive = bool((numbers(op, "class_weights") >= 0).all())
    place = cast(_above(deciding, decides, 0.5 if positive else 0.0), tf.int32)
    label, scores = labels(op, names, place), sums.real(tf.float32)
    if scored[1] or len(base) == 2:
        return label, transformed(scores, how)
    if how == "PROBIT":
        raise NotLoweredError("it has one score, of which onnxruntime makes no second by PROBIT")
    score = scores[:, :1]
    if how == "LOGISTIC":
        return label, transformed(tf.concat([-score, score], 1), how)
    return label, tf.concat([1.0 - score if positive else -score, score], 1)


def _scored(op: Operator, classes: int, *, always: bool = False) -> Array:
    """Whether each class has a score: in every row or in none, but where that cannot matter.

    Raises:
        NotLoweredError: where it depends on the row, and the label on it.
    """
    given = len(numbers(op, "base_values"))
    if classes > 2 and given:
        if given != classes:
            raise NotLoweredError("it has other base values than classes")
        return np.ones(classes, bool)
    leaf = np.asarray(op.get("nodes_modes")) == "LEAF"
    trees, leaves = np.unique(np.asarray(op.get("nodes_treeids"))[leaf], return_counts=True)
    held = dict(zip(trees.tolist(), leaves.tolist(), strict=True))
    votes = np.stack([np.asarray(op.get(f"class_{of}")) for of in ("treeids", "nodeids", "ids")], 1)
    votes = np.unique(votes, axis=0)
    scored = np.zeros(classes, bool)
    above = bool((numbers(op, "class_weights") > 0).all()) and not always
    for number in range(classes):
        voting, many = np.unique(votes[votes[:, 2] == number, 0], return_counts=True)
        whole = any(held[tree] == count for tree, count in zip(voting.tolist(), many, strict=True))
        if len(voting) and not whole and not above:
            raise NotLoweredError("some of its leaves only vote for a class")
        scored[number] = len(voting) > 0
    return scored


def _extremes(op: Operator, targets: int, x: Value, extreme: Any) -> Value:
    """(rows, targets), the least or largest leaf of all trees, and the base.

    Raises:
        NotLoweredError: where a leaf has no value for a target.
    """
    leaves = int((np.asarray(op.get("nodes_modes")) == "LEAF").sum())
    held = np.stack([np.asarray(op.get(f"target_{of}")) for of in ("treeids", "nodeids", "ids")], 1)
    if len(np.unique(held, axis=0)) != leaves * targets:
        raise NotLoweredError("some leaves have no value for one of its targets")
    rows = _rows(op, x)
    tables = tables_of(op, "target", targets, _real(rows), apart=False)
    ends, _ = ends_of(tables, rows, finite=op.narrow)
    taken = tf.gather(op.tensor(tables.leaves), ends)
    made = extreme(taken, 1) + op.tensor(_base(op, targets))
    return cast(made, tf.float32)


def _rows(op: Operator, x: Value) -> Value:
    """Rows of float32 or float64, or in a narrow graph of whole numbers in two parts."""
    if isinstance(x, Parts):
        return x
    rows = op.tensor(x)
    return rows if rows.dtype in (tf.float32, tf.float64) else cast(rows, op.dtype(tf.float64))


def _real(rows: Value) -> Any:
    """The type that thresholds are held in."""
    return np.float64 if isinstance(rows, Parts) else rows.dtype.as_numpy_dtype


def _base(op: Operator, targets: int) -> Array:
    """What is added to each sum: as many values as there are sums, or of two the first."""
    given = numbers(op, "base_values")
    base = np.zeros(targets)
    if op.kind == "TreeEnsembleClassifier" and targets == 2:
        # onnxruntime reads a second value, but gives none for a class without votes.
        if 0 in op.get("class_ids"):
            base[: min(len(given), 1)] = given[:1]
    elif len(given) == targets:
        base[:] = given
    return base


def _above(sums: _Sums, column: int, limit: float) -> Value:
    values = sums.values[:, column]
    if values.dtype.is_integer:
        whole = min(np.floor(limit / sums.step), float(2**62))
        return values > tf.constant(int(whole), values.dtype)
    return values > tf.constant(limit, values.dtype)


def _decided_by(op: Operator, sums: _Sums) -> _Sums:
    """The sums that decide: of leaves of float32 those that float32 holds.

    onnxruntime sums such leaves in float32, where five tenths are a half.
    """
    if op.get("class_weights_as_tensor") is not None:
        return sums
    return _Sums(sums.real(tf.float32))


def _largest(values: Value) -> Value:
    if values.dtype == tf.int64:
        values = marked(values, 1, tf.reduce_max)
    return tf.argmax(values, 1, tf.int32)


def _sums(
    op: Operator, tables: Tables, rows: Value, base: Array, *, average: bool = False
) -> _Sums:
    """(rows, targets), the sum over the leaves that rows end in, and what it starts from."""
    trees, targets = len(tables.roots), len(base)
    many = tables.trees if average else 1
    leaves, base = tables.leaves / many, base + tables.start / many
    ends, columns = ends_of(tables, rows, finite=op.narrow)
    target = tables.target
    voted = np.flatnonzero(leaves.any(axis=0)) if target is None else np.unique(target)
    held = np.union1d(voted, np.flatnonzero(base))
    if target is not None and len(held) > 1:
        return _summed_apart(op, leaves[:, 0], base, ends, target[columns])
    if len(held) != 1 or targets == 1:
        return _summed(op, leaves, base, ends, trees)
    # Of two classes often only one is voted for, or against.
    column = leaves[:, held] if target is None else leaves
    sums = _summed(op, column, base[held], ends, trees)
    around = [[0, 0], [int(held[0]), targets - 1 - int(held[0])]]
    return _Sums(tf.pad(sums.values, around), sums.step)


def _summed(op: Operator, leaves: Array, base: Array, ends: Value, trees: int) -> _Sums:
    """Each tree adds to all targets, so many trees at a time that a row takes few numbers."""
    most = np.abs(leaves).max(axis=0, initial=0.0) * trees + np.abs(base)
    step = _step(np.concatenate([leaves, base[None]]), most) if op.narrow else None
    table = tf.constant(_in_steps(op, leaves, step))
    many = max(1, _WIDEST // len(base))
    total = None
    for start in range(0, trees, many):
        chosen = ends if many >= trees else ends[:, start : start + many]
        taken = tf.gather(table, chosen)
        part = tf.squeeze(taken, 1) if trees == 1 else tf.reduce_sum(taken, 1)
        total = part if total is None else total + part
    return _started(op, total, base, step)


def _summed_apart(op: Operator, leaves: Array, base: Array, ends: Value, target: Array) -> _Sums:
    """Each tree, a column of `ends`, adds to one target."""
    counts = np.bincount(target, minlength=len(base))
    longest = int(counts.max())
    most = np.abs(leaves).max(initial=0.0) * counts + np.abs(base)
    held = np.concatenate([leaves, base])[:, None]
    step = _step(held, most.max(keepdims=True)) if op.narrow else None
    taken = tf.gather(tf.constant(_in_steps(op, leaves, step)), ends)
    # Targets of fewer trees than others are filled up with nothing.
    places = np.full((len(base), longest), len(target))
    order = np.argsort(target, kind="stable")
    rank = ranks_within(counts)
    places[target[order], rank] = order
    if (counts < longest).any():
        taken = tf.pad(taken, [[0, 0], [0, 1]])
    lines = tf.gather(taken, places.ravel().astype(np.int32), axis=1)
    total = tf.reduce_sum(tf.reshape(lines, [-1, len(base), longest]), 2)
    return _started(op, total, base, step)


def _started(op: Operator, total: Value, base: Array, step: float | None) -> _Sums:
    start = tf.constant(_in_steps(op, base, step))
    return _Sums(total + start if base.any() else total, step or 1.0)


def _in_steps(op: Operator, values: Array, step: float | None) -> Array:
    """Numbers as whole steps, never none: the smallest of leaves decide ties. Or as reals."""
    if step is None:
        return np.asarray(values.astype(np.float32 if op.narrow else np.float64))
    whole = np.sign(values) * np.maximum(np.round(np.abs(values) / step), values != 0)
    return np.asarray(whole.astype(np.int64))


def _step(held: Array, most: Array) -> float | None:
    """The unit to count sums in as whole numbers; None where float32 sums exactly.

    Sums that are tiny beside the others, as what those left to round, may be rounded.
    """
    largest = float(most.max(initial=0.0))
    if largest == 0.0:
        return None
    for column, bound in zip(held.T, most, strict=True):
        unit = 2.0 ** np.ceil(np.log2(max(bound, 1e-300))) / _EXACT
        exact = np.array_equal(np.round(column / unit) * unit, column)
        if not exact and bound > _SMALL * largest:
            return float(2.0 ** (np.ceil(np.log2(largest)) - _FIXED_BITS))
    return None
