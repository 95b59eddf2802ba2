"""A recipe as TOML, to be pasted into a file for --recipe."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from edgeship_converters.recipe import Recipe


def recipe_toml(variant: str, recipe: Recipe) -> str:
    """The table of one variant: all keys, so that it says the same whatever the defaults are."""
    table: dict[str, Any] = msgspec.to_builtins(recipe)
    layers = table.pop("layers")
    lines = [f"[{variant}]"]
    lines += [f"{key} = {_value(value)}" for key, value in table.items() if value is not None]
    if layers:
        lines += ["", f"[{variant}.layers]"]
        lines += [f"{_value(name)} = {_value(made)}" for name, made in layers.items()]
    return "\n".join(lines) + "\n"


def _value(value: str | int | float) -> str:
    # JSON's strings and numbers are TOML's, but for one control character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
