"""What the sensitivity study asks of a float model: its operators by layer, quantized apart."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

from edgeship_converters.recipe import Recipe
from edgeship_runtime.arrays import Array, Arrays


@dataclass(frozen=True, slots=True)
class LayeredOp:
    """An operator of a float model.

    Attributes:
        name: as the tool that quantizes knows it.
        layers: the layers it is part of, the innermost first; none for glue between layers.
        weights: how many bytes its constant inputs take.
    """

    name: str
    layers: tuple[str, ...]
    weights: int


class LayeredModel(Protocol):
    """A float model of one format, with the tool that quantizes it and the engine that runs it."""

    @property
    def ops(self) -> tuple[LayeredOp, ...]:
        """All operators, in the order in which they run."""
        ...

    @property
    def float_model(self) -> bytes:
        """The model with nothing quantized."""
        ...

    def enough_rows(self, models: int) -> int:
        """On how many rows so many models of this size are run in reasonable time."""
        ...

    def ranges(self, recipe: Recipe) -> Any:
        """The ranges that a recipe's calibration finds, found once; the caller's own copy."""
        ...

    def alone(self, names: Collection[str], recipe: Recipe) -> bytes | None:
        """The model with nothing quantized but these operators; None where none of them can be.

        Raises:
            StepError: where the tool fails.
        """
        ...

    def run(self, model: bytes, rows: Arrays) -> dict[str, Array]:
        """What a model answers, by output name.

        Raises:
            EngineError: where it does not run.
        """
        ...
