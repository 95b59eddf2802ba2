"""Activation functions of neural networks."""

from __future__ import annotations

import math

import tensorflow as tf

from edgeship_converters.steps.lowering.values import Operator, Value, cast, rank_of, to_last

# Coefficients of x, x³, … over 1, x², …, as in Eigen (MPL-2.0): good to float32 on [-4, 4].
_ABOVE = (
    -1.60960333262415e-02,
    -2.95459980854025e-03,
    -7.34990630326855e-04,
    -5.69250639462346e-05,
    -2.10102402082508e-06,
    2.77068142495902e-08,
    -2.72614225801306e-10,
)
_BELOW = (
    -1.42647390514189e-02,
    -7.37332916720468e-03,
    -1.68282697438203e-03,
    -2.13374055278905e-04,
    -1.45660718464996e-05,
)


def erf(op: Operator, x: Value) -> Value:
    """Erf; TFLite has none, so that there it is a quotient of polynomials."""
    return _erf(op, op.tensor(x))


def gelu(op: Operator, x: Value) -> Value:
    """Gelu: x times the chance that a normal variable is below it, or an approximation by tanh."""
    values = op.tensor(x)
    if op.get("approximate", "none") == "tanh":
        inner = math.sqrt(2.0 / math.pi) * (values + 0.044715 * values * values * values)
        return 0.5 * values * (1.0 + tf.tanh(inner))
    return 0.5 * values * (1.0 + _erf(op, values * math.sqrt(0.5)))


def elu(op: Operator, x: Value) -> Value:
    """Elu."""
    values, alpha = op.tensor(x), op.get("alpha", 1.0)
    if alpha == 1.0:
        return tf.nn.elu(values)
    return tf.nn.relu(values) + alpha * _below(values)


def selu(op: Operator, x: Value) -> Value:
    """Selu."""
    values = op.tensor(x)
    alpha = op.get("alpha", 1.67326319217681884765625)
    gamma = op.get("gamma", 1.05070102214813232421875)
    return gamma * (tf.nn.relu(values) + alpha * _below(values))


def celu(op: Operator, x: Value) -> Value:
    """Celu."""
    values, alpha = op.tensor(x), op.get("alpha", 1.0)
    return tf.nn.relu(values) + alpha * _below(values / alpha)


def leaky_relu(op: Operator, x: Value) -> Value:
    """LeakyRelu."""
    return tf.nn.leaky_relu(op.tensor(x), op.get("alpha", 0.01))


def p_relu(op: Operator, x: Value, slope: Value) -> Value:
    """PRelu: a slope of its own below 0."""
    values, slopes = op.alike(x, slope)
    return tf.where(values < tf.zeros([], values.dtype), slopes * values, values)


def thresholded_relu(op: Operator, x: Value) -> Value:
    """ThresholdedRelu: what is above a threshold, else 0."""
    values = op.tensor(x)
    return tf.where(values > op.get("alpha", 1.0), values, tf.zeros_like(values))


def hard_sigmoid(op: Operator, x: Value) -> Value:
    """HardSigmoid: a line between 0 and 1."""
    return _line(op.tensor(x), op.get("alpha", 0.2), op.get("beta", 0.5))


def hard_swish(op: Operator, x: Value) -> Value:
    """HardSwish."""
    values = op.tensor(x)
    return values * _line(values, 1.0 / 6.0, 0.5)


def mish(op: Operator, x: Value) -> Value:
    """Mish: x·tanh(softplus(x))."""
    values = op.tensor(x)
    return values * tf.tanh(_softplus(values))


def softplus(op: Operator, x: Value) -> Value:
    """Softplus: log(1 + exp(x)), without overflow."""
    return _softplus(op.tensor(x))


def softsign(op: Operator, x: Value) -> Value:
    """Softsign."""
    values = op.tensor(x)
    return values / (1.0 + tf.abs(values))


def shrink(op: Operator, x: Value) -> Value:
    """Shrink: nearer to 0 by a bias, and 0 within a limit of it."""
    values = op.tensor(x)
    limit, bias = op.get("lambd", 0.5), op.get("bias", 0.0)
    nearer = tf.where(values < -limit, values + bias, tf.zeros_like(values))
    return tf.where(values > limit, values - bias, nearer)


def hardmax(op: Operator, x: Value) -> Value:
    """Hardmax: 1 at the first of the largest along an axis, else 0."""
    values, rank = op.tensor(x), rank_of(x)
    axis = op.get("axis", -1) % rank
    order, back = to_last(rank, axis)
    moved = tf.transpose(values, order)
    hot = tf.one_hot(tf.argmax(moved, -1, tf.int32), moved.shape[-1], dtype=tf.float32)
    return cast(tf.transpose(hot, back), values.dtype)


def dropout(op: Operator, x: Value, *given: Value) -> tuple[Value, ...]:
    """Dropout of a trained model, which drops nothing."""
    if op.outputs == 1:
        return (x,)
    values = op.tensor(x)
    return values, tf.fill(tf.shape(values), True)


def _erf(op: Operator, values: Value) -> Value:
    if not op.narrow:
        return tf.math.erf(values)
    x = tf.clip_by_value(values, -4.0, 4.0)
    square = x * x
    above, below = (sum_up(square, coefficients) for coefficients in (_ABOVE, _BELOW))
    return x * above / below


def sum_up(x: Value, coefficients: tuple[float, ...]) -> Value:
    """A polynomial, of coefficients from the constant one on."""
    *rest, last = coefficients
    made = tf.ones_like(x) * last
    for coefficient in reversed(rest):
        made = made * x + coefficient
    return made


def _below(values: Value) -> Value:
    """exp(x) - 1 below 0, and 0 above."""
    return tf.nn.elu(-tf.nn.relu(-values))


def _line(values: Value, alpha: float, beta: float) -> Value:
    # A constant of its own type: float64 must not lose what float32 cannot hold.
    return tf.clip_by_value(values * alpha + beta, 0.0, 1.0)


def _softplus(values: Value) -> Value:
    return tf.nn.relu(values) + tf.math.log1p(tf.exp(-tf.abs(values)))
