"""The trees of scikit-learn's histogram gradient boosting, checked before C code walks them."""

from __future__ import annotations

import functools
from itertools import chain
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.ensemble._hist_gradient_boosting.gradient_boosting import BaseHistGradientBoosting
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder
from sklearn.utils import check_array

PREDICTOR_TYPE = f"{TreePredictor.__module__}.{TreePredictor.__name__}"
# A set of categories has a bit for each of 256.
_WORDS, _CATEGORIES = 8, 256


def sound_histogram_trees(model: BaseHistGradientBoosting) -> bool:
    """Whether no tree of a model, and none of its tables, leads its C code out of an array."""
    held = vars(model)
    width = _width(held)
    mapper = held.get("_bin_mapper")
    # Only a model that is being fitted takes rows for what they are not.
    if width is None or "_in_fit" in held or type(mapper) is not _BinMapper:
        return False
    categorical = vars(mapper).get("is_categorical_")
    known = vars(mapper).get("bin_thresholds_")
    if not (
        isinstance(categorical, np.ndarray)
        and categorical.dtype in (bool, np.uint8)
        and categorical.shape == (width,)
        and isinstance(known, list)
        and len(known) == width
        and all(_are_bits(known[place]) for place in np.flatnonzero(categorical))
    ):
        return False
    rounds = held.get("_predictors")
    return (
        isinstance(rounds, list)
        and all(isinstance(trees, list) for trees in rounds)
        and all(_sound(tree, categorical) for tree in chain.from_iterable(rounds))
    )


def _width(held: dict[str, Any]) -> int | None:
    """How many columns the rows have that reach the trees, where that is sure."""
    first = held.get("_preprocessor")
    if first is None:
        width = held.get("n_features_in_")
        return width if isinstance(width, int) else None
    if type(first) is not ColumnTransformer:
        return None
    width = 0
    for _, step, columns in vars(first).get("transformers_", ()):
        if isinstance(step, str) and step == "drop":
            continue
        plain = type(step) is OrdinalEncoder or (
            type(step) is FunctionTransformer
            and isinstance(step.func, functools.partial)
            and step.func.func is check_array
        )
        if not plain or not isinstance(columns, np.ndarray) or columns.dtype != bool:
            return None
        width += int(np.count_nonzero(columns))
    return width


def _are_bits(values: Any) -> bool:
    return (
        isinstance(values, np.ndarray)
        and values.ndim == 1
        and values.dtype.kind in "fiu"
        and bool(((values >= 0) & (values < _CATEGORIES)).all())
    )


def _sound(tree: Any, categorical: Any) -> bool:
    if type(tree) is not TreePredictor:
        return False
    nodes, sets = vars(tree).get("nodes"), vars(tree).get("raw_left_cat_bitsets")
    if not (
        isinstance(nodes, np.ndarray)
        and nodes.dtype == PREDICTOR_RECORD_DTYPE
        and nodes.ndim == 1
        and len(nodes) > 0
        and isinstance(sets, np.ndarray)
        and sets.dtype == np.uint32
        and sets.ndim == 2
        and sets.shape[1] == _WORDS
    ):
        return False
    place = np.flatnonzero(nodes["is_leaf"] == 0)
    inner = nodes[place]
    feature = inner["feature_idx"]
    if ((feature < 0) | (feature >= len(categorical))).any():
        return False
    by_category = inner["is_categorical"] != 0
    return bool(
        all(((inner[s] > place) & (inner[s] < len(nodes))).all() for s in ("left", "right"))
        and (inner["bitset_idx"][by_category] < len(sets)).all()
        and (categorical[feature[by_category]] != 0).all()
    )
