"""Operators that change the axes of a value, or tell of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf

from edgeship_converters.steps.lowering.values import (
    NotLoweredError,
    Operator,
    Value,
    Words,
    cast,
    index,
    moved,
    rank_of,
    shape_of,
    static,
)


def shape(op: Operator, x: Value) -> Value:
    """Shape, a constant as far as it is known."""
    part = slice(op.get("start", 0), op.get("end"))
    sizes = shape_of(x)
    if None not in sizes[part]:
        return np.array(sizes[part], np.int64)
    values = x.places if isinstance(x, Words) else x
    return tf.shape(values, tf.int32 if op.narrow else tf.int64)[part]


def reshape(op: Operator, x: Value, sizes: Value) -> Value:
    """Reshape; a size of 0 is that of the same axis before."""
    if not isinstance(sizes, np.ndarray):
        return moved(op, x, lambda values: tf.reshape(values, index(sizes)))
    if op.get("allowzero", 0) or 0 not in sizes:
        return moved(op, x, lambda values: tf.reshape(values, index(sizes)))
    held = shape_of(x)
    known = [held[k] if size == 0 else int(size) for k, size in enumerate(sizes)]
    free = [k for k, size in enumerate(known) if size is None]
    if len(free) == 1 and -1 not in known:
        known[free[0]] = -1
        free = []
    if not free:
        return moved(op, x, lambda values: tf.reshape(values, np.array(known, np.int32)))

    def reshaped(values: Any) -> Any:
        now = tf.shape(values)
        return tf.reshape(values, [now[k] if s is None else s for k, s in enumerate(known)])

    return moved(op, x, reshaped)


def flatten(op: Operator, x: Value) -> Value:
    """Flatten, to two axes."""
    axis = op.get("axis", 1)
    axis = axis + rank_of(x) if axis < 0 else axis
    sizes = shape_of(x)
    if axis == 0:
        return moved(op, x, lambda values: tf.reshape(values, [1, -1]))
    after = sizes[axis:]
    known = [each for each in after if each is not None]
    if len(known) == len(after):
        width = math.prod(known)
        return moved(op, x, lambda values: tf.reshape(values, [-1, width]))

    def flat(values: Any) -> Any:
        many = tf.reduce_prod(tf.shape(values)[:axis])
        return tf.reshape(values, tf.stack([many, -1]))

    return moved(op, x, flat)


def unsqueeze(op: Operator, x: Value, axes: Value = None) -> Value:
    """Unsqueeze."""
    places = np.ravel(op.get("axes") if axes is None else static(axes))
    rank = rank_of(x) + len(places)

    def widened(values: Any) -> Any:
        for place in sorted(int(place) % rank for place in places):
            values = tf.expand_dims(values, place)
        return values

    return moved(op, x, widened)


def squeeze(op: Operator, x: Value, axes: Value = None) -> Value:
    """Squeeze."""
    given = op.get("axes") if axes is None else static(axes)
    if given is None:
        sizes = shape_of(x)
        if None in sizes:
            raise NotLoweredError("it names no axes")
        given = np.array([k for k, size in enumerate(sizes) if size == 1])
    places = sorted(int(place) % rank_of(x) for place in np.ravel(given))
    if not places:
        return x
    return moved(op, x, lambda values: tf.squeeze(values, places))


def transpose(op: Operator, x: Value) -> Value:
    """Transpose."""
    order = op.get("perm")
    order = np.arange(rank_of(x))[::-1] if order is None else np.asarray(order)
    return moved(op, x, lambda values: tf.transpose(values, order.astype(np.int32)))


def expand(op: Operator, x: Value, sizes: Value) -> Value:
    """Expand: repeated along axes of one."""

    def spread(values: Any) -> Any:
        values = tf.convert_to_tensor(values)
        return tf.broadcast_to(
            values, tf.broadcast_dynamic_shape(tf.shape(values), cast(index(sizes), tf.int32))
        )

    return moved(op, x, spread)


def tile(op: Operator, x: Value, times: Value) -> Value:
    """Tile."""
    return moved(op, x, lambda values: tf.tile(values, cast(index(times), tf.int32)))


def size(op: Operator, x: Value) -> Value:
    """Size: how many entries there are."""
    sizes = shape_of(x)
    known = [each for each in sizes if each is not None]
    if len(known) == len(sizes):
        return np.asarray(math.prod(known), np.int64)
    values = x.places if isinstance(x, Words) else x
    return tf.size(values, tf.int32 if op.narrow else tf.int64)
