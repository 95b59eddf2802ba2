"""Recipes: how each quantized variant is made, as data in TOML; docs/recipes.md is the page."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from edgeship_converters.errors import PlanError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Weights = Literal["float16", "int8", "int4"]
Activations = Literal["float32", "float16", "dynamic", "int8", "int16"]
Calibration = Literal["min-max", "percentile", "entropy"]
# What one layer may be made in, whatever the rest of the model is.
Precision = Literal["float32", "float16", "dynamic-int8", "int8", "int16x8", "int4"]

BUILT_IN = ("default", "percentile", "entropy")
MOST_ROWS = 500
_ROWS_LIMIT = 1_000_000
_CHOICES: dict[str, tuple[str, ...]] = {
    "weights": get_args(Weights),
    "activations": get_args(Activations),
    "granularity": ("channel", "tensor"),
    "calibration": get_args(Calibration),
}
# What a layer of each variant may be made in: what the tool that makes the variant can mix.
_TFLITE: tuple[Precision, ...] = ("float32", "float16", "dynamic-int8", "int8", "int16x8", "int4")
MIXES: dict[str, tuple[Precision, ...]] = {
    "tflite-float16": ("float32", "float16"),
    "tflite-dynamic-int8": ("float32", "float16", "dynamic-int8", "int4"),
    "tflite-int8": _TFLITE,
    "tflite-int16x8": _TFLITE,
    "tflite-int4": ("float32", "float16", "dynamic-int8", "int4"),
    "onnx-float16": ("float32", "float16"),
    "onnx-dynamic-int8": ("float32", "dynamic-int8"),
    "onnx-int8": ("float32", "int8"),
}


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one quantized variant is made.

    Attributes:
        weights: what weights are kept in.
        activations: what is computed in; `dynamic` takes each tensor's range while running.
        granularity: one scale for each output channel of a weight, or one for all of it.
        calibration: how ranges of activations are chosen from the calibration rows, for
            activations in int8 and int16.
        rows: how many calibration rows are used at most.
        percentile: the share, in percent, of the values seen that a range covers, for
            `percentile`.
        layers: precision by pattern of layer names (`*` and `?` as in a shell); the last pattern
            that fits a layer counts.
    """

    weights: Weights
    activations: Activations
    granularity: Literal["channel", "tensor"] = "channel"
    calibration: Calibration | None = None
    rows: int = MOST_ROWS
    percentile: float = 99.99
    layers: dict[str, Precision] = {}

    @property
    def precision(self) -> Precision:
        """What a layer is made in that no pattern fits."""
        match (self.weights, self.activations):
            case ("float16", _):
                return "float16"
            case ("int4", _):
                return "int4"
            case (_, "dynamic"):
                return "dynamic-int8"
            case (_, "int16"):
                return "int16x8"
        return "int8"

    def precision_of(self, layers: Sequence[str]) -> Precision:
        """What an operator that belongs to these layers is made in.

        >>> recipe = Recipe(weights="int8", activations="int8", layers={"head*": "float32"})
        >>> recipe.precision_of(["head_2"]), recipe.precision_of(["conv"])
        ('float32', 'int8')
        """
        chosen = self.precision
        for pattern, precision in self.layers.items():
            if any(fnmatchcase(layer, pattern) for layer in layers):
                chosen = precision
        return chosen

    def with_layers(self, layers: Mapping[str, Precision]) -> Recipe:
        """The same, with more patterns, which count before those there are."""
        others = {name: made for name, made in self.layers.items() if name not in layers}
        return msgspec.structs.replace(self, layers={**others, **layers})

    def words(self) -> str:
        """The recipe in a few words, for people."""
        parts = [f"weights {self.weights}", f"activations {self.activations}"]
        if self.weights in ("int8", "int4"):
            parts.append(f"by {self.granularity}")
        if self.calibration is not None:
            ends = f" {self.percentile:g}" if self.calibration == "percentile" else ""
            parts.append(f"{self.calibration}{ends} over ≤ {self.rows} rows")
        parts += [f"{pattern}: {precision}" for pattern, precision in self.layers.items()]
        return ", ".join(parts)


def load_recipes(given: str | os.PathLike[str] | None = None) -> dict[str, Recipe]:
    """The recipe of every quantized variant, by the variant's name.

    Args:
        given: a TOML file with a table for each variant that is to be made otherwise, or the name
            of a built-in recipe. What it does not say is as in the `default` recipe.

    Raises:
        PlanError: for a file that is missing or not TOML, and for tables and keys that are not
            known or do not go together.
    """
    tables = _built_in("default")
    changes = {} if given is None else _changes(given)
    for variant, table in changes.items():
        if variant not in tables:
            raise PlanError(
                f"the recipe {given} has a table {variant!r}, which is no quantized variant: "
                f"expected some of {', '.join(tables)}"
            )
        if not isinstance(table, dict):
            raise PlanError(f"the recipe {given} has a value for {variant!r}, expected a table")
        tables[variant] = {**tables[variant], **table}
    return {variant: _recipe(variant, table, given) for variant, table in tables.items()}


def changed_by(given: str | os.PathLike[str] | None) -> tuple[str, ...]:
    """The variants that a recipe has a table for."""
    return () if given is None else tuple(_changes(given))


def check_layers(
    recipes: Mapping[str, Recipe],
    variants: Sequence[str],
    layers: Sequence[str],
    given: str | os.PathLike[str] | None,
) -> None:
    """Refuse patterns that fit no layer of the model, as far as its layers are known.

    Raises:
        PlanError: with the pattern and the layers there are.
    """
    for variant in variants if layers else ():
        for pattern in recipes[variant].layers if variant in recipes else ():
            if not any(fnmatchcase(layer, pattern) for layer in layers):
                raise PlanError(
                    f"the recipe {given} names {pattern!r} for {variant}, which fits no layer: the "
                    f"model has {', '.join(layers[:20])}{', …' if len(layers) > 20 else ''}"
                )


def _changes(given: str | os.PathLike[str]) -> dict[str, Any]:
    if str(given) in BUILT_IN:
        return _built_in(str(given))
    path = Path(given)
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise PlanError(
            f"there is no recipe {path}: give a TOML file, or one of {', '.join(BUILT_IN)}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PlanError(f"the recipe {path} is not TOML: {error}") from error


def _built_in(name: str) -> dict[str, Any]:
    text = resources.files("edgeship_converters").joinpath("recipes", f"{name}.toml").read_text()
    return tomllib.loads(text)


def _recipe(variant: str, table: dict[str, Any], given: object) -> Recipe:
    fault = _not_allowed(table)
    if fault is not None:
        raise PlanError(f"the recipe {given} is wrong for {variant}: {fault}")
    try:
        recipe = msgspec.convert(table, Recipe)
    except msgspec.ValidationError as error:
        raise PlanError(f"the recipe {given} is wrong for {variant}: {error}") from error
    fault = _fault(variant, recipe)
    if fault is not None:
        raise PlanError(f"the recipe {given} is wrong for {variant}: {fault}")
    return recipe


def _not_allowed(table: dict[str, Any]) -> str | None:
    """What is no key of a recipe, or none of a key's values, with those that are."""
    for key, value in table.items():
        if key not in Recipe.__struct_fields__:
            return f"it has {key!r}, expected some of {', '.join(Recipe.__struct_fields__)}"
        if key in _CHOICES and value not in _CHOICES[key]:
            return f"{key} is {value!r}, expected one of {', '.join(_CHOICES[key])}"
    layers = table.get("layers")
    for pattern, precision in layers.items() if isinstance(layers, dict) else ():
        if precision not in get_args(Precision):
            return (
                f"layers {pattern!r} is {precision!r}, expected one of "
                f"{', '.join(get_args(Precision))}"
            )
    return None


def _fault(variant: str, recipe: Recipe) -> str | None:
    kept = msgspec.convert(_built_in("default")[variant], Recipe)
    # 4-bit weights may be computed with in either way; all else would belie the variant's name.
    free = {"float32", "dynamic"} if variant == "tflite-int4" else {kept.activations}
    if recipe.weights != kept.weights or recipe.activations not in free:
        return (
            f"expected weights {kept.weights!r} and activations "
            f"{' or '.join(repr(way) for way in sorted(free))}, got {recipe.weights!r} and "
            f"{recipe.activations!r}; other precisions are other variants"
        )
    if not 1 <= recipe.rows <= _ROWS_LIMIT:
        return f"rows must be at least 1 and at most {_ROWS_LIMIT:,}, got {recipe.rows:,}"
    if not 50 < recipe.percentile <= 100:
        return f"percentile must lie above 50 and up to 100, got {recipe.percentile:g}"
    for pattern, precision in recipe.layers.items():
        if precision not in MIXES[variant]:
            return (
                f"layers {pattern!r} cannot be {precision}: expected one of "
                f"{', '.join(MIXES[variant])}"
            )
    if recipe.calibration is None and recipe.activations in ("int8", "int16"):
        return "int8 and int16 activations need calibration: give a method"
    if recipe.calibration is not None and recipe.activations not in ("int8", "int16"):
        return f"{recipe.activations} activations are not calibrated: leave calibration out"
    return None
