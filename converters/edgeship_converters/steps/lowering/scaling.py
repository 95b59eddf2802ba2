"""Operators that shift, scale, threshold or fill in columns."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from edgeship_converters.steps.lowering.values import (
    NotLoweredError,
    Operator,
    Value,
    cast,
    constant,
    rank_of,
)


def scaler(op: Operator, x: Value) -> Value:
    """Scaler: (x - offset)·scale, as float32."""
    values = op.tensor(x)
    if values.dtype != tf.float64:
        values = cast(values, tf.float32)
    offset, scale = (constant(np.asarray(op.get(k)), values.dtype) for k in ("offset", "scale"))
    return cast((values - offset) * scale, tf.float32)


def normalizer(op: Operator, x: Value) -> Value:
    """Normalizer: each row divided by its largest entry, sum of magnitudes or length, but for 0."""
    values = op.tensor(x)
    rows = cast(values, tf.float32)
    kind = op.get("norm", "MAX")
    if kind == "L2":
        squares = cast(tf.square(values if values.dtype == tf.float64 else rows), tf.float32)
        total = tf.reduce_sum(squares, -1, True)
        divided = tf.sqrt(squares / _not_zero(total))
        made = tf.where(rows < 0.0, -divided, divided)
    elif kind in ("L1", "MAX"):
        total = (
            tf.reduce_sum(tf.abs(rows), -1, True) if kind == "L1" else tf.reduce_max(rows, -1, True)
        )
        made = rows / _not_zero(total)
    else:
        raise NotLoweredError(f"it normalizes by {kind}")
    return tf.where(tf.equal(total, 0.0), rows, made)


def lp_normalization(op: Operator, x: Value) -> Value:
    """LpNormalization: divided along an axis by the sum of magnitudes or length, where not 0."""
    values, axis = op.tensor(x), op.get("axis", -1)
    if op.get("p", 2) == 1:
        total = tf.reduce_sum(tf.abs(values), axis, True)
    else:
        total = tf.sqrt(tf.reduce_sum(tf.square(values), axis, True))
    return values / _not_zero(total)


def layer_normalization(op: Operator, x: Value, scale: Value, bias: Value = None) -> Value:
    """LayerNormalization: along all axes from one on, mean 0 and variance 1, then scaled."""
    if op.outputs > 1:
        raise NotLoweredError("its mean or deviation is asked for")
    values, rank = op.tensor(x), rank_of(x)
    axes = list(range(op.get("axis", -1) % rank, rank))
    rest = values - tf.reduce_mean(values, axes, True)
    variance = tf.reduce_mean(tf.square(rest), axes, True)
    made = rest / tf.sqrt(variance + tf.cast(op.get("epsilon", 1e-5), values.dtype))
    made = made * op.alike(values, scale)[1]
    return made if bias is None else made + op.alike(values, bias)[1]


def batch_normalization(
    op: Operator, x: Value, scale: Value, bias: Value, mean: Value, variance: Value
) -> Value:
    """BatchNormalization as trained: along axis 1, by the mean and variance given."""
    if op.get("training_mode", 0):
        raise NotLoweredError("it is to be trained")
    values, rank = op.tensor(x), rank_of(x)
    shape = [1, -1] + [1] * (rank - 2)
    scale, bias, mean, variance = (
        tf.reshape(op.alike(values, given)[1], shape) for given in (scale, bias, mean, variance)
    )
    factor = scale / tf.sqrt(variance + tf.cast(op.get("epsilon", 1e-5), values.dtype))
    return (values - mean) * factor + bias


def imputer(op: Operator, x: Value) -> Value:
    """Imputer: one value, or NaN, replaced in each column by another."""
    values = op.tensor(x)
    if values.dtype.is_floating:
        replaced, imputed = op.get("replaced_value_float", 0.0), op.get("imputed_value_floats")
    else:
        replaced, imputed = op.get("replaced_value_int64", 0), op.get("imputed_value_int64s")
    if imputed is None:
        raise NotLoweredError("it has no values of the type of its input")
    gone = (
        tf.not_equal(values, values)
        if np.isnan(replaced)
        else tf.equal(values, constant(np.asarray(replaced), values.dtype))
    )
    return tf.where(gone, constant(np.asarray(imputed), values.dtype), values)


def binarizer(op: Operator, x: Value) -> Value:
    """Binarizer: 1 above a threshold, else 0."""
    values = op.tensor(x)
    above = values > constant(np.asarray(op.get("threshold", 0.0)), values.dtype)
    return cast(above, values.dtype)


def _not_zero(total: Value) -> Value:
    return tf.where(tf.equal(total, tf.zeros_like(total)), tf.ones_like(total), total)
