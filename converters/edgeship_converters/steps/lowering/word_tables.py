"""Lookup tables of words, which a SavedModel must hold on to beside its graph."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

from edgeship_runtime.arrays import Array

_COLLECTION = "edgeship_word_tables"


def places_of_words(words: Any, keys: Array) -> Any:
    """The first place of each word among keys, their number for any other word: int32.

    The table is kept with the graph that is being traced, the outermost one where graphs are
    nested, so that `tables_of` finds it.
    """
    first = {word: place for place, word in reversed(list(enumerate(keys.tolist())))}
    with tf.init_scope():
        filled = tf.lookup.KeyValueTensorInitializer(
            list(first), list(first.values()), tf.string, tf.int32
        )
        table = tf.lookup.StaticHashTable(filled, len(keys))
    graph = tf.compat.v1.get_default_graph()
    while graph.outer_graph.building_function:
        graph = graph.outer_graph
    graph.add_to_collection(_COLLECTION, table)
    return table.lookup(words)


def tables_of(traced: Any) -> list[Any]:
    """The tables that a concrete function looks words up in, in the order of their making."""
    return list(traced.graph.get_collection(_COLLECTION))
