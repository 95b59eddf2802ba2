"""Steps that move, stretch or bend each column on its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeship_converters.steps.classical.answers import Answers
from edgeship_converters.steps.classical.exactly import less
from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.rows import Rows
from edgeship_runtime.arrays import Array


def standard(model: Any, rows: Rows, graph: Graph) -> Answers:
    """StandardScaler: (x - mean_) / scale_, either part as it was asked for."""
    moved = rows.matrix(graph)
    if model.with_mean and model.mean_ is not None:
        moved = less(moved, model.mean_, graph)
    return _scaled(moved, model.scale_ if model.with_std else None, rows, graph)


def robust(model: Any, rows: Rows, graph: Graph) -> Answers:
    """RobustScaler: (x - center_) / scale_, either part as it was asked for."""
    moved = rows.matrix(graph)
    if model.with_centering:
        moved = less(moved, model.center_, graph)
    return _scaled(moved, model.scale_ if model.with_scaling else None, rows, graph)


def max_abs(model: Any, rows: Rows, graph: Graph) -> Answers:
    """MaxAbsScaler: x / scale_, clipped to -1 to 1 where asked."""
    answers = _scaled(rows.matrix(graph), model.scale_, rows, graph)
    if not getattr(model, "clip", False):
        return answers
    return _clipped(answers, -1.0, 1.0, graph)


def min_max(model: Any, rows: Rows, graph: Graph) -> Answers:
    """MinMaxScaler: x·scale_ + min_, clipped where asked; as (x + min_/scale_)·scale_."""
    moved = less(rows.matrix(graph), -model.min_ / model.scale_, graph)
    answers = _scaled(moved, 1.0 / model.scale_, rows, graph)
    low, high = model.feature_range
    return _clipped(answers, low, high, graph) if model.clip else answers


def affine(step: Any) -> tuple[Array, Array] | None:
    """A fitted scaler as x·slope + shift, a number of each for each column; None for others."""
    columns = np.ones(getattr(step, "n_features_in_", 0))
    match type(step).__name__:
        case "StandardScaler":
            slope = columns / step.scale_ if step.with_std else columns
            return slope, -slope * step.mean_ if step.with_mean else 0.0 * columns
        case "RobustScaler":
            slope = columns / step.scale_ if step.with_scaling else columns
            return slope, -slope * step.center_ if step.with_centering else 0.0 * columns
        case "MaxAbsScaler" if not getattr(step, "clip", False):
            return columns / step.scale_, 0.0 * columns
        case "MinMaxScaler" if not step.clip:
            return np.asarray(step.scale_), np.asarray(step.min_)
    return None


def _scaled(values: str, divisor: Array | None, rows: Rows, graph: Graph) -> Answers:
    if divisor is not None and (np.asarray(divisor) != 1).any():
        values = graph.Div(values, np.asarray(divisor, np.float64))
    return Answers(transformed=Rows.of(values, rows.width, graph))


def _clipped(answers: Answers, low: float, high: float, graph: Graph) -> Answers:
    if answers.transformed is None:
        raise ValueError("nothing to clip")
    values = graph.Max(graph.Min(answers.transformed.matrix(graph), float(high)), float(low))
    return Answers(transformed=Rows.of(values, answers.transformed.width, graph))
