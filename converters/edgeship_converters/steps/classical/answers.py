"""What a fitted model answers, as values of the graph."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from edgeship_converters.steps.classical.graph import Graph
from edgeship_converters.steps.classical.rows import Block, Rows, reals


@dataclass(frozen=True, slots=True)
class Answers:
    """Names of values; None for what a model does not give. Reals are the graph's own.

    Attributes:
        index: int64 (rows,), a classifier's label as its place among `classes_`; (rows, outputs)
            for several labels a row.
        probabilities: (rows, classes), as `predict_proba` gives them; for several labels a row,
            see `several`.
        decision: as `decision_function` gives them: (rows,) or (rows, classes).
        prediction: a regressor's: (rows,) or (rows, outputs).
        cluster: int64 (rows,), what a clusterer predicts.
        score: (rows,), as `score_samples` gives them.
        transformed: what `transform` gives.
        several: the probabilities for each label, where a row has several.
    """

    index: str | None = None
    probabilities: str | None = None
    decision: str | None = None
    prediction: str | None = None
    cluster: str | None = None
    score: str | None = None
    transformed: Rows | None = None
    several: tuple[str, ...] = ()

    def in_reals_of(self, graph: Graph) -> Answers:
        """The same, with reals that were computed in another precision cast to the graph's own."""
        cast = {
            name: graph.cast(value)
            for name in ("probabilities", "decision", "prediction", "score")
            if (value := getattr(self, name)) is not None
        }
        transformed = self.transformed
        if transformed is not None:
            kind = reals(graph)
            blocks = tuple(
                Block(block.cast(kind, graph), block.width, kind)
                if block.kind in ("float32", "float64")
                else block
                for block in transformed.blocks
            )
            transformed = Rows(blocks, transformed.names)
        several = tuple(graph.cast(value) for value in self.several)
        return replace(self, transformed=transformed, several=several, **cast)


def most_probable(graph: Graph, probabilities: str) -> Answers:
    """A classifier that decides for the most probable class, the first one on a tie."""
    return Answers(
        index=graph.ArgMax(probabilities, axis=1, keepdims=0), probabilities=probabilities
    )


def above(graph: Graph, values: str, threshold: float) -> str:
    """1 where values of the shape (rows,) lie above a threshold, else 0, as int64."""
    return graph.cast(graph.Greater(values, threshold), np.int64)


def reached(graph: Graph, values: str, threshold: float) -> str:
    """1 where values of the shape (rows,) lie at a threshold or above it, else 0, as int64."""
    return graph.cast(graph.Not(graph.Less(values, threshold)), np.int64)


def two_columns(graph: Graph, second: str) -> str:
    """(rows,) probabilities of the second of two classes as (rows, 2)."""
    return with_first(graph, graph.Unsqueeze(second, [1]))


def with_first(graph: Graph, second: str) -> str:
    """(rows, 1) probabilities of the second of two classes as (rows, 2)."""
    return graph.Concat(graph.Sub(1.0, second), second, axis=1)


def flat(graph: Graph, column: str) -> str:
    """(rows, 1) as (rows,)."""
    return graph.Reshape(column, [-1])


def shares(graph: Graph, values: str) -> str:
    """Each row of (rows, n) divided by its sum."""
    return graph.Div(values, graph.ReduceSum(values, [1], keepdims=1))


def shares_or_even(graph: Graph, values: str) -> str:
    """Each row of (rows, n) divided by its sum; 1/n each in a row whose values are all 0."""
    total = graph.ReduceSum(values, [1], keepdims=1)
    none = graph.Equal(total, 0.0)
    return shares(graph, graph.Where(none, graph.Add(values, 1.0), values))
