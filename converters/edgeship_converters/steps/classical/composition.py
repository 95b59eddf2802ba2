"""Models made of models, one behind the other or side by side, and wrappers around one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sklearn.utils import check_array

from edgeship_converters.sources.sklearn_columns import chosen_columns, names_of
from edgeship_converters.steps.classical.answers import Answers
from edgeship_converters.steps.classical.dispatch import name_of
from edgeship_converters.steps.classical.functions import FUNCTIONS, PARTIAL, monotone
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.rows import Rows, beside


def pipeline(model: Any, rows: Rows, graph: Graph) -> Answers:
    """Pipeline: each step transforms for the next; the last one answers."""
    steps = [(name, step) for name, step in model.steps if step not in (None, "passthrough")]
    if not steps:
        return Answers(transformed=rows)
    *steps, (_, last) = steps
    behind: list[Any] = []
    while steps and monotone(steps[-1][1]) and name_of(steps[-1][1]) not in graph.own:
        behind.insert(0, steps.pop()[1])
    for name, step in steps:
        rows = _transformed(graph.answer(step, rows), name)
    return graph.answer(last, replace(rows, behind=tuple(behind)))


def feature_union(model: Any, rows: Rows, graph: Graph) -> Answers:
    """FeatureUnion: what several transformers make of the same rows, side by side, weighted."""
    parts = []
    for name, step in model.transformer_list:
        if step == "drop":
            continue
        part = rows if step == "passthrough" else _transformed(graph.answer(step, rows), name)
        parts.append(_weighted(part, model, name, graph))
    return Answers(transformed=beside(parts))


def column_transformer(model: Any, rows: Rows, graph: Graph) -> Answers:
    """ColumnTransformer: each transformer takes its columns; the results stand side by side."""
    parts = []
    for name, step, columns in model.transformers_:
        chosen = _places(columns, model, rows)
        if not len(chosen) or step == "drop":
            continue
        part = rows.take(chosen, graph)
        if step != "passthrough":
            part = _transformed(graph.answer(step, part), name)
        parts.append(_weighted(part, model, name, graph))
    return Answers(transformed=beside(parts))


def best_of_search(model: Any, rows: Rows, graph: Graph) -> Answers:
    """GridSearchCV and its kin: the best estimator answers."""
    return graph.answer(model.best_estimator_, rows)


def frozen(model: Any, rows: Rows, graph: Graph) -> Answers:
    """FrozenEstimator: the estimator inside answers."""
    return graph.answer(model.estimator, rows)


def function(model: Any, rows: Rows, graph: Graph) -> Answers:
    """FunctionTransformer: none, or one of numpy's own functions of a single number."""
    if model.func is None or getattr(model.func, "func", None) is check_array:
        # HistGradientBoosting checks its numbers so.
        return Answers(transformed=rows)
    if model.kw_args or model.func not in FUNCTIONS:
        name = getattr(model.func, "__name__", type(model.func).__name__)
        known = ", ".join(function.__name__ for function in FUNCTIONS)
        raise ValueError(
            f"its function {name!r} is Python code, which no ONNX file holds: expected none or "
            f"one of numpy's {known}"
        )
    values = FUNCTIONS[model.func](graph, rows.matrix(graph))
    if model.func in PARTIAL:
        graph.missing = True
    return Answers(transformed=Rows.of(values, rows.width, graph))


def _weighted(part: Rows, model: Any, name: str, graph: Graph) -> Rows:
    weight = (model.transformer_weights or {}).get(name)
    if weight is None:
        return part
    return Rows.of(graph.Mul(part.matrix(graph), float(weight)), part.width, graph)


def _transformed(answers: Answers, name: str) -> Rows:
    if answers.transformed is None:
        raise ValueError(f"its step {name!r} does not transform")
    return answers.transformed


def _places(columns: Any, model: Any, rows: Rows) -> list[int]:
    """Columns that were chosen by name, place, mask or slice, as places among the rows' own."""
    names = names_of(model)
    chosen = chosen_columns(columns, names)
    if len(names) == rows.width:
        return chosen
    # Columns that no step looks at are no inputs.
    return [rows.names.index(names[place]) for place in chosen if names[place] in rows.names]
