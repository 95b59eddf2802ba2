"""Categories for trees: as codes, and splits as columns of 1 where a row's one is in a set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from edgeship_converters.steps.classical.dispatch import through
from edgeship_converters.steps.classical.graph import ML, Graph
from edgeship_converters.steps.classical.rows import Block, Rows, beside

# A column, and the numbers of the categories that a split asks about.
Split: TypeAlias = "tuple[int, frozenset[int]]"

# Between 0 and 1: a member goes to the right of it.
THRESHOLD = 0.5


def with_codes(known: Mapping[int, Sequence[Any]], rows: Rows, graph: Graph) -> Rows:
    """The rows with each category's place among those of its column; NaN for one unknown.

    Args:
        known: the categories by column, words or numbers.
        rows: with the categories themselves.
        graph: where the operators are added.
    """
    if not known:
        return rows
    rows = through(rows, graph)
    parts = []
    for place, block in enumerate(rows.columns(graph)):
        if place not in known:
            parts.append(Rows((block,)))
            continue
        words = block.kind == "string"
        keys = (
            {"keys_strings": [str(category) for category in known[place]]}
            if words
            else {"keys_floats": [float(category) for category in known[place]]}
        )
        (code,) = graph.node(
            "LabelEncoder",
            block.value if words else block.cast("float32", graph),
            domain=ML,
            values_floats=[float(code) for code in range(len(known[place]))],
            default_float=float("nan"),
            **keys,
        )
        parts.append(Rows((Block(code, 1, "float32"),)))
    return replace(beside(parts), names=rows.names)


def with_memberships(
    splits: Iterable[Split], rows: Rows, graph: Graph
) -> tuple[Rows, dict[Split, int]]:
    """The rows with a column for each split behind their own, and where each has its column.

    A row's number is cut off to a whole one; NaN stays NaN. Without any split the rows are given
    back as they are, otherwise once they have passed what they had yet to pass.
    """
    by_feature: dict[int, list[frozenset[int]]] = {}
    for feature, members in splits:
        known = by_feature.setdefault(feature, [])
        if members not in known:
            known.append(members)
    if not by_feature:
        return rows, {}
    rows = through(rows, graph)
    parts = [rows]
    columns: dict[Split, int] = {}
    for feature, sets in sorted(by_feature.items()):
        (block,) = rows.take([feature], graph).blocks
        found = _members(block.cast("float32", graph), sets, graph)
        parts.append(Rows((Block(found, len(sets), "float32"),)))
        for members in sets:
            columns[feature, members] = rows.width + len(columns)
    return beside(parts), columns


def _members(column: str, sets: list[frozenset[int]], graph: Graph) -> str:
    """(rows, sets) of 1 and 0, or NaN, of a float32 column of the shape (rows, 1)."""
    most = max((max(members, default=0) for members in sets), default=0)
    # The first line is for numbers below 0, the last two are for those above all, and for NaN.
    table = np.zeros((most + 4, len(sets)), np.float32)
    for place, members in enumerate(sets):
        table[[member + 1 for member in members], place] = 1.0
    table[-1] = np.nan
    low, high, missing = (
        graph.exactly(np.array(number, np.float32)) for number in (-1, most + 1, most + 2)
    )
    bounded = graph.Clip(column, low, high)
    number = graph.cast(graph.Where(graph.IsNaN(column), missing, bounded), np.int64)
    return graph.Gather(graph.exactly(table), graph.Add(graph.Reshape(number, [-1]), 1), axis=0)
