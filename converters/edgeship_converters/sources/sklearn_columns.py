"""What the columns of a fitted model's rows hold, as far as the model itself tells."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgeship_converters.errors import SourceError
from edgeship_converters.sources.boosters import categories_of
from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle.manifest import ClassLabel, DType
from edgeship_runtime.tables import is_missing

# Attributes that hold the model inside a model which hands its rows on as they are.
_INSIDE = ("best_estimator_", "estimator_", "estimator", "regressor_", "_preprocessor")
_NOTHING_DONE = (None, "passthrough")
_SEVERAL = ("estimators_", "calibrated_classifiers_")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the rows.

    Attributes:
        name: as the model was fitted on it, or `x0`, `x1` … where it was fitted on an array.
        dtype: what the column holds.
        categories: those that an encoder in the model knows, without the missing one.
        missing: what the model has for a missing text, None or NaN.
        used: whether any step looks at the column.
        coded: whether the model itself knows the categories, by pandas's category dtype.
    """

    name: str
    dtype: DType
    categories: tuple[ClassLabel, ...] = ()
    missing: float | None = math.nan
    used: bool = True
    coded: bool = False


def columns_of_model(estimator: Any) -> list[Column]:
    """The columns that a fitted estimator takes, in order."""
    names = names_of(estimator)
    coded = _coded(estimator)
    if coded:
        return [
            replace(_column(name, _listed(coded[place]), used=True), coded=True)
            if place in coded
            else Column(name, "float32")
            for place, name in enumerate(names)
        ]
    known: dict[int, Array] = {}
    used: set[int] = set()
    for place, values in _seen(estimator, list(range(len(names)))):
        used.add(place)
        # An encoder knows all categories, an imputer only the one that it fills in.
        if values is not None and (place not in known or len(values) > len(known[place])):
            known[place] = values
    return [_column(name, known.get(place), used=place in used) for place, name in enumerate(names)]


def names_of(estimator: Any) -> list[str]:
    """The names of all columns that an estimator was fitted on: `x0`, `x1` … of an array."""
    given = getattr(estimator, "feature_names_in_", None)
    if given is None:
        return [f"x{place}" for place in range(int(estimator.n_features_in_))]
    return [str(name) for name in given]


def chosen_columns(columns: Any, names: list[str]) -> list[int]:
    """The places of a ColumnTransformer's columns, given by name, place, mask or slice.

    >>> chosen_columns(["b", "a"], ["a", "b"]), chosen_columns(slice(-1, None), ["a", "b", "c"])
    ([1, 0], [2])
    """
    places = list(range(len(names)))
    if isinstance(columns, str):
        return [names.index(columns)]
    if isinstance(columns, slice):
        start = names.index(columns.start) if isinstance(columns.start, str) else columns.start
        stop = names.index(columns.stop) + 1 if isinstance(columns.stop, str) else columns.stop
        return places[start : stop : columns.step]
    if isinstance(columns, int | np.integer):
        return [places[int(columns)]]
    chosen = np.asarray(columns)
    if chosen.dtype == bool:
        return [int(place) for place in np.flatnonzero(chosen)]
    if chosen.dtype.kind in "UO":
        return [names.index(str(column)) for column in chosen]
    return [places[int(column)] for column in chosen]


def _coded(estimator: Any) -> dict[int, list[Any]]:
    """Categories by column, of the model itself or of one inside that takes the same rows.

    Raises:
        SourceError: where other steps stand before a model that knows categories.
    """
    own = categories_of(estimator)
    if own:
        return own
    steps = [step for _, step in getattr(estimator, "steps", ()) if step not in _NOTHING_DONE]
    if steps:
        inside = _coded(steps[-1])
        if inside and len(steps) > 1:
            raise SourceError(
                f"the {type(steps[-1]).__name__} in the pipeline was fitted on pandas's categories "
                "that steps before it made: encode them by a step of scikit-learn instead"
            )
        return inside
    for model in _inside(estimator):
        inside = _coded(model)
        if inside:
            return inside
    return {}


def _listed(categories: list[Any]) -> Array:
    listed = np.empty(len(categories), object)
    listed[:] = categories
    return listed


def _column(name: str, values: Array | None, *, used: bool) -> Column:
    if values is None:
        return Column(name, "float32", used=used)
    listed = np.asarray(values, object).tolist()
    present = tuple(value for value in listed if not is_missing(value))
    if any(isinstance(value, str) for value in present):
        return Column(name, "string", present, None if None in listed else math.nan, used)
    return Column(name, "bool" if values.dtype.kind == "b" else "float32", present, used=used)


def _seen(estimator: Any, places: list[int]) -> Iterator[tuple[int, Array | None]]:
    """Each column that a step looks at, with values that it knows of that column, if it does.

    Args:
        estimator: the step.
        places: which of the model's columns reach it, in its own order.
    """
    if hasattr(estimator, "categories_"):
        yield from zip(places, map(np.asarray, estimator.categories_), strict=False)
        return
    if getattr(estimator, "statistics_", None) is not None:
        # A column of numbers tells nothing more of itself.
        words = np.asarray(estimator.statistics_).dtype.kind in "OU"
        for place, value in zip(places, estimator.statistics_, strict=False):
            yield place, np.array([value], object) if words else None
        return
    parts = list(_parts(estimator, places))
    for step, chosen in parts:
        if isinstance(step, str):
            yield from ((place, None) for place in chosen if step != "drop")
        else:
            yield from _seen(step, chosen)
    if not parts:
        yield from ((place, None) for place in places)


def _parts(estimator: Any, places: list[int]) -> Iterator[tuple[Any, list[int]]]:
    """The steps inside a model that rows reach as they are, each with its columns."""
    if hasattr(estimator, "steps"):
        for _, step in estimator.steps:
            if step in _NOTHING_DONE:
                continue
            yield step, places
            # An imputer hands its columns on in their places, to an encoder perhaps.
            if type(step).__name__ != "SimpleImputer" and getattr(step, "func", step) is not None:
                return
    elif hasattr(estimator, "transformers_"):
        for _, step, columns in estimator.transformers_:
            yield step, [places[at] for at in chosen_columns(columns, names_of(estimator))]
    elif hasattr(estimator, "transformer_list"):
        yield from ((step, places) for _, step in estimator.transformer_list)
    else:
        yield from ((model, places) for model in _inside(estimator))


def _inside(estimator: Any) -> Iterator[Any]:
    """The models that a model of models hands its rows to."""
    for name in _INSIDE:
        model = getattr(estimator, name, None)
        if hasattr(model, "n_features_in_"):
            yield model
            return
    for name in _SEVERAL:
        models = getattr(estimator, name, None)
        # A bag may give each model columns of its own.
        if isinstance(models, list) and not hasattr(estimator, "estimators_features_"):
            fitted = [getattr(model, "estimator", model) for model in models]
            width = estimator.n_features_in_
            yield from (m for m in fitted if getattr(m, "n_features_in_", None) == width)
