"""Steps that keep some of the columns, and models that are fitted on those."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from edgeship_converters.steps.classical.answers import Answers
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.rows import Rows


def selector(model: Any, rows: Rows, graph: Graph) -> Answers:
    """Any of scikit-learn's selectors: the columns that it found worth keeping."""
    return Answers(transformed=_kept(model, rows, graph))


def elimination(model: Any, rows: Rows, graph: Graph) -> Answers:
    """RFE and RFECV: the columns kept, and what the model fitted on them answers."""
    kept = _kept(model, rows, graph)
    answers = graph.answer(model.estimator_, kept)
    return replace(answers, transformed=kept)


def _kept(model: Any, rows: Rows, graph: Graph) -> Rows:
    columns = model.get_support(indices=True)
    if not len(columns):
        raise ValueError("it keeps no column at all")
    return rows.take(columns, graph)
