"""What a model tells about the values that it was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from edgeship_runtime.arrays import Array


@dataclass(frozen=True, slots=True)
class Range:
    """Values from `low` to `high`, which `layer` brings to the size that the next ones take."""

    layer: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and standard deviation of each feature (the last axis), as `layer` was adapted to.

    `mean` and `deviation` are float64 vectors, of one number where all features share them.
    """

    layer: str
    mean: Array
    deviation: Array


@dataclass(frozen=True, slots=True)
class Size:
    """Root mean square of all values, as far as `layer` tells; None where it sets no such bound.

    `at_least` is a lower bound for the training data; `about` may be too low where it is
    `estimated` from the weights of a layer between.
    """

    layer: str
    at_least: float | None
    about: float
    estimated: bool


@dataclass(frozen=True, slots=True)
class Ids:
    """Whole numbers from 0 to below `below`, each a row of the table that `layer` holds."""

    layer: str
    below: int


Expectation: TypeAlias = Range | Moments | Size | Ids
Expectations: TypeAlias = Mapping[str, Sequence[Expectation]]
