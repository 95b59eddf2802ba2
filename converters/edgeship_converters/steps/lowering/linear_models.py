"""Linear models of ai.onnx.ml, in float32 as onnxruntime computes them."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from edgeship_converters.steps.lowering.scores import labels, transformed
from edgeship_converters.steps.lowering.values import Operator, Value, cast


def regressor(op: Operator, x: Value) -> Value:
    """LinearRegressor."""
    targets = int(op.get("targets", 1))
    made = _products(op, x, targets)
    how = op.get("post_transform", "NONE")
    # onnxruntime leaves the only target as it is but for this.
    return transformed(made, how) if targets > 1 or how == "PROBIT" else made


def classifier(op: Operator, x: Value) -> tuple[Value, Value]:
    """LinearClassifier: labels, and scores by class.

    With one row of coefficients for two classes onnxruntime gives 1 - s and s, and no softmax.
    """
    names = op.get("classlabels_strings", op.get("classlabels_ints"))
    many = len(op.get("intercepts"))
    made = _products(op, x, many)
    how = op.get("post_transform", "NONE")
    if many > 1:
        return labels(op, names, tf.argmax(made, 1, tf.int32)), transformed(made, how)
    two = len(names) == 2
    if not two:
        names = ["0", "1"] if op.get("classlabels_strings") is not None else [0, 1]
    label = labels(op, names, cast(made[:, 0] > 0.0, tf.int32))
    if how in ("PROBIT", "LOGISTIC"):
        made = transformed(made, how)
    return label, tf.concat([1.0 - made, made], 1) if two else made


def _products(op: Operator, x: Value, many: int) -> Value:
    rows = cast(op.tensor(x), tf.float32)
    coefficients = np.asarray(op.get("coefficients"), np.float32).reshape(many, -1)
    made = tf.matmul(rows, tf.constant(np.ascontiguousarray(coefficients.T)))
    intercepts = op.get("intercepts")
    return made if intercepts is None else made + tf.constant(np.asarray(intercepts, np.float32))
