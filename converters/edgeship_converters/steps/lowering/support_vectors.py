"""Support vector machines of ai.onnx.ml, in float32 as onnxruntime computes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from edgeship_converters.steps.lowering.matrices import squares_apart
from edgeship_converters.steps.lowering.scores import labels, transformed
from edgeship_converters.steps.lowering.values import NotLoweredError, Operator, Value, cast
from edgeship_runtime.arrays import Array

# How close to certain one class against another can be, and how often chances are bettered.
_NEAR = 1e-7
_ROUNDS = 100


def regressor(op: Operator, x: Value) -> Value:
    """SVMRegressor; of one class, 1 or -1. onnxruntime reads no `post_transform` of it."""
    rho, count = float(op.get("rho")[0]), int(op.get("n_supports", 0))
    coefficients = np.asarray(op.get("coefficients"), np.float32)
    rows = cast(op.tensor(x), tf.float32)
    if count:
        vectors = np.asarray(op.get("support_vectors"), np.float32).reshape(count, -1)
        made = tf.matmul(_kernel(op, rows, vectors), tf.constant(coefficients[:, None]))
    else:
        made = tf.matmul(rows, tf.constant(coefficients[:, None]))
    made = made + rho
    if not op.get("one_class", 0):
        return made
    return tf.where(made > 0.0, tf.ones_like(made), -tf.ones_like(made))


def classifier(op: Operator, x: Value) -> tuple[Value, Value]:
    """SVMClassifier: labels, and scores by class, or by pair of classes where there are no chances.

    The label is the class that wins most pairs, also where chances say another.
    """
    names = op.get("classlabels_strings", op.get("classlabels_ints"))
    how = op.get("post_transform", "NONE")
    rows = cast(op.tensor(x), tf.float32)
    counts = op.get("vectors_per_class")
    if counts is None or not np.sum(counts):
        return _linear(op, rows, names, how)
    classes = len(counts)
    if classes < 2:
        raise NotLoweredError("it knows one class only")
    vectors = np.asarray(op.get("support_vectors"), np.float32).reshape(int(np.sum(counts)), -1)
    pairs = [(i, j) for i in range(classes) for j in range(i + 1, classes)]
    weights = _pair_weights(np.asarray(op.get("coefficients"), np.float32), counts, pairs)
    made = tf.matmul(_kernel(op, rows, vectors), tf.constant(weights))
    made = made + tf.constant(np.asarray(op.get("rho"), np.float32)[: len(pairs)])
    votes = cast(made > 0.0, tf.float32)
    first, second = np.zeros((2, len(pairs), classes), np.float32)
    for k, (i, j) in enumerate(pairs):
        first[k, i] = second[k, j] = 1.0
    won = tf.matmul(votes, tf.constant(first)) + tf.matmul(1.0 - votes, tf.constant(second))
    label = labels(op, names, tf.argmax(won, 1, tf.int32))
    if op.get("prob_a") is not None:
        return label, transformed(_chances(op, made, pairs, classes), how)
    if classes > 2:
        return label, transformed(made, how)
    if how == "PROBIT":
        raise NotLoweredError("it has one score, of which onnxruntime makes no second by PROBIT")
    if how == "LOGISTIC":
        return label, transformed(tf.concat([-made, made], 1), how)
    return label, tf.concat([-made if how == "NONE" else 1.0 - made, made], 1)


def _linear(op: Operator, rows: Value, names: Any, how: str) -> tuple[Value, Value]:
    coefficients = np.asarray(op.get("coefficients"), np.float32)
    table = np.ascontiguousarray(coefficients.reshape(len(names), -1).T)
    made = tf.matmul(rows, tf.constant(table)) + float(op.get("rho")[0])
    place = tf.argmax(made, 1, tf.int32)
    if len(names) == 2 and op.get("prob_a") is None:
        most = tf.reduce_max(made, 1)
        second = most >= 0.5 if (coefficients >= 0).all() else most > 0.0
        place = tf.where(second, tf.ones_like(place), place)
    return labels(op, names, place), transformed(made, how)


def _kernel(op: Operator, rows: Value, vectors: Array) -> Value:
    """(rows, vectors), how alike each row and each support vector are."""
    kind = op.get("kernel_type", "LINEAR")
    params = op.get("kernel_params")
    gamma, coef0, degree = (0.0, 0.0, 0.0) if params is None else (float(p) for p in params[:3])
    if kind == "RBF":
        return tf.exp(-gamma * squares_apart(rows, vectors))
    product = tf.matmul(rows, tf.constant(np.ascontiguousarray(vectors.T)))
    if kind == "LINEAR":
        return product
    scaled = product * gamma + coef0
    if kind == "SIGMOID":
        return tf.tanh(scaled)
    if kind != "POLY":
        raise NotLoweredError(f"its kernel is {kind}")
    if not degree.is_integer() or not 0 <= degree <= 16:
        return tf.pow(scaled, degree)
    power = tf.ones_like(scaled)
    for _ in range(int(degree)):
        power = power * scaled
    return power


def _pair_weights(coefficients: Array, counts: Any, pairs: list[tuple[int, int]]) -> Array:
    """(vectors, pairs), what a support vector of either class of a pair weighs in it."""
    ends = np.cumsum(counts)
    starts = ends - counts
    by_class = coefficients.reshape(-1, int(ends[-1]))
    weights = np.zeros((int(ends[-1]), len(pairs)), np.float32)
    for k, (i, j) in enumerate(pairs):
        of_i, of_j = slice(starts[i], ends[i]), slice(starts[j], ends[j])
        weights[of_i, k] = by_class[j - 1, of_i]
        weights[of_j, k] = by_class[i, of_j]
    return weights


def _chances(op: Operator, made: Value, pairs: list[tuple[int, int]], classes: int) -> Value:
    """(rows, classes) chances that agree best with those of pairs (Wu, Lin & Weng 2004)."""
    a, b = (np.asarray(op.get(f"prob_{of}"), np.float32)[: len(pairs)] for of in "ab")
    of_pair = tf.clip_by_value(tf.sigmoid(-(made * a + b)), _NEAR, 1.0 - _NEAR)
    columns = tf.unstack(of_pair, axis=1, num=len(pairs))
    wins: dict[tuple[int, int], Value] = {}
    for (i, j), column in zip(pairs, columns, strict=True):
        wins[i, j], wins[j, i] = column, 1.0 - column
    table = [
        [
            tf.add_n([tf.square(wins[k, i]) for k in range(classes) if k != i])
            if i == j
            else -wins[j, i] * wins[i, j]
            for j in range(classes)
        ]
        for i in range(classes)
    ]
    q = tf.stack([tf.stack(row, 1) for row in table], 1)
    return _bettered(q, classes)


def _bettered(q: Value, classes: int) -> Value:
    """Chances p that make p·Q·p small, one after the other, until all rows are close to it."""
    start = tf.ones_like(q[:, :, 0]) / classes
    enough = 0.005 / classes

    def state(p: Value) -> tuple[Value, Value, Value]:
        qp = tf.reduce_sum(q * tf.expand_dims(p, 1), 2)
        pqp = tf.reduce_sum(p * qp, 1, True)
        return qp, pqp, tf.reduce_max(tf.abs(qp - pqp), 1, True) >= enough

    def going(step: Value, p: Value) -> Value:
        return tf.logical_and(step < _ROUNDS, tf.reduce_any(state(p)[2]))

    def bettered(step: Value, p: Value) -> tuple[Value, Value]:
        before = p
        qp, pqp, far = state(p)
        for i in range(classes):
            here = q[:, i, i : i + 1]
            diff = (pqp - qp[:, i : i + 1]) / here
            p = p + diff * tf.constant(np.eye(classes, dtype=np.float32)[i : i + 1])
            pqp = (pqp + diff * (diff * here + 2.0 * qp[:, i : i + 1])) / tf.square(1.0 + diff)
            qp = (qp + diff * q[:, i, :]) / (1.0 + diff)
            p = p / (1.0 + diff)
        return step + 1, tf.where(far, p, before)

    shape = tf.TensorShape([q.shape[0], classes])
    loop = tf.while_loop(
        going,
        bettered,
        (tf.constant(0), start),
        shape_invariants=(tf.TensorShape([]), shape),
    )
    return loop[1]
