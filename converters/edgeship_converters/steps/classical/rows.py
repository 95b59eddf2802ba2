"""The rows that a step of a model takes: one matrix, or columns of several kinds side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from edgeship_converters.steps.classical.graph import Graph

# What a block holds: floats in the precision at hand, float32, float64, int64, bool or text.
Kind = Literal["float32", "float64", "int64", "bool", "string"]


@dataclass(frozen=True, slots=True)
class Block:
    """Columns of one kind: an ONNX value of the shape (rows, width)."""

    value: str
    width: int
    kind: Kind

    def cast(self, kind: Kind, graph: Graph) -> str:
        """The block's values as another kind; as they are where they are of that kind."""
        return self.value if self.kind == kind else graph.cast(self.value, kind)


@dataclass(frozen=True, slots=True)
class Rows:
    """Blocks of columns in order, and the columns' names where they have any.

    Attributes:
        blocks: the columns.
        names: of the columns.
        behind: fitted steps that the rows have yet to pass, for trees to fold into thresholds;
            converters of anything else are given rows that are through with them.
    """

    blocks: tuple[Block, ...]
    names: tuple[str, ...] = ()
    behind: tuple[Any, ...] = ()

    @classmethod
    def of(cls, value: str, width: int, graph: Graph) -> Rows:
        """One matrix of the graph's reals."""
        return cls((Block(value, int(width), reals(graph)),))

    @property
    def width(self) -> int:
        """How many columns there are."""
        return sum(block.width for block in self.blocks)

    def matrix(self, graph: Graph) -> str:
        """All columns as one matrix of the graph's reals.

        Raises:
            ValueError: where there is text among them.
        """
        self._check_through()
        if any(block.kind == "string" for block in self.blocks):
            raise ValueError("text reaches a step that computes with numbers")
        if not self.blocks:
            raise ValueError("no columns reach a step that needs some")
        return joined([block.cast(reals(graph), graph) for block in self.blocks], graph)

    def take(self, columns: Sequence[int], graph: Graph) -> Rows:
        """Some of the columns, in the order given."""
        self._check_through()
        chosen = [int(column) for column in columns]
        names = tuple(self.names[column] for column in chosen) if self.names else ()
        if chosen == list(range(self.width)):
            return self
        runs: list[tuple[Block, list[int]]] = []
        for column in chosen:
            block, place = self._where(column)
            if runs and runs[-1][0] is block:
                runs[-1][1].append(place)
            else:
                runs.append((block, [place]))
        return Rows(tuple(_take(block, places, graph) for block, places in runs), names)

    def columns(self, graph: Graph) -> list[Block]:
        """Each column as a block of its own."""
        return [self.take([column], graph).blocks[0] for column in range(self.width)]

    def _check_through(self) -> None:
        if self.behind:
            raise ValueError("the rows have yet to pass a step")

    def _where(self, column: int) -> tuple[Block, int]:
        for block in self.blocks:
            if column < block.width:
                return block, column
            column -= block.width
        raise IndexError(column)


def reals(graph: Graph) -> Kind:
    """The kind of the reals that the graph computes in at this moment."""
    return "float64" if graph.real == np.float64 else "float32"


def joined(values: Sequence[str], graph: Graph) -> str:
    """Values of as many rows side by side."""
    return values[0] if len(values) == 1 else graph.Concat(*values, axis=1)


def beside(parts: Sequence[Rows]) -> Rows:
    """Several tables side by side; names are kept where all have some."""
    named = all(part.names for part in parts)
    names = tuple(name for part in parts for name in part.names) if named else ()
    return Rows(tuple(block for part in parts for block in part.blocks), names)


def _take(block: Block, places: list[int], graph: Graph) -> Block:
    if places == list(range(block.width)):
        return block
    value: Any
    if places == list(range(places[0], places[-1] + 1)):
        value = graph.Slice(block.value, [places[0]], [places[-1] + 1], [1])
    else:
        value = graph.Gather(block.value, places, axis=1)
    return Block(value, len(places), block.kind)
