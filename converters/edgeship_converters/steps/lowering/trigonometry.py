"""Functions of angles, of which TFLite has sine, cosine and the angle of a point."""

from __future__ import annotations

import tensorflow as tf

from edgeship_converters.steps.lowering.activations import sum_up
from edgeship_converters.steps.lowering.values import Operator, Value

# Of sinh(x)/x by x², good to float32 up to ½.
_SINH = (1.0, 1.0 / 6.0, 1.0 / 120.0, 1.0 / 5040.0)


def tan(op: Operator, x: Value) -> Value:
    """Tan."""
    values = op.tensor(x)
    return tf.sin(values) / tf.cos(values) if op.narrow else tf.tan(values)


def asin(op: Operator, x: Value) -> Value:
    """Asin; NaN beyond 1."""
    values = op.tensor(x)
    return tf.atan2(values, _beside(values)) if op.narrow else tf.asin(values)


def acos(op: Operator, x: Value) -> Value:
    """Acos; NaN beyond 1."""
    values = op.tensor(x)
    return tf.atan2(_beside(values), values) if op.narrow else tf.acos(values)


def atan(op: Operator, x: Value) -> Value:
    """Atan."""
    values = op.tensor(x)
    return tf.atan2(values, tf.ones_like(values)) if op.narrow else tf.atan(values)


def sinh(op: Operator, x: Value) -> Value:
    """Sinh."""
    values = op.tensor(x)
    if not op.narrow:
        return tf.sinh(values)
    half = tf.exp(0.5 * tf.abs(values))
    # Half the exponential of all of it would overflow before the sine does.
    large = 0.5 * half * half - 0.5 / half / half
    small = values * sum_up(tf.square(values), _SINH)
    return tf.where(tf.abs(values) < 0.5, small, tf.sign(values) * large)


def cosh(op: Operator, x: Value) -> Value:
    """Cosh."""
    values = op.tensor(x)
    if not op.narrow:
        return tf.cosh(values)
    half = tf.exp(0.5 * tf.abs(values))
    return 0.5 * half * half + 0.5 / half / half


def _beside(values: Value) -> Value:
    """The other side of a triangle whose longest is 1."""
    return tf.sqrt((1.0 - values) * (1.0 + values))
