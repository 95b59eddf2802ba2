"""Operators that pick entries by places or by conditions, and such as join columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from edgeship_converters.steps.lowering.tensors import concat, gather
from edgeship_converters.steps.lowering.values import (
    NotLoweredError,
    Operator,
    Value,
    cast,
    index,
    moved,
    rank_of,
    shape_of,
)


def array_feature_extractor(op: Operator, x: Value, places: Value) -> Value:
    """ArrayFeatureExtractor: places along the last axis, of a vector as of a matrix of one row."""
    at = places.ravel() if isinstance(places, np.ndarray) else tf.reshape(places, [-1])
    made = gather(Operator("Gather", {"axis": -1}, 13, 1, op.narrow), x, at)
    if rank_of(x) > 1:
        return made
    return made[None] if isinstance(made, np.ndarray) else moved(op, made, lambda v: v[None])


def feature_vectorizer(op: Operator, *parts: Value) -> Value:
    """FeatureVectorizer: columns side by side as float32, cut or filled with 0 to their widths."""
    widths = op.get("inputdimensions")
    made = []
    for part, width in zip(parts, widths, strict=True):
        values = cast(op.tensor(part), tf.float32)
        values = tf.expand_dims(values, 0) if rank_of(values) == 1 else values
        held = shape_of(values)[1]
        if held is None:
            raise NotLoweredError("the number of columns of one of its inputs is free")
        if held > width:
            values = values[:, :width]
        made.append(values if held >= width else tf.pad(values, [[0, 0], [0, width - held]]))
    return concat(Operator("Concat", {"axis": 1}, 13, 1, op.narrow), *made)


def gather_nd(op: Operator, x: Value, places: Value) -> Value:
    """GatherND; negative places count from the end."""
    if op.get("batch_dims", 0):
        raise NotLoweredError("it gathers from each of a batch by itself")
    sizes = shape_of(x)
    deep = shape_of(places)[-1]
    if deep is None:
        raise NotLoweredError("how many axes it gathers along is free")
    if isinstance(places, np.ndarray) and (places < 0).any():
        if None in sizes[:deep]:
            raise NotLoweredError("it counts from an end that is free")
        places = np.where(places < 0, places + np.array(sizes[:deep], np.int64), places)
    return moved(op, x, lambda values: tf.gather_nd(values, index(places)))


def compress(op: Operator, x: Value, condition: Value) -> Value:
    """Compress: what stands where a condition holds, along an axis or of all entries in a row."""
    axis = op.get("axis")
    if axis is None:
        x = moved(op, x, lambda values: tf.reshape(values, [-1]))
        axis = 0
    axis %= rank_of(x)
    if isinstance(condition, np.ndarray):
        at: Any = index(np.flatnonzero(condition))
    else:
        at = tf.reshape(tf.where(condition), [-1])
    return moved(op, x, lambda values: tf.gather(values, at, axis=axis))


def non_zero(op: Operator, x: Value) -> Value:
    """NonZero: (axes, found) int64, the places of what is not 0."""
    values = op.tensor(x)
    found = values if values.dtype == tf.bool else tf.not_equal(values, tf.zeros([], values.dtype))
    return tf.transpose(tf.where(found))
