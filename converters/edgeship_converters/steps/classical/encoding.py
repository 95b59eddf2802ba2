"""Categories as numbers: one column for each category, or one number for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import block_diag

from edgeship_converters.steps.classical.answers import Answers
from edgeship_converters.steps.classical.graph import ML, Graph
from edgeship_converters.steps.classical.linear import linear
from edgeship_converters.steps.classical.rows import Block, Kind, Rows, joined
from edgeship_runtime.arrays import Array
from edgeship_runtime.tables import MISSING_TEXT

# The largest whole number below which float32 holds them all.
_WHOLE = 2**24


@dataclass(frozen=True, slots=True)
class _Keys:
    """What a row's number is compared with.

    Attributes:
        numbers: by category; NaN, which equals nothing, for one that no row can hold.
        missing: by category, whether it is that of missing numbers.
    """

    numbers: Array
    missing: Array


def one_hot(model: Any, rows: Rows, graph: Graph) -> Answers:
    """OneHotEncoder: 1 in the column of a row's category, else 0; a dropped one has no column."""
    columns = range(rows.width)
    if all(_groups(model, column)[1] is None for column in columns):
        places = [
            (column, category)
            for column in columns
            for category in range(len(model.categories_[column]))
            if category != _dropped(model, column)
        ]
        return _table(_hot(model, rows, places, graph), len(places), graph)
    places = _places(model)
    parts = [_grouped(model, column) for column in columns]
    bias = np.concatenate([part[1] for part in parts])
    weights = block_diag(*(part[0] for part in parts))
    return _table(graph.Gemm(_hot(model, rows, places, graph), weights, bias), len(bias), graph)


def _table(values: str, width: int, graph: Graph) -> Answers:
    if not width:
        raise ValueError("it keeps no category at all")
    return Answers(transformed=Rows.of(values, width, graph))


def ordinal(model: Any, rows: Rows, graph: Graph) -> Answers:
    """OrdinalEncoder: the place of a row's category, or what stands for unknown and missing."""
    codes = [_codes(model, place) for place in range(rows.width)]
    places = _places(model)
    asked = model.unknown_value if model.handle_unknown == "use_encoded_value" else 0
    unknown = float(asked)
    nan_unknown = bool(np.isnan(unknown))
    base = 0.0 if nan_unknown else unknown
    joint = np.zeros((len(places), rows.width))
    for row, (place, category) in enumerate(places):
        code = codes[place][category]
        joint[row, place] = 0.0 if np.isnan(code) else code - base
    hot = _hot(model, rows, places, graph)
    values = graph.MatMul(hot, joint)
    if base:
        values = graph.Add(values, base)
    nan_codes = [np.isnan(codes[place][category]) for place, category in places]
    if nan_unknown or any(nan_codes):
        values = _with_nans(values, hot, places, nan_codes, nan_unknown, rows.width, graph)
    return Answers(transformed=Rows.of(values, rows.width, graph))


def target(model: Any, rows: Rows, graph: Graph) -> Answers:
    """TargetEncoder: the mean target of a row's category, that of all rows where it is unknown.

    Of several classes each column becomes one for each class.
    """
    means = np.ravel(model.target_mean_).astype(np.float64)
    hot = _hot(model, rows, _places(model), graph)
    ends = np.cumsum([len(known) for known in model.categories_])
    parts = []
    for column, (end, known) in enumerate(zip(ends, model.categories_, strict=True)):
        own = model.encodings_[column * len(means) : (column + 1) * len(means)]
        # Each column by itself: one matrix for all would be zeros for the most part.
        chosen = graph.Slice(hot, [end - len(known)], [end], [1]) if rows.width > 1 else hot
        parts.append(linear(chosen, np.stack(own, axis=1) - means, means, graph))
    width = rows.width * len(means)
    return Answers(transformed=Rows.of(joined(parts, graph), width, graph))


def _places(model: Any) -> list[tuple[int, int]]:
    """Each category that a model knows, as its column and its place there."""
    return [
        (column, k) for column, known in enumerate(model.categories_) for k in range(len(known))
    ]


def _with_nans(
    values: str,
    hot: str,
    places: list[tuple[int, int]],
    nan_codes: list[Any],
    nan_unknown: bool,
    width: int,
    graph: Graph,
) -> str:
    """Values with NaN where the category has that code, or is unknown and that means NaN."""
    counted = np.zeros((len(places), width))
    for row, (place, _) in enumerate(places):
        counted[row, place] = nan_codes[row] != nan_unknown
    marked = graph.Greater(graph.MatMul(hot, counted), 0.5)
    nan = np.array(np.nan)
    return graph.Where(marked, values, nan) if nan_unknown else graph.Where(marked, nan, values)


def _dropped(model: Any, column: int) -> int | None:
    """The group of a column's categories that has no column of its own."""
    if model._drop_idx_after_grouping is None:
        return None
    group = model._drop_idx_after_grouping[column]
    return None if group is None else int(group)


def _grouped(model: Any, column: int) -> tuple[Array, Array]:
    """What each category of a column adds to the columns it becomes, and where those start."""
    groups, infrequent = _groups(model, column)
    dropped = _dropped(model, column)
    kept = [group for group in range(int(groups.max()) + 1) if group != dropped]
    weights = (groups[:, None] == np.array(kept)[None, :]).astype(np.float64)
    bias = np.zeros(len(kept))
    if infrequent in kept and model.handle_unknown in ("infrequent_if_exist", "warn"):
        # Unknown counts as infrequent: a row is, unless its category is a frequent one.
        bias[kept.index(infrequent)] = 1.0
        weights[:, kept.index(infrequent)] = np.where(groups == infrequent, 0.0, -1.0)
    return weights, bias


def _codes(model: Any, place: int) -> Array:
    """OrdinalEncoder's number for each category of a column."""
    groups, _ = _groups(model, place)
    missing = model._missing_indices.get(place)
    codes = groups.astype(np.float64)
    if missing is not None:
        codes[missing] = missing
        codes[codes == missing] = model.encoded_missing_value
    return codes


def _groups(model: Any, place: int) -> tuple[Array, int | None]:
    """Each category's place once infrequent ones are one, and the place of that one."""
    plain = np.arange(len(model.categories_[place]))
    if not model._infrequent_enabled or model._infrequent_indices[place] is None:
        return plain, None
    mapping = np.asarray(model._default_to_infrequent_mappings[place])
    return mapping, int(mapping[model._infrequent_indices[place][0]])


def _hot(model: Any, rows: Rows, places: list[tuple[int, int]], graph: Graph) -> str:
    """(rows, len(places)) reals: 1 where a row's column holds the category, for each place."""
    wide = any(_wide(block, model) for block in rows.blocks)
    real: Kind = "float64" if wide else "float32"
    parts: list[str] = []
    keys: list[_Keys] = []
    for block in rows.blocks:
        names = model.categories_[len(keys) : len(keys) + block.width]
        if block.kind == "string":
            parts += _places_of_words(block, names, real, graph)
            keys += [_Keys(np.arange(len(words)), np.zeros(len(words), bool)) for words in names]
        else:
            parts.append(block.cast(real, graph))
            keys += [_keys(categories, real) for categories in names]
    matrix = joined(parts, graph)
    if rows.width > 1:
        matrix = graph.Gather(matrix, [column for column, _ in places], axis=1)
    numbers = np.array([keys[column].numbers[category] for column, category in places])
    equal = graph.Equal(matrix, graph.exactly(numbers.astype(real)))
    missing = np.array([keys[column].missing[category] for column, category in places])
    if missing.any():
        equal = graph.Or(equal, graph.And(graph.IsNaN(matrix), missing))
    return graph.cast(equal)


def _wide(block: Block, model: Any) -> bool:
    """Whether a block's numbers need float64 to be told apart."""
    if block.kind != "int64":
        return block.kind == "float64"
    return any(
        np.abs(_keys(categories, np.float64).numbers).max(initial=0.0) >= _WHOLE
        for categories in model.categories_
        if np.asarray(categories).dtype.kind in "iuf"
    )


def _keys(categories: Array, real: Any) -> _Keys:
    """Numbers that rows of a precision are compared with."""
    if any(isinstance(category, str) for category in categories):
        raise ValueError("its categories are words, but numbers reach it")
    numbers = np.array([np.nan if category is None else float(category) for category in categories])
    missing = np.array([category is not None for category in categories]) & np.isnan(numbers)
    with np.errstate(over="ignore"):
        held = numbers.astype(real).astype(np.float64) == numbers
    return _Keys(np.where(held, numbers, np.nan), missing)


def _places_of_words(block: Block, names: list[Array], real: Kind, graph: Graph) -> list[str]:
    """Each column of a block of text as the place of its word among the categories, else -1."""
    found = []
    for block_column, words in zip(Rows((block,)).columns(graph), names, strict=True):
        known = {word: float(k) for k, word in enumerate(words) if isinstance(word, str)}
        if not known:
            raise ValueError("its categories are numbers, but text reaches it")
        for k, word in enumerate(words):
            if not isinstance(word, str) and known.setdefault(MISSING_TEXT, float(k)) != k:
                raise ValueError("it knows both an empty text and a missing one")
        (value,) = graph.node(
            "LabelEncoder",
            block_column.value,
            domain=ML,
            keys_strings=list(known),
            values_floats=list(known.values()),
            default_float=-1.0,
        )
        found.append(Block(value, 1, "float32").cast(real, graph))
    return found
