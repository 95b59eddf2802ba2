"""Operators on matrices: products, triangles, identities, distances between rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from onnx import helper

from edgeship_converters.steps.lowering.values import (
    NotLoweredError,
    Operator,
    Value,
    cast,
    shape_of,
    static,
)

# So many differences a row are computed one by one.
_MOST_DIFFERENCES = 2**14


def gemm(op: Operator, a: Value, b: Value, c: Value = None) -> Value:
    """Gemm: alpha·A·B + beta·C."""
    left, right = op.alike(a, b)
    product = tf.matmul(
        left, right, transpose_a=bool(op.get("transA", 0)), transpose_b=bool(op.get("transB", 0))
    )
    alpha, beta = op.get("alpha", 1.0), op.get("beta", 1.0)
    if alpha != 1.0:
        product = product * tf.cast(alpha, product.dtype)
    if c is None or beta == 0.0:
        return product
    if isinstance(c, np.ndarray) and c.ndim == 2 and c.shape[0] == 1:
        # What TensorFlow fuses with a product must have one axis.
        c = c[0]
    product, added = op.alike(product, c)
    return product + (added if beta == 1.0 else added * tf.cast(beta, added.dtype))


def matmul(op: Operator, a: Value, b: Value) -> Value:
    """MatMul; a vector is a row on the left and a column on the right."""
    left, right = op.alike(a, b)
    as_row, as_column = left.shape.rank == 1, right.shape.rank == 1
    if as_row:
        left = tf.expand_dims(left, 0)
    if as_column:
        right = tf.expand_dims(right, -1)
    product = tf.matmul(left, right)
    if as_column:
        product = tf.squeeze(product, -1)
    return tf.squeeze(product, -1 if as_column else -2) if as_row else product


def einsum(op: Operator, *given: Value) -> Value:
    """Einsum, of one or two values."""
    if len(given) > 2:
        raise NotLoweredError("it takes more than two values")
    return tf.einsum(op.get("equation").replace(" ", ""), *op.alike(*given))


def eye_like(op: Operator, x: Value) -> Value:
    """EyeLike: ones on a diagonal of a matrix of the same size, else zeros."""
    to = op.get("dtype")
    values = op.tensor(x)
    dtype = values.dtype if to is None else op.dtype(helper.tensor_dtype_to_np_dtype(to))
    return cast(tf.equal(_offsets(values), op.get("k", 0)), dtype)


def trilu(op: Operator, x: Value, k: Value = None) -> Value:
    """Trilu: a triangle of a matrix, zeros beside it."""
    values = op.tensor(x)
    diagonal = 0 if k is None else int(np.ravel(static(k))[0])
    offsets = _offsets(values)
    kept = offsets >= diagonal if op.get("upper", 1) else offsets <= diagonal
    return tf.where(kept, values, tf.zeros_like(values))


def cdist(op: Operator, a: Value, b: Value) -> Value:
    """CDist of com.microsoft: (rows of a, rows of b) distances, Euclidean or their squares."""
    left, right = op.alike(a, b)
    if isinstance(b, np.ndarray):
        right = b.astype(left.dtype.as_numpy_dtype)
    squares = squares_apart(left, right)
    match op.get("metric", "sqeuclidean"):
        case "sqeuclidean":
            return squares
        case "euclidean":
            return tf.sqrt(squares)
        case other:
            raise NotLoweredError(f"its distance is {other}")


def squares_apart(rows: tf.Tensor, others: Value) -> Value:
    """(rows, others) squares of the distances between rows of two matrices of one type.

    From few constants they are sums of squared differences, which lose nothing. Differences from
    many would fill the memory, so that a product of the matrices stands for them, each moved by the
    mean of `others` first, which changes no distance and little cancels.
    """
    if isinstance(others, np.ndarray) and others.size <= _MOST_DIFFERENCES:
        apart = tf.expand_dims(rows, 1) - tf.constant(others[None])
        return tf.reduce_sum(tf.square(apart), 2)
    if isinstance(others, np.ndarray):
        middle = others.mean(0, keepdims=True, dtype=np.float64).astype(others.dtype)
        others = others - middle
        lengths = tf.constant(np.square(others, dtype=np.float64).sum(1).astype(others.dtype))
        others = tf.constant(others)
    else:
        middle = tf.reduce_mean(others, 0, True)
        others = others - middle
        lengths = tf.reduce_sum(tf.square(others), 1)
    rows = rows - middle
    squares = (
        tf.reduce_sum(tf.square(rows), 1, True)
        + tf.expand_dims(lengths, 0)
        - 2.0 * tf.matmul(rows, others, transpose_b=True)
    )
    return tf.nn.relu(squares)


def _offsets(values: Value) -> Any:
    """How far each entry of the last two axes is right of the diagonal."""
    rows, columns = shape_of(values)[-2:]
    now = tf.shape(values)
    down = tf.range(now[-2]) if rows is None else np.arange(rows, dtype=np.int32)
    right = tf.range(now[-1]) if columns is None else np.arange(columns, dtype=np.int32)
    return tf.expand_dims(right, 0) - tf.expand_dims(down, 1)
