"""The inputs of a fitted scikit-learn estimator: one matrix of numbers, or one for each column."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np

from edgeship_converters.errors import SourceError, in_a_line
from edgeship_converters.sources.sklearn_columns import Column, columns_of_model
from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import InputSpec
from edgeship_runtime.bundle.manifest import DType
from edgeship_runtime.inputs import ANY_NAME
from edgeship_runtime.tables import MISSING_TEXT

Form: TypeAlias = Literal["auto", "matrix", "columns"]
FORMS: tuple[Form, ...] = ("auto", "matrix", "columns")

# A matrix goes in as float64, the type that most models are fitted in; a ColumnTransformer may ask
# for columns by name, and KMeans that was fitted on float32 takes nothing else.
Way: TypeAlias = Literal["float64", "frame", "float32"]
WAYS: tuple[Way, ...] = ("float64", "frame", "float32")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user says of the inputs.

    Attributes:
        form: one `matrix`, an input for each of the `columns`, or `auto`: a matrix unless there
            is text among them.
        schema: what a column holds, by its name, as far as a sample of rows tells.
    """

    form: Form = "auto"
    schema: Mapping[str, DType] = field(default_factory=dict)


NOTHING = Asked()


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of the contract, and how the estimator is given them.

    Attributes:
        specs: of the contract.
        columns: all that the estimator was fitted on, those that it does not look at among them.
        named: whether it was fitted on a data frame, whose columns it takes by name.
        way: how a matrix is handed over, the first of `WAYS` that the estimator takes.
    """

    specs: tuple[InputSpec, ...]
    columns: tuple[Column, ...]
    named: bool
    way: Way = "float64"

    @property
    def matrix(self) -> bool:
        """Whether one input holds all columns."""
        return len(self.specs) == 1 and len(self.specs[0].shape) == 2

    def rows(self, arrays: Arrays) -> Any:
        """Rows as the estimator takes them, reals as float64, missing text as None or NaN."""
        if self.matrix:
            matrix = arrays[ANY_NAME].astype(np.float32 if self.way == "float32" else np.float64)
            if self.way != "frame":
                return matrix
            names = [column.name for column in self.columns]
            return _frame(dict(zip(names, matrix.T, strict=True)))
        count = len(next(iter(arrays.values())))
        held: dict[str, Array] = {}
        for column in self.columns:
            if column.name not in arrays:
                held[column.name] = np.zeros(count)
                continue
            held[column.name] = _as_fitted(arrays[column.name], column)
        coded = [column for column in self.columns if column.coded]
        if coded:
            return _frame_of_categories(held, coded)
        if self.named:
            return _frame(held)
        table = np.empty((count, len(held)), object)
        for place, values in enumerate(held.values()):
            table[:, place] = values
        return table

    def example(self) -> dict[str, Array]:
        """One row, to ask the estimator about the shapes of its answers."""
        firsts: list[Any] = [
            column.categories[0] if column.categories else 1.0 for column in self.columns
        ]
        if self.matrix:
            return {ANY_NAME: np.array([firsts], np.float32)}
        by_name = dict(zip((column.name for column in self.columns), firsts, strict=True))
        return {
            spec.name: np.array(
                [by_name[spec.name]], np.str_ if spec.dtype == "string" else spec.dtype
            )
            for spec in self.specs
        }

    def with_closed(self, answers: Callable[[Arrays], bool]) -> Inputs:
        """The same, saying of each column of categories whether the estimator refuses others.

        Args:
            answers: whether the estimator answers all of some rows, with finite numbers.
        """
        example = self.example()
        specs = tuple(
            msgspec.structs.replace(spec, closed=True)
            if spec.categories
            and spec.dtype != "bool"
            and not answers({**example, spec.name: _unknown(spec)})
            else spec
            for spec in self.specs
        )
        return replace(self, specs=specs)

    def with_missing(self, answers: Callable[[Arrays], bool]) -> Inputs:
        """The same, saying of each input whether the estimator takes missing values in it.

        Args:
            answers: whether the estimator answers all of some rows, with finite numbers.
        """
        able = [spec for spec in self.specs if spec.dtype in ("float32", "string")]
        example = self.example()
        # All at once tells of most models; only where that fails each column is asked about.
        sound = able if answers({**example, **_gone(example, able)}) else []
        if not sound and len(able) > 1:
            sound = [spec for spec in able if answers({**example, **_gone(example, [spec])})]
        specs = tuple(
            msgspec.structs.replace(spec, missing=True) if spec in sound else spec
            for spec in self.specs
        )
        return replace(self, specs=specs)


def inputs_of(estimator: Any, asked: Asked = NOTHING) -> Inputs:
    """What a fitted estimator takes.

    Raises:
        SourceError: for one that does not say how many features that is, and for text that a
            matrix is to hold.
    """
    if getattr(estimator, "n_features_in_", None) is None:
        raise SourceError(
            f"the {type(estimator).__name__} does not say how many features it takes "
            "(n_features_in_): fit it on a matrix"
        )
    named = getattr(estimator, "feature_names_in_", None) is not None
    columns = tuple(_as_asked(column, asked) for column in columns_of_model(estimator))
    text = [column.name for column in columns if column.dtype == "string"]
    if text and asked.form == "matrix":
        raise SourceError(
            f"the model takes text, in {', '.join(repr(name) for name in text[:6])}, which a "
            "matrix of numbers cannot hold: leave --inputs matrix away"
        )
    if text or asked.form == "columns" or any(column.coded for column in columns):
        specs = tuple(
            InputSpec(
                name=column.name,
                dtype=column.dtype,
                shape=(None,),
                categories=column.categories,
            )
            for column in columns
            if column.used or not named
        )
        return Inputs(specs, columns, named)
    matrix = InputSpec(
        name=ANY_NAME,
        dtype="float32",
        shape=(None, len(columns)),
        feature_names=tuple(column.name for column in columns) if named else (),
    )
    return Inputs((matrix,), columns, named)


def _as_asked(column: Column, asked: Asked) -> Column:
    """A column that the model takes for numbers may be whole ones, truths, or text for a step."""
    told = asked.schema.get(column.name)
    if column.coded and told is not None and (told == "string") != (column.dtype == "string"):
        raise SourceError(
            f"the model has {', '.join(str(c) for c in column.categories[:5])} for categories of "
            f"column {column.name!r}, which holds {told} in the data: the model does not tell "
            "apart ordered categories and those given as categorical_feature, fit it without both"
        )
    if column.dtype != "float32" or told is None or told == "float32" or not column.used:
        return column
    if told != "string" and asked.form == "matrix":
        return column
    return replace(column, dtype=told)


def finite(answers: Mapping[str, Array]) -> bool:
    """Whether all numbers of a model's answers are finite."""
    return all(
        bool(np.isfinite(array).all()) for array in answers.values() if array.dtype.kind == "f"
    )


def _unknown(spec: InputSpec) -> Array:
    """One value that is none of an input's categories."""
    if spec.dtype == "string":
        return np.array(["?" * (1 + max(len(str(category)) for category in spec.categories))])
    return np.array([1 + max(float(category) for category in spec.categories)], spec.dtype)


def _gone(example: Arrays, specs: list[InputSpec]) -> dict[str, Array]:
    return {
        spec.name: np.full_like(example[spec.name], np.nan)
        if spec.dtype == "float32"
        else np.array([MISSING_TEXT])
        for spec in specs
    }


def _as_fitted(values: Array, column: Column) -> Array:
    if values.dtype.kind != "U":
        return values.astype(np.float64) if values.dtype.kind == "f" else values
    words = values.astype(object)
    if MISSING_TEXT not in column.categories:
        words[values == MISSING_TEXT] = column.missing
    return words


def _frame_of_categories(columns: dict[str, Array], coded: Sequence[Column]) -> Any:
    try:
        import pandas
    except ModuleNotFoundError as error:
        raise SourceError(
            "the model was fitted on pandas's categories, so it takes its rows as such: "
            "pip install pandas"
        ) from error
    frame = pandas.DataFrame(columns)
    for column in coded:
        frame[column.name] = pandas.Categorical(frame[column.name], list(column.categories))
    return frame


def _frame(columns: dict[str, Array]) -> Any:
    """A data frame of whichever library is there.

    Raises:
        SourceError: where none is.
    """
    try:
        if find_spec("pandas"):
            import pandas

            series = {n: pandas.Series(v, dtype=v.dtype) for n, v in columns.items()}
            return pandas.DataFrame(series)
        if find_spec("polars"):
            import polars

            return polars.DataFrame(
                {n: v.tolist() if v.dtype == object else v for n, v in columns.items()},
                nan_to_null=False,
            )
    except Exception as error:
        raise SourceError(f"no data frame can be made of the rows: {in_a_line(error)}") from error
    raise SourceError(
        "the model was fitted on a data frame and has columns of text, so it takes its rows as "
        "one: pip install pandas"
    )
