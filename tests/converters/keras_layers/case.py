"""A case of the conformance table: a model around one layer, and rows for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import layers

from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle import InputSpec

VECTOR = (6,)
SEQUENCE = (8, 5)
FREE = (None, 5)
IMAGE = (9, 8, 3)
FREE_IMAGE = (None, None, 3)
VOLUME = (5, 6, 4, 2)

# Rows of one input, given the random numbers and the shape with its free axes filled in.
Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]


def normal(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Standard normal numbers."""
    return random.standard_normal(shape).astype(np.float32)


def pixels(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Whole numbers from 0 to 255."""
    return random.integers(0, 256, shape).astype(np.float32)


def unit(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Numbers from 0 to 1."""
    return random.random(shape, dtype=np.float32)


def below(limit: int) -> Draw:
    """Whole numbers from 0 to below `limit`."""

    def draw(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return random.integers(0, limit, shape)

    return draw


def padded(limit: int) -> Draw:
    """Token ids from 1, with zeros after a length of its own in each row, from 1 on."""

    def draw(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
        ids = random.integers(1, limit, shape)
        lengths = random.integers(1, shape[1] + 1, (shape[0], 1))
        return np.where(np.arange(shape[1]) < lengths, ids, 0)

    return draw


def silent(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Standard normal steps, a third of them all zeros, in any place but the first."""
    steps = random.standard_normal(shape).astype(np.float32)
    silence = random.random(shape[:2]) < 0.33
    silence[:, 0] = False
    steps[silence] = 0.0
    return steps


def words(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Words, some of them not in the cases' vocabulary."""
    return random.choice(np.array(["red", "green", "blue", "grey"]), shape)


@dataclass(frozen=True, slots=True)
class Case:
    """A model around one layer.

    Attributes:
        layer: the class in `keras.layers` that it is about.
        option: what of the layer it tries; with the layer's name it is the case's own name.
        build: makes the model, with weights as Keras makes them.
        draws: makes the rows, one for each input in the model's order.
        refused: the reason, a key of `reasons.REASONS`, for each format that refuses the case.
    """

    layer: str
    option: str
    build: Callable[[], Any]
    draws: tuple[Draw, ...]
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Layer and option, as the page and the tests show it."""
        return f"{self.layer}: {self.option}" if self.option else self.layer

    def model(self) -> Any:
        """The model, with weights that hide no error: no zero biases, no unit scales."""
        keras.utils.set_random_seed(7)
        model = self.build()
        random = np.random.default_rng(7)
        for variable in model.variables:
            if not str(variable.dtype).startswith("float"):
                continue
            spread = random.standard_normal(variable.shape)
            if "variance" in variable.path or "gamma" in variable.path or "scale" in variable.path:
                variable.assign(np.abs(spread) + 0.5)
            else:
                variable.assign(0.5 * spread)
        return model

    def rows(self, specs: tuple[InputSpec, ...], count: int, free: int) -> dict[str, Array]:
        """`count` rows, with `free` steps along each free axis."""
        random = np.random.default_rng(free)
        drawn = {}
        for spec, draw in zip(specs, self.draws, strict=True):
            shape = (count, *(size or free for size in spec.shape[1:]))
            rows = draw(random, shape)
            drawn[spec.name] = rows if spec.dtype == "string" else rows.astype(spec.dtype)
        return drawn


def one(
    layer: str,
    shape: tuple[int | None, ...],
    option: str = "",
    *,
    draw: Draw = normal,
    dtype: str = "float32",
    refused: Mapping[str, str] | None = None,
    **arguments: Any,
) -> Case:
    """A case with a single layer on a single input `x`."""

    def build() -> Any:
        x = keras.Input(shape, name="x", dtype=dtype)
        return keras.Model(x, getattr(layers, layer)(**arguments)(x))

    return Case(layer, option, build, (draw,), refused or {})


def built(
    layer: str,
    option: str,
    build: Callable[[], Any],
    *draws: Draw,
    refused: Mapping[str, str] | None = None,
) -> Case:
    """A case whose model is made by a function."""
    return Case(layer, option, build, draws or (normal,), refused or {})


def stacked(
    layer: str,
    option: str,
    shape: tuple[int | None, ...],
    build: Callable[[Any], Any],
    *,
    draw: Draw = normal,
    dtype: str = "float32",
    refused: Mapping[str, str] | None = None,
) -> Case:
    """A case whose outputs are made from a single input `x` by a function."""

    def model() -> Any:
        x = keras.Input(shape, name="x", dtype=dtype)
        return keras.Model(x, build(x))

    return Case(layer, option, model, (draw,), refused or {})


def merged(
    layer: str,
    option: str,
    shapes: tuple[tuple[int | None, ...], ...],
    build: Callable[..., Any],
    *draws: Draw,
    refused: Mapping[str, str] | None = None,
) -> Case:
    """A case whose outputs are made from several inputs `a`, `b`, … by a function."""

    def model() -> Any:
        inputs = [keras.Input(shape, name="abcd"[i]) for i, shape in enumerate(shapes)]
        return keras.Model(inputs, build(*inputs))

    return Case(layer, option, model, draws or (normal,) * len(shapes), refused or {})


def wrapped(
    layer: str,
    option: str,
    shape: tuple[int | None, ...],
    make: Callable[[], Any],
    *,
    draw: Draw = normal,
    refused: Mapping[str, str] | None = None,
) -> Case:
    """A case whose single layer, on a single input `x`, is made by a function."""

    def build(x: Any) -> Any:
        return make()(x)

    return stacked(layer, option, shape, build, draw=draw, refused=refused)
