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
    is_text,
)
from edgeship_converters.steps.lowering.word_tables import places_of_words
from edgeship_runtime.arrays import Array

# Among more keys, a value is sought in another way than by comparing it with each.
_MOST_COMPARED = 100
_KINDS: dict[str, Any] = {"strings": object, "int64s": np.int64, "floats": np.float32}
# What no key becomes, by the kind of numpy type.
_UNLIKE = {"O": "_Unused", "i": -1, "f": -0.0}


def label_encoder(op: Operator, x: Value) -> Value:
    """LabelEncoder: what stands for each key, and for all that is no key.

    NaN is found among keys since version 4 of the operator, as onnxruntime does it.
    """
    classes = op.get("classes_strings")
    if classes is not None:
        return _places_of_classes(op, x, np.asarray(classes, object))
    keys, _ = _entries(op, "keys")
    values, kind = _entries(op, "values")
    default = op.get("default_tensor")
    if default is None:
        unlike = _UNLIKE[values.dtype.kind]
        default = op.get(f"default_{kind[:-1]}", unlike) if kind != "tensor" else unlike
    table = np.append(values, np.asarray(default).astype(values.dtype).reshape(1))
    return looked_up(op, x, keys, table)


def category_mapper(op: Operator, x: Value) -> Value:
    """CategoryMapper: the number of each word, or the word of each number."""
    words = np.asarray(op.get("cats_strings"), object)
    numbers = np.asarray(op.get("cats_int64s"), np.int64)
    if is_text(x):
        return looked_up(op, x, words, np.append(numbers, op.get("default_int64", -1)))
    table = np.append(words, np.asarray([op.get("default_string", "_Unused")], object))
    return looked_up(op, x, numbers, table)


def one_hot_encoder(op: Operator, x: Value) -> Value:
    """OneHotEncoder: a 1 in the place of a category.

    What is none of them is all zeros also where `zeros` is 0 and onnxruntime would fail.
    """
    if is_text(x):
        keys = np.asarray(op.get("cats_strings"), object)
    else:
        keys = np.asarray(op.get("cats_int64s"), np.int64)
        values = op.tensor(x)
        x = values if values.dtype.is_integer else cast(values, op.dtype(tf.int64))
    return tf.one_hot(_place(op, x, keys), len(keys), dtype=tf.float32)


def looked_up(op: Operator, x: Value, keys: Array, table: Array) -> Value:
    """The entry of a table that stands at a value's place among keys, else the last one."""
    place = _place(op, x, keys)
    if op.narrow and table.dtype.kind in "OUS":
        words = Words.of(table)
        return Words(tf.gather(words.places, place), words.known, words.closed)
    return tf.gather(op.tensor(table), place)


def _place(op: Operator, x: Value, keys: Array) -> Value:
    if isinstance(x, Words):
        known = {word: k for k, word in reversed(list(enumerate(keys.tolist())))}
        return x.numbers(known, len(keys))
    many = not op.narrow and len(keys) > _MOST_COMPARED
    if keys.dtype.kind == "O":
        words = op.tensor(x)
        return places_of_words(words, keys) if many else _compared(op, words, op.tensor(keys), keys)
    if many:
        return _sought(op, x, keys)
    values, known = op.alike(x, keys)
    return _compared(op, values, known, keys)


def _compared(op: Operator, values: Value, known: Value, keys: Array) -> Value:
    """Places among few keys, each compared with each value."""
    values = tf.expand_dims(values, -1)
    equal = tf.equal(values, known)
    if _finds_nan(op, keys):
        equal = tf.logical_or(equal, tf.logical_and(tf.not_equal(values, values), np.isnan(keys)))
    found = tf.argmax(cast(equal, tf.int32), -1, tf.int32)
    return tf.where(tf.reduce_any(equal, -1), found, len(keys))


def _sought(op: Operator, x: Value, keys: Array) -> Value:
    """Places among many numbers, sought in their order."""
    ordered, first = np.unique(keys, return_index=True)
    if keys.dtype.kind == "f":
        ordered, first = ordered[~np.isnan(ordered)], first[~np.isnan(ordered)]
    values, known = op.alike(x, ordered)
    at = tf.searchsorted(known, tf.reshape(values, [-1]))
    at = tf.reshape(tf.minimum(at, len(ordered) - 1), tf.shape(values))
    place = tf.gather(tf.constant(first, tf.int32), at)
    place = tf.where(tf.equal(tf.gather(known, at), values), place, len(keys))
    if _finds_nan(op, keys):
        place = tf.where(tf.not_equal(values, values), int(np.isnan(keys).argmax()), place)
    return place


def _finds_nan(op: Operator, keys: Array) -> bool:
    return op.opset >= 4 and keys.dtype.kind == "f" and bool(np.isnan(keys).any())


def _places_of_classes(op: Operator, x: Value, classes: Array) -> Value:
    """The first version of LabelEncoder: the place of a word in a list, or the word at a place."""
    if is_text(x):
        places = np.arange(len(classes))
        return looked_up(op, x, classes, np.append(places, op.get("default_int64", -1)))
    table = np.append(classes, np.asarray([op.get("default_string", "_Unused")], object))
    return looked_up(op, x, np.arange(len(classes)), table)


def _entries(op: Operator, name: str) -> tuple[Array, str]:
    given = op.get(f"{name}_tensor")
    if given is not None:
        array = np.asarray(given).ravel()
        return (
            array.astype(np.str_).astype(object) if array.dtype.kind in "OUS" else array
        ), "tensor"
    for kind, dtype in _KINDS.items():
        given = op.get(f"{name}_{kind}")
        if given is not None:
            return np.asarray(given, dtype), kind
    raise NotLoweredError(f"it has no {name} of a kind that is known")
