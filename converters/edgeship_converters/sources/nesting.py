"""Nested inputs and outputs: dicts, lists and tuples with something at the leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Path: TypeAlias = "tuple[str | int, ...]"


def map_leaves(
    function: Callable[[Path, Any], Any],
    nested: Any,
    *,
    is_leaf: Callable[[Any], bool] = lambda item: False,
    path: Path = (),
) -> Any:
    """The same nesting, with `function(path, leaf)` in place of each leaf; dicts keep their order.

    Keras and TensorFlow put dicts in the order of their sorted keys, each through a function of
    its own; going by path leaves no order to get wrong.
    """

    def go(key: str | int, item: Any) -> Any:
        return map_leaves(function, item, is_leaf=is_leaf, path=(*path, key))

    if is_leaf(nested):
        return function(path, nested)
    if isinstance(nested, Mapping):
        return {key: go(key, item) for key, item in nested.items()}
    if isinstance(nested, tuple) and hasattr(nested, "_fields"):
        items = zip(nested._fields, nested, strict=True)
        return type(nested)(*(go(key, item) for key, item in items))
    if isinstance(nested, list | tuple):
        made = [go(index, item) for index, item in enumerate(nested)]
        return tuple(made) if isinstance(nested, tuple) else made
    return function(path, nested)


def leaves(nested: Any, *, is_leaf: Callable[[Any], bool] = lambda item: False) -> dict[Path, Any]:
    """Each leaf by its path; `None` stands for nothing and is left out."""
    found: dict[Path, Any] = {}
    map_leaves(found.__setitem__, nested, is_leaf=is_leaf)
    return {path: leaf for path, leaf in found.items() if leaf is not None}


def joined(path: Path) -> str:
    """A name for a leaf: its keys, joined by '_'."""
    return "_".join(str(key) for key in path)
