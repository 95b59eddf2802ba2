"""Which converter a model, and every model inside it, is given to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from edgeship_converters.errors import StepError, in_a_line
from edgeship_converters.steps.classical.answers import Answers
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.rows import Rows

Converter: TypeAlias = Callable[[Any, Rows, Graph], Answers]


@dataclass(frozen=True, slots=True)
class Needs:
    """A converter with needs of its own.

    Attributes:
        convert: the converter.
        precise: whether its sums need float64; its reals are cast before and after.
        folds: whether it folds the steps that `Rows.behind` names into thresholds.
    """

    convert: Converter
    precise: bool = False
    folds: bool = False


Entry: TypeAlias = "Converter | Needs"


def name_of(model: Any) -> str:
    """The package and class of a model: what the table of estimators calls it.

    >>> from sklearn.linear_model import Ridge
    >>> name_of(Ridge())
    'sklearn.Ridge'
    """
    return name_of_class(type(model))


def name_of_class(kind: type) -> str:
    """The package and name of a class of models; see `name_of`."""
    return f"{kind.__module__.split('.')[0]}.{kind.__qualname__}"


def through(rows: Rows, graph: Graph) -> Rows:
    """Rows once they have passed the steps that they had yet to pass."""
    passed = Rows(rows.blocks, rows.names)
    for step in rows.behind:
        transformed = graph.answer(step, passed).transformed
        if transformed is None:
            raise ValueError(f"its step {name_of(step)} does not transform")
        passed = transformed
    return passed


class Dispatch:
    """Gives each model to its converter, and tells which step it was that cannot be converted.

    Attributes:
        met: the names of all models that were given to it.
    """

    def __init__(self, table: Mapping[str, Entry], graph: Graph, *, precise: bool = False) -> None:
        """Answer by the converters of `table`; all in float64 where `precise`."""
        self._table = table
        self._graph = graph
        self._precise = precise
        self._path: list[str] = []
        self.met: set[str] = set()
        graph.answer = self.answer

    def answer(self, model: Any, rows: Rows) -> Answers:
        """What a model, or one inside another, answers to rows.

        Raises:
            StepError: naming the step that has no converter, or whose converter fails.
        """
        name = name_of(model)
        self._path.append(name)
        self.met.add(name)
        before, self._graph.part = self._graph.part, name
        entry = self._table.get(name)
        if entry is None:
            raise StepError(
                f"{self._where()} cannot become ONNX: edgeship has no converter for it",
                "fit the model without it, see docs/estimators.md for those that convert",
                f"give a converter with --converter {name}=MODULE:FUNCTION, see "
                "docs/own-converters.md",
                needed=True,
            )
        try:
            answers = self._convert(entry, model, rows)
            if not isinstance(answers, Answers):
                given = type(answers).__name__
                raise TypeError(f"its converter gives a {given}, expected Answers")
        except StepError:
            raise
        except Exception as error:
            # A converter that meets a model that it does not foresee raises anything.
            raise StepError(
                f"{self._where()} cannot become ONNX: {in_a_line(error)}", needed=True
            ) from error
        self._path.pop()
        self._graph.part = before
        return answers

    def _where(self) -> str:
        *outer, step = (name.removeprefix("sklearn.") for name in self._path)
        return f"the {step} (in {' > '.join(outer)})" if outer else f"a {step}"

    def _convert(self, entry: Entry, model: Any, rows: Rows) -> Answers:
        needs = entry if isinstance(entry, Needs) else Needs(entry)
        if rows.behind and not needs.folds:
            rows = through(rows, self._graph)
        if not (self._precise or needs.precise) or self._graph.real == np.float64:
            return needs.convert(model, rows, self._graph)
        with self._graph.computing_in(np.float64):
            answers = needs.convert(model, rows, self._graph)
        return answers.in_reals_of(self._graph)
