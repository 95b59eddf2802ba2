"""Missing values: what stands in for them, and marks of where they were."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeship_converters.steps.classical.answers import Answers
from edgeship_converters.steps.classical.graph import ML, Graph
from edgeship_converters.steps.classical.rows import Block, Kind, Rows, beside, reals
from edgeship_runtime.tables import MISSING_TEXT


def simple(model: Any, rows: Rows, graph: Graph) -> Answers:
    """SimpleImputer: a column's statistic for what is missing; columns without one are left out.

    Behind them stand marks of what was missing, where the model adds some.
    """
    statistics = model.statistics_
    if model.keep_empty_features:
        kept = list(range(len(statistics)))
    else:
        kept = [place for place, value in enumerate(statistics) if not _nan(value)]
    taken = rows.take(kept, graph)
    blocks = []
    start = 0
    for block in taken.blocks:
        fills = [statistics[place] for place in kept[start : start + block.width]]
        blocks.append(_filled(block, fills, model.missing_values, graph))
        start += block.width
    filled = Rows(tuple(blocks), taken.names)
    if model.indicator_ is None or not len(model.indicator_.features_):
        return Answers(transformed=filled)
    return Answers(transformed=beside([filled, marks(model.indicator_, rows, graph)]))


def indicator(model: Any, rows: Rows, graph: Graph) -> Answers:
    """MissingIndicator: whether a value is missing, for the columns that it watches."""
    if not len(model.features_):
        raise ValueError("it watches no column, as none had missing values in the fit")
    return Answers(transformed=marks(model, rows, graph))


def marks(model: Any, rows: Rows, graph: Graph) -> Rows:
    """Whether a value is missing, for the columns that a MissingIndicator watches."""
    watched = rows.take(model.features_, graph)
    found = []
    for block in watched.blocks:
        missing = _missing(block, model.missing_values, graph)
        if missing is None:
            missing = _nowhere(block, graph)
        found.append(Block(missing, block.width, "bool"))
    return Rows(tuple(found))


def _filled(block: Block, fills: list[Any], missing_values: Any, graph: Graph) -> Block:
    missing = _missing(block, missing_values, graph)
    if missing is None:
        return block
    if block.kind == "string":
        words = np.array([str(fill) for fill in fills], dtype=object)
        return Block(graph.Where(missing, words, block.value), block.width, "string")
    # A whole number or a truth may be filled with a fraction.
    kind: Kind = "float64" if block.kind == "float64" else reals(graph)
    constant = graph.exactly(np.array(fills, np.float64).astype(kind))
    return Block(graph.Where(missing, constant, block.cast(kind, graph)), block.width, kind)


def _missing(block: Block, missing_values: Any, graph: Graph) -> str | None:
    """Where values are missing, as a bool for each; None for a block that cannot hold any."""
    if block.kind == "string":
        if isinstance(missing_values, str):
            return _equal_words(block, missing_values, graph)
        gone = missing_values is None or _nan(missing_values)
        return _equal_words(block, MISSING_TEXT, graph) if gone and graph.missing else None
    if isinstance(missing_values, str):
        return None
    if missing_values is None or _nan(missing_values):
        return graph.IsNaN(block.value) if block.kind.startswith("float") else None
    return _equal_number(block, float(missing_values), graph)


def _nowhere(block: Block, graph: Graph) -> str:
    """False for each value of a block without floats, as each equals itself."""
    same = _equal_words(block, "", graph) if block.kind == "string" else block.value
    return graph.Not(graph.Equal(same, same))


def _equal_number(block: Block, number: float, graph: Graph) -> str | None:
    value, kind = block.value, block.kind
    if kind == "bool":
        value, kind = graph.cast(value, np.int64), "int64"
    with np.errstate(over="ignore", invalid="ignore"):
        key = np.array(number).astype(kind)
    # A number that the kind does not hold is in no row.
    return graph.Equal(value, graph.exactly(key)) if float(key) == number else None


def _equal_words(block: Block, word: str, graph: Graph) -> str:
    (found,) = graph.node(
        "LabelEncoder",
        block.value,
        domain=ML,
        keys_strings=[word],
        values_int64s=[1],
        default_int64=0,
    )
    return graph.cast(found, np.bool_)


def _nan(value: Any) -> bool:
    return isinstance(value, (float, np.floating)) and bool(np.isnan(value))
