"""Operators that move values about, and compute none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf
from onnx import TensorProto, helper

from edgeship_converters.steps.lowering.values import (
    NotLoweredError,
    Operator,
    Parts,
    Value,
    Words,
    alike_words,
    cast,
    index,
    is_text,
    moved,
    rank_of,
    shape_of,
    static,
    to_last,
)

_PADS = {"constant": "CONSTANT", "reflect": "REFLECT"}


def identity(op: Operator, x: Value) -> Value:
    """Identity."""
    return x


def constant(op: Operator) -> Value:
    """Constant, of whichever attribute holds it."""
    (value,) = op.attributes.values()
    kind = next(iter(op.attributes))
    if isinstance(value, float):
        return np.asarray(value, np.float32)
    return np.asarray(value, np.float32 if kind == "value_floats" else None)


def constant_of_shape(op: Operator, shape: Value) -> Value:
    """ConstantOfShape."""
    value = np.ravel(op.get("value", np.zeros(1, np.float32)))[0]
    if isinstance(shape, np.ndarray):
        return np.full(shape, value)
    return tf.fill(index(shape), op.tensor(np.asarray(value)))


def concat(op: Operator, *parts: Value) -> Value:
    """Concat."""
    axis = op.get("axis", 0)
    if any(isinstance(part, Words) for part in parts):
        words = alike_words(parts)
        closed = all(word.closed for word in words)
        return Words(tf.concat([word.places for word in words], axis), words[0].known, closed)
    if all(isinstance(part, np.ndarray) for part in parts):
        return np.concatenate(parts, axis)
    if len(parts) == 1:
        return parts[0]
    if any(isinstance(part, Parts) for part in parts):
        both = [part if isinstance(part, Parts) else _with_nothing(op, part) for part in parts]
        return Parts(
            tf.concat([p.high for p in both], axis), tf.concat([p.low for p in both], axis)
        )
    return tf.concat(op.alike(*parts), axis)


def _with_nothing(op: Operator, x: Value) -> Parts:
    parts = Parts.of(x) if isinstance(x, np.ndarray) else None
    values = op.tensor(x)
    return parts or Parts(values, tf.zeros_like(values))


def split(op: Operator, x: Value, sizes: Value = None) -> tuple[Value, ...]:
    """Split."""
    axis = op.get("axis", 0)
    given = op.get("split") if sizes is None else static(sizes)
    if given is None:
        whole = shape_of(x)[axis]
        if whole is None:
            raise NotLoweredError("the size of the axis that it splits is free")
        each = -(-whole // op.outputs)
        given = [min(each, whole - k * each) for k in range(op.outputs)]
    ends = np.cumsum(given)
    before = [slice(None)] * (axis % rank_of(x))

    def part(start: int, end: int) -> Value:
        return moved(op, x, lambda values: values[(*before, slice(start, end))])

    return tuple(part(int(end - size), int(end)) for end, size in zip(ends, given, strict=True))


def slices(op: Operator, x: Value, *given: Value) -> Value:
    """Slice, of the axes and by the steps given."""
    if op.opset < 10:
        starts, ends = static(op.get("starts")), static(op.get("ends"))
        axes, steps = op.get("axes"), None
    else:
        starts, ends = static(given[0]), static(given[1])
        axes, steps = (given[k] if len(given) > k else None for k in (2, 3))
    rank = rank_of(x)
    places = np.arange(len(starts)) if axes is None else np.ravel(static(axes))
    by = np.ones(len(starts), int) if steps is None else np.ravel(static(steps))
    parts = [slice(None)] * rank
    for place, start, end, step in zip(places, starts, ends, by, strict=True):
        size = shape_of(x)[int(place)]
        parts[int(place)] = _part(int(start), int(end), int(step), size)
    return moved(op, x, lambda values: values[tuple(parts)])


def _part(start: int, end: int, step: int, size: int | None) -> slice:
    if size is not None:
        return (
            slice(*slice(start, end, step).indices(size))
            if step > 0
            else slice(start, None if end < -size else end, step)
        )
    most = 2**31 - 1
    return slice(None if abs(start) >= most else start, None if abs(end) >= most else end, step)


def gather(op: Operator, x: Value, places: Value) -> Value:
    """Gather; negative places count from the end."""
    axis = op.get("axis", 0) % rank_of(x)
    if isinstance(x, np.ndarray) and isinstance(places, np.ndarray):
        return np.take(x, places, axis)
    at = _from_start(places, x, axis)
    if op.narrow and isinstance(x, np.ndarray) and x.dtype.kind in "OUS":
        x = Words.of(x)
    return moved(op, x, lambda values: tf.gather(values, at, axis=axis))


def gather_elements(op: Operator, x: Value, places: Value) -> Value:
    """GatherElements, along one axis; all others as long as those of the places."""
    rank = rank_of(x)
    axis = op.get("axis", 0) % rank
    at = _from_start(places, x, axis)
    order, back = to_last(rank, axis)

    def taken(values: Any) -> Any:
        if rank == 1:
            return tf.gather(values, at)
        if axis == rank - 1:
            return tf.gather(values, at, axis=axis, batch_dims=axis)
        found = tf.gather(
            tf.transpose(values, order), tf.transpose(at, order), axis=rank - 1, batch_dims=rank - 1
        )
        return tf.transpose(found, back)

    return moved(op, x, taken)


def scatter_elements(op: Operator, x: Value, places: Value, updates: Value) -> Value:
    """ScatterElements along the last axis: entries put in place of others."""
    rank = rank_of(x)
    if op.get("axis", 0) % rank != rank - 1 or op.get("reduction", "none") != "none":
        raise NotLoweredError("it scatters along another axis than the last, or adds")
    base, put = op.alike(x, updates)
    size = shape_of(x)[-1]
    if size is None:
        raise NotLoweredError("the size of its axis is free")
    at = _from_start(places, x, rank - 1)
    hot = tf.one_hot(at, size, dtype=put.dtype)
    spread = tf.reduce_sum(hot * tf.expand_dims(put, -1), axis=-2)
    taken = tf.reduce_max(hot, axis=-2) > 0
    return tf.where(taken, spread, base)


def pad(op: Operator, x: Value, *given: Value) -> Value:
    """Pad, with a constant or by reflection."""
    pads = op.get("pads") if op.opset < 11 else static(given[0])
    value = op.get("value", 0.0) if op.opset < 11 else (given[1] if len(given) > 1 else None)
    mode = op.get("mode", "constant")
    if mode not in _PADS or len(given) > 2:
        raise NotLoweredError(f"it pads by mode {mode!r}")
    around = np.asarray(pads).reshape(2, -1).T.astype(np.int32)
    if (around < 0).any():
        raise NotLoweredError("it pads by less than nothing")
    values = op.tensor(x)
    filled = cast(op.tensor(np.asarray(0.0 if value is None else value)), values.dtype)
    return tf.pad(values, around, _PADS[mode], constant_values=filled)


def casts(op: Operator, x: Value) -> Value:
    """Cast; text cannot be cast in TFLite."""
    to = op.get("to")
    if to == TensorProto.STRING or is_text(x):
        if to == TensorProto.STRING and is_text(x):
            return x
        raise NotLoweredError("it casts text")
    dtype = op.dtype(helper.tensor_dtype_to_np_dtype(to))
    if isinstance(x, np.ndarray):
        with np.errstate(over="ignore", invalid="ignore"):
            return x.astype(helper.tensor_dtype_to_np_dtype(to))
    if op.narrow and to == TensorProto.DOUBLE:
        if isinstance(x, Parts):
            return x
        if x.dtype == tf.int64:
            return _parts_of(x)
    x = op.tensor(x)
    if dtype == tf.bool:
        return tf.not_equal(x, tf.zeros([], x.dtype))
    return cast(x, dtype)


def cast_like(op: Operator, x: Value, like: Value) -> Value:
    """CastLike: Cast to the type of another value."""
    if is_text(like):
        to = TensorProto.STRING
    elif isinstance(like, np.ndarray):
        to = helper.np_dtype_to_tensor_dtype(like.dtype)
    else:
        to = helper.np_dtype_to_tensor_dtype(np.dtype(like.dtype.as_numpy_dtype))
    return casts(replace(op, attributes={"to": to}), x)


def _parts_of(whole: Any) -> Value:
    """int64 as two parts of float32, which hold 48 of its bits."""
    high = tf.cast(whole, tf.float32)
    return Parts(high, tf.cast(whole - tf.cast(high, tf.int64), tf.float32))


def one_hot(op: Operator, places: Value, depth: Value, values: Value) -> Value:
    """OneHot; negative places count from the end, those beyond it are none."""
    many = int(np.ravel(static(depth))[0])
    at = cast(op.tensor(places), tf.int32)
    off, on = np.ravel(static(values))
    dtype = op.dtype(np.asarray(values).dtype)
    at = tf.where(at < 0, at + many, at)
    numbers = [cast(op.tensor(np.asarray(value)), dtype) for value in (on, off)]
    return tf.one_hot(at, many, *numbers, axis=op.get("axis", -1))


def ranges(op: Operator, start: Value, limit: Value, delta: Value) -> Value:
    """Range."""
    if all(isinstance(value, np.ndarray) for value in (start, limit, delta)):
        return np.arange(start.item(), limit.item(), delta.item(), dtype=start.dtype)
    return tf.range(*op.alike(start, limit, delta))


def where(op: Operator, condition: Value, x: Value, y: Value) -> Value:
    """Where."""
    chosen = op.tensor(condition)
    if isinstance(x, Words) or isinstance(y, Words):
        left, right = alike_words((x, y))
        closed = left.closed and right.closed
        return Words(tf.where(chosen, left.places, right.places), left.known, closed)
    if isinstance(x, Parts) or isinstance(y, Parts):
        one, other = (v if isinstance(v, Parts) else _with_nothing(op, v) for v in (x, y))
        return Parts(tf.where(chosen, one.high, other.high), tf.where(chosen, one.low, other.low))
    return tf.where(chosen, *op.alike(x, y))


def _from_start(places: Value, x: Value, axis: int) -> Any:
    """Places counted from the start, where negative ones count from the end."""
    size = shape_of(x)[axis]
    if isinstance(places, np.ndarray) and not (places < 0).any():
        return index(places)
    if size is None:
        size = tf.shape(x.places if isinstance(x, Words) else x)[axis]
    at = index(places)
    return tf.math.floormod(at, tf.cast(size, at.dtype))
