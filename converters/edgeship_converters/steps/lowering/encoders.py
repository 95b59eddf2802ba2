"""Operators of ai.onnx.ml that put numbers or words in place of others."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from edgeship_converters.steps.lowering.values import (
    NotLoweredError,
    Operator,
    Value,
    Words,
    cast,
)
from edgeship_runtime.arrays import Array

_KINDS: dict[str, tuple[Any, Any]] = {
    "strings": (object, "_Unused"),
    "int64s": (np.int64, -1),
    "floats": (np.float32, -0.0),
}


def label_encoder(op: Operator, x: Value) -> Value:
    """LabelEncoder: what stands for each key, and for all that is no key."""
    keys, _ = _entries(op, "keys")
    values, kind = _entries(op, "values")
    default = op.get(f"default_{kind[:-1]}", _KINDS[kind][1])
    dtype, _ = _KINDS[kind]
    table = np.append(np.asarray(values, dtype), np.asarray([default], dtype))
    return looked_up(op, x, keys, table)


def looked_up(op: Operator, x: Value, keys: Array, table: Array) -> Value:
    """The entry of a table that stands at a value's place among keys, else the last one."""
    place = _place(op, x, keys)
    if op.narrow and table.dtype.kind in "OUS":
        words = Words.of(table)
        return Words(tf.gather(words.places, place), words.known, words.closed)
    return tf.gather(op.table(table), place)


def _place(op: Operator, x: Value, keys: Array) -> Value:
    if isinstance(x, Words):
        known = {word: k for k, word in reversed(list(enumerate(keys.tolist())))}
        table = np.array([known.get(word, len(keys)) for word in x.known] + [len(keys)], np.int32)
        unknown = tf.where(x.places < 0, len(x.known), x.places)
        return tf.gather(table, unknown)
    equal = tf.equal(tf.expand_dims(op.tensor(x), -1), op.alike(x, keys)[1])
    found = tf.argmax(cast(equal, tf.int32), -1, tf.int32)
    return tf.where(tf.reduce_any(equal, -1), found, len(keys))


def _entries(op: Operator, name: str) -> tuple[Array, str]:
    for kind, (dtype, _) in _KINDS.items():
        given = op.get(f"{name}_{kind}")
        if given is not None:
            return np.asarray(given, dtype), kind
    raise NotLoweredError(f"it has no {name} of a kind that is known")
