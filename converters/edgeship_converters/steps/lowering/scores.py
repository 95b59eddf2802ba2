"""What models of ai.onnx.ml make of their scores: transformed ones, and labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from edgeship_converters.steps.lowering.arithmetic import bounded_sigmoid
from edgeship_converters.steps.lowering.tensors import gather
from edgeship_converters.steps.lowering.values import NotLoweredError, Operator, Value, cast

# onnxruntime takes what is nearer to 0 for 0.
_NEAR_ZERO = 1e-7


def transformed(scores: Value, how: str) -> Value:
    """(rows, classes) scores after a `post_transform`, which takes each row by itself.

    Raises:
        NotLoweredError: for a transform that is not known.
    """
    match how:
        case "NONE":
            return scores
        case "LOGISTIC":
            return bounded_sigmoid(scores)
        case "SOFTMAX":
            return tf.nn.softmax(scores)
        case "SOFTMAX_ZERO":
            return _softmax_zero(scores)
        case "PROBIT":
            return probit(scores)
    raise NotLoweredError(f"it transforms scores by {how}")


def probit(chances: Value) -> Value:
    """The number that a standard normal variable is below by a chance, as onnxruntime has it.

    By the inverse error function of Winitzki (2008); NaN for what is no chance.
    """
    x = 2.0 * chances - 1.0
    log = tf.math.log((1.0 - x) * (1.0 + x))
    v = 2.0 / (3.14159 * 0.147) + 0.5 * log
    root = tf.sqrt(tf.sqrt(v * v - log / 0.147) - v)
    return tf.where(x < 0.0, -root, root) * 1.41421356


def labels(op: Operator, names: Any, place: Value) -> Value:
    """The names that stand at places in a list, int64 or text."""
    names = np.asarray(names)
    if names.dtype.kind in "iu" and np.array_equal(names, np.arange(len(names))):
        return place if op.narrow else cast(place, tf.int64)
    return gather(Operator("Gather", {}, 13, 1, op.narrow), names, place)


def _softmax_zero(scores: Value) -> Value:
    """Softmax of what is not 0; a score of 0 stays."""
    shifted = tf.exp(scores - tf.reduce_max(scores, -1, True))
    chosen = tf.where(tf.abs(scores) > _NEAR_ZERO, shifted, tf.zeros_like(scores))
    total = tf.reduce_sum(chosen, -1, True)
    return chosen / total
