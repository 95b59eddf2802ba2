"""What a tensor of a graph will hold, where that is certain before any row is seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from edgeship_runtime.arrays import Array

_SHAPES = ("Shape", "ShapeN", "Size", "Rank")
_DATA = ("Placeholder", "While", "StatelessWhile", "If", "StatelessIf")
# Two batches: what differs between them depends on the number of rows.
_ROWS = (2, 3)


def known(tensor: Any) -> Array | None:
    """The value of a tensor that depends on constants and on known sizes only, else None."""
    value = tf.get_static_value(tensor)
    if value is not None:
        return np.asarray(value)
    bound = _bound(tensor)
    if bound is not None:
        return bound
    shapes: dict[str, Any] = {}
    if not _gather(tensor, shapes):
        return None
    first, second = (_evaluate(tensor, shapes, rows) for rows in _ROWS)
    return first if np.array_equal(first, second) else None


def _gather(tensor: Any, shapes: dict[str, Any]) -> bool:
    """Whether no value of an input is needed; collects the tensors whose shapes are."""
    waiting, seen = [tensor], set()
    while waiting:
        operator = waiting.pop().op
        if operator.name in seen:
            continue
        seen.add(operator.name)
        if operator.type in _DATA:
            return False
        if operator.type in _SHAPES:
            for source in operator.inputs:
                if source.shape.rank is None or None in source.shape[1:]:
                    return False
                shapes[source.name] = source
        else:
            waiting += operator.inputs
    return True


def _evaluate(tensor: Any, shapes: dict[str, Any], rows: int) -> Array:
    feeds = {
        source: np.zeros(
            [rows if size is None else size for size in source.shape], source.dtype.as_numpy_dtype
        )
        for source in shapes.values()
    }
    with tf.compat.v1.Session(graph=tensor.graph) as session:
        return np.asarray(session.run(tensor, feeds))


def _bound(tensor: Any) -> Array | None:
    """min(a, max(b, anything)) is a, where a is at most b."""
    if tensor.op.type != "Minimum":
        return None
    for most, rest in (tensor.op.inputs, reversed(tensor.op.inputs)):
        a = tf.get_static_value(most)
        if a is None or rest.op.type != "Maximum":
            continue
        least = [tf.get_static_value(value) for value in rest.op.inputs]
        if any(b is not None and np.all(b >= a) for b in least):
            return np.asarray(a)
    return None
