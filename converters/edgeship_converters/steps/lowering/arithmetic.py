"""Operators that compute each entry by itself: sums, products, functions."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
import tensorflow as tf

from edgeship_converters.steps.lowering.values import NotLoweredError, Operator, Parts, Value, cast

Lowered = Callable[..., Any]


def of_one(function: Callable[[Any], Any]) -> Lowered:
    """The lowering of a function of one number."""

    def lowered(op: Operator, x: Value) -> Value:
        return function(op.tensor(x))

    return lowered


def of_two(function: Callable[[Any, Any], Any]) -> Lowered:
    """The lowering of a function of two numbers, of one type."""

    def lowered(op: Operator, x: Value, y: Value) -> Value:
        return function(*op.alike(x, y))

    return lowered


def of_many(function: Callable[[Any, Any], Any]) -> Lowered:
    """The lowering of a function that takes its arguments two by two."""

    def lowered(op: Operator, *given: Value) -> Value:
        return reduce(function, op.alike(*given))

    return lowered


def summed(function: Callable[[Any, Any], Any]) -> Lowered:
    """As `of_many`, of sums and products, which may be beyond their arguments' type."""

    def lowered(op: Operator, *given: Value) -> Value:
        return reduce(function, op.counted(*given))

    return lowered


def subtracted(op: Operator, x: Value, y: Value) -> Value:
    """Sub; from a constant of float64 both its parts, so that what is near it loses nothing."""
    left, right = (_parts(op, value) for value in (x, y))
    if left is None and right is None:
        return operator.sub(*op.counted(x, y))
    difference = operator.sub(*op.alike(x, y))
    if left is not None:
        difference = difference + left.low
    return difference if right is None else difference - right.low


def _parts(op: Operator, value: Value) -> Parts | None:
    if op.narrow and isinstance(value, np.ndarray):
        return Parts.of(value)
    return value if isinstance(value, Parts) else None


def compared(function: Callable[[Any, Any], Any], strict: Callable[[Any, Any], Any]) -> Lowered:
    """The lowering of a comparison.

    TensorFlow takes numbers below the smallest of full precision for 0. So does a constant among
    them, which then lies on the wrong side of 0, unless it moves away from it. In a narrow graph a
    constant that float32 does not hold becomes the next number on the side where it decides alike.

    Args:
        function: of two tensors.
        strict: the same, or what it is for unequal numbers: 'less' or 'greater'.
    """
    # Whether a constant on the right belongs with what is above it.
    up = (strict is tf.less) == (function is strict)

    def lowered(op: Operator, x: Value, y: Value) -> Value:
        if isinstance(x, Parts) or isinstance(y, Parts):
            return in_parts(function, strict, _both(op, x), _both(op, y))
        if op.narrow:
            x, y = _on_its_side(x, not up), _on_its_side(y, up)
        else:
            x, y = _away_from_zero(x, not up), _away_from_zero(y, up)
        return function(*op.alike(x, y))

    return lowered


def equal(op: Operator, x: Value, y: Value) -> Value:
    """Equal, of numbers, truths or words."""
    if isinstance(x, Parts) or isinstance(y, Parts):
        (high, low), (other, rest) = _both(op, x), _both(op, y)
        return tf.logical_and(tf.equal(high, other), tf.equal(low, rest))
    return tf.equal(*op.alike(x, y))


def _both(op: Operator, value: Value) -> tuple[Any, Any]:
    parts = _parts(op, value)
    if parts is not None:
        return parts.high, parts.low
    high = cast(op.tensor(value), tf.float32)
    return high, tf.zeros([], tf.float32)


def in_parts(
    function: Callable[[Any, Any], Any],
    strict: Callable[[Any, Any], Any],
    x: tuple[Any, Any],
    y: tuple[Any, Any],
) -> Any:
    """A comparison of numbers in two parts: the first decide, or where these are equal the others.

    Args:
        function: see `compared`.
        strict: see `compared`.
        x: both parts.
        y: both parts.
    """
    (high, low), (other, rest) = x, y
    alike = tf.logical_and(tf.equal(high, other), function(low, rest))
    return tf.logical_or(strict(high, other), alike)


def _on_its_side(value: Value, up: bool) -> Value:
    """Constants of float64 as float32, above or below where it does not hold them."""
    if not isinstance(value, np.ndarray) or value.dtype != np.float64:
        return value
    with np.errstate(over="ignore"):
        near = value.astype(np.float32)
    after = np.nextafter(near, np.float32(np.inf if up else -np.inf))
    wrong = near.astype(np.float64) < value if up else near.astype(np.float64) > value
    return np.where(wrong, after, near)


def _away_from_zero(value: Value, up: bool) -> Value:
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
        return value
    tiny = np.finfo(value.dtype).tiny
    moved = np.where(value > 0, tiny if up else 0, 0 if up else -tiny).astype(value.dtype)
    return np.where((np.abs(value) < tiny) & (value != 0), moved, value)


def mean(op: Operator, *given: Value) -> Value:
    """Mean, of several values."""
    return reduce(tf.add, op.alike(*given)) / len(given)


def divided(op: Operator, x: Value, y: Value) -> Value:
    """Div; whole numbers towards zero."""
    above, below = op.alike(x, y)
    if not above.dtype.is_integer:
        if isinstance(y, np.ndarray) and not op.narrow:
            # TensorFlow multiplies by one over what it knows to be constant, and rounds once more.
            below = tf.raw_ops.PlaceholderWithDefault(input=below, shape=below.shape)
        return tf.divide(above, below)
    if op.narrow and above.dtype == tf.int64:
        raise NotLoweredError("it divides whole numbers, which LiteRT does of 32 bits only")
    return tf.truncatediv(above, below)


def modulo(op: Operator, x: Value, y: Value) -> Value:
    """Mod: the sign is the divisor's, or with `fmod` the dividend's."""
    above, below = op.alike(x, y)
    rest = tf.math.floormod(above, below)
    if not op.get("fmod", 0):
        return rest
    zero = tf.zeros([], above.dtype)
    other = tf.logical_and(tf.not_equal(rest, zero), (above < zero) != (below < zero))
    return tf.where(other, rest - below, rest)


def power(op: Operator, x: Value, y: Value) -> Value:
    """Pow; a square is a product, which is exact where a logarithm is not."""
    if isinstance(y, np.ndarray) and y.size == 1:
        base, exponent = op.tensor(x), float(y.ravel()[0])
        if exponent == 2.0:
            return tf.square(base)
        if exponent == 1.0:
            return base
        if exponent == 0.5:
            return tf.sqrt(base)
    base = op.tensor(x)
    exponents = op.tensor(y)
    return tf.pow(base, tf.cast(exponents, base.dtype))


def clip(op: Operator, x: Value, *limits: Value) -> Value:
    """Clip, between limits of which either may be left out."""
    values = op.tensor(x)
    low, high = (limits[k] if len(limits) > k else None for k in (0, 1))
    if op.opset < 11:
        low, high = (
            None if limit is None else np.asarray(limit, np.float32)
            for limit in (op.get("min"), op.get("max"))
        )
    if low is not None:
        values = tf.maximum(*op.alike(values, low))
    if high is not None:
        values = tf.minimum(*op.alike(values, high))
    return values


def sigmoid(op: Operator, x: Value) -> Value:
    """Sigmoid; of what is far below 0, LiteRT by itself makes NaN."""
    values = op.tensor(x)
    return bounded_sigmoid(values) if op.narrow else tf.sigmoid(values)


def bounded_sigmoid(values: Any) -> Any:
    """The sigmoid of numbers that are brought within what LiteRT takes."""
    return tf.sigmoid(tf.maximum(values, -128.0))


def sign(op: Operator, x: Value) -> Value:
    """Sign, of 0 it is 0."""
    values = op.tensor(x)
    if op.narrow and values.dtype.is_integer:
        zero = tf.zeros([], values.dtype)
        return cast(values > zero, values.dtype) - cast(values < zero, values.dtype)
    return tf.sign(values)


def magnitude(op: Operator, x: Value) -> Value:
    """Abs."""
    return magnitudes(op.tensor(x))


def magnitudes(values: Any) -> Any:
    """The magnitude of each number; LiteRT takes none of int64, but the larger of two."""
    return tf.maximum(values, -values) if values.dtype == tf.int64 else tf.abs(values)


def rounded(op: Operator, x: Value) -> Value:
    """Round, halves to even."""
    return tf.round(op.tensor(x))


def is_nan(op: Operator, x: Value) -> Value:
    """IsNaN: what is not equal to itself."""
    values = op.tensor(x)
    return tf.not_equal(values, values)


def is_inf(op: Operator, x: Value) -> Value:
    """IsInf: what is beyond the largest number of its type."""
    values = op.tensor(x)
    most = np.finfo(values.dtype.as_numpy_dtype).max
    positive, negative = values > most, values < -most
    if not op.get("detect_negative", 1):
        return positive
    if not op.get("detect_positive", 1):
        return negative
    return tf.logical_or(positive, negative)
