"""Operators that make one entry of many along axes: sums, extremes, their places, orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from edgeship_converters.steps.lowering.arithmetic import magnitudes
from edgeship_converters.steps.lowering.values import (
    NotLoweredError,
    Operator,
    Value,
    cast,
    rank_of,
    shape_of,
    static,
    to_last,
)

Reduction = Callable[[Any, Any, bool], Any]


def along_axes(function: Reduction) -> Callable[..., Any]:
    """The lowering of a reduction, of tensor, axes and whether they are kept."""

    def lowered(op: Operator, x: Value, given: Value = None) -> Value:
        axes = op.get("axes") if given is None else static(given)
        if axes is None or not len(np.ravel(axes)):
            if op.get("noop_with_empty_axes", 0):
                return x
            axes = np.arange(rank_of(x))
        places = [int(axis) % rank_of(x) for axis in np.ravel(axes)]
        return function(op.tensor(x), places, bool(op.get("keepdims", 1)))

    return lowered


def sum_of_squares(x: Any, axes: Any, keep: bool) -> Any:
    """The sum of squares."""
    return tf.reduce_sum(tf.square(x), axes, keep)


def length(x: Any, axes: Any, keep: bool) -> Any:
    """The Euclidean length."""
    return tf.sqrt(sum_of_squares(x, axes, keep))


def sum_of_magnitudes(x: Any, axes: Any, keep: bool) -> Any:
    """The sum of magnitudes."""
    return tf.reduce_sum(magnitudes(x), axes, keep)


def log_sum(x: Any, axes: Any, keep: bool) -> Any:
    """The logarithm of the sum."""
    return tf.math.log(tf.reduce_sum(x, axes, keep))


def log_sum_exp(x: Any, axes: Any, keep: bool) -> Any:
    """The logarithm of the sum of exponentials, none of which overflows."""
    # Where all are −∞, so is the answer, and not their difference.
    most = tf.maximum(tf.reduce_max(x, axes, True), x.dtype.min)
    summed = tf.math.log(tf.reduce_sum(tf.exp(x - most), axes, True)) + most
    return summed if keep else tf.squeeze(summed, axes)


def arg_extreme(function: Callable[..., Any], extreme: Callable[..., Any]) -> Callable[..., Any]:
    """The lowering of ArgMax and ArgMin: of several the first, or with that attribute the last."""

    def lowered(op: Operator, x: Value) -> Value:
        values = op.tensor(x)
        axis = op.get("axis", 0) % rank_of(x)
        kind = tf.int32 if op.narrow else tf.int64
        if op.narrow and values.dtype == tf.int64:
            values, found = marked(values, axis, extreme), tf.argmax
        else:
            found = function
        if op.get("select_last_index", 0):
            last = shape_of(x)[axis]
            if last is None:
                raise NotLoweredError("the size of its axis is free")
            place = last - 1 - found(tf.reverse(values, [axis]), axis, kind)
        else:
            place = found(values, axis, kind)
        return tf.expand_dims(place, axis) if op.get("keepdims", 1) else place

    return lowered


def marked(values: Any, axis: int, extreme: Callable[..., Any]) -> Any:
    """1 where the extreme along an axis is: LiteRT finds none of int64, but what equals it."""
    return cast(tf.equal(values, extreme(values, axis, True)), tf.int32)


def top_k(op: Operator, x: Value, given: Value = None) -> tuple[Value, Value]:
    """TopK: the largest or smallest along an axis, in order, and their places."""
    many = op.get("k") if given is None else int(np.ravel(static(given))[0])
    axis, rank = op.get("axis", -1) % rank_of(x), rank_of(x)
    values = op.tensor(x)
    order, back = to_last(rank, axis)
    if axis != rank - 1:
        values = tf.transpose(values, order)
    largest = op.get("largest", 1)
    found, places = tf.math.top_k(values if largest else -values, many)
    found = found if largest else -found
    if not op.narrow:
        places = tf.cast(places, tf.int64)
    if axis != rank - 1:
        found, places = tf.transpose(found, back), tf.transpose(places, back)
    return found, places


def cumulative(op: Operator, x: Value, axis: Value) -> Value:
    """CumSum."""
    return tf.cumsum(
        op.tensor(x),
        int(np.ravel(static(axis))[0]),
        exclusive=bool(op.get("exclusive", 0)),
        reverse=bool(op.get("reverse", 0)),
    )


def softmax(op: Operator, x: Value) -> Value:
    """Softmax along an axis."""
    return _normal(op, x, tf.nn.softmax)


def log_softmax(op: Operator, x: Value) -> Value:
    """LogSoftmax along an axis."""
    return _normal(op, x, tf.nn.log_softmax)


def _normal(op: Operator, x: Value, function: Callable[..., Any]) -> Value:
    values, rank = op.tensor(x), rank_of(x)
    axis = op.get("axis", -1 if op.opset >= 13 else 1) % rank
    if op.opset < 13 and axis != rank - 1:
        raise NotLoweredError("it normalizes over several axes")
    if axis == rank - 1:
        return function(values)
    order, back = to_last(rank, axis)
    return tf.transpose(function(tf.transpose(values, order)), back)
