"""One tree of an XGBoost file, checked node by node."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

MOST_DEPTH = 1000
# 2^20 categories are more than any column of a model that goes on a device.
_MOST_CATEGORIES = 1 << 20
_NO_NODE, _DELETED = -1, (1 << 31) - 1
_NUMBERS = ("split_conditions", "base_weights", "loss_changes", "sum_hessian")
_CATEGORIES = (
    "categories", "categories_nodes", "categories_segments", "categories_sizes",
)  # fmt: skip


def checked_tree(tree: Any, features: int, place: int) -> dict[str, Any]:
    """What a tree says, and nothing else that a file holds beside it.

    Args:
        tree: of a file.
        features: how many columns the rows have.
        place: where it stands among the trees.

    Raises:
        ValueError: where a node points out of the tree or of the rows.
    """
    what = f"tree {place}"
    about = field(tree, "tree_param", dict, what)
    size = count(about, "num_nodes", what, 1, _DELETED)
    deleted = count(about, "num_deleted", what, 0, size - 1, missing=0)
    width = count(about, "num_feature", what, 0, features, missing=features)
    outputs = count(about, "size_leaf_vector", what, 0, _DELETED, missing=1)
    if outputs > 1:
        raise ValueError(f"{what}: its leaves hold several outputs (multi_strategy)")
    left = integers(tree, "left_children", what, size, _NO_NODE, size - 1)
    right = integers(tree, "right_children", what, size, _NO_NODE, size - 1)
    parents = integers(tree, "parents", what, size, 0, _DELETED)
    split = integers(tree, "split_indices", what, size, 0, _DELETED)
    reached = _reached(left, right, parents, what)
    for node in range(size):
        if reached[node] and split[node] >= features:
            raise ValueError(
                f"{what}: split_indices: expected numbers below {features}, got {split[node]}"
            )
        if not reached[node] and split[node] != _DELETED:
            raise ValueError(f"{what}: expected node {node} below the root, got it elsewhere")
    if size - sum(reached) != deleted:
        raise ValueError(
            f"{what}: num_deleted: expected {size - sum(reached)} nodes, got {deleted}"
        )
    kept: dict[str, Any] = {
        # Where the library puts it.
        "id": count(tree, "id", what, place, place, missing=place),
        "tree_param": {
            "num_nodes": str(size),
            "num_deleted": str(deleted),
            "num_feature": str(width),
            "size_leaf_vector": str(outputs),
        },
        "left_children": left,
        "right_children": right,
        "parents": parents,
        "split_indices": split,
        # Booleans in files of older releases.
        "default_left": integers(tree, "default_left", what, size, 0, 1),
    }
    kept |= {name: numbers(tree, name, what, size) for name in _NUMBERS}
    if "split_type" in tree:
        kept["split_type"] = integers(tree, "split_type", what, size, 0, 1)
        kept |= _categories(tree, size, kept["split_type"], what)
    return kept


def _reached(left: list[int], right: list[int], parents: list[int], what: str) -> list[bool]:
    """Which nodes lie below the root, each of them once and below the parent that it names."""
    size = len(left)
    reached = [False] * size
    reached[0] = True
    level, depth = [0], 0
    if parents[0] != _DELETED or any(parent >= size for parent in parents[1:]):
        raise ValueError(f"{what}: parents: expected none of the root, and others below {size}")
    while level:
        below = []
        for node in level:
            children = left[node], right[node]
            if children == (_NO_NODE, _NO_NODE):
                continue
            for child in children:
                if child == _NO_NODE or reached[child] or parents[child] != node:
                    raise ValueError(
                        f"{what}: expected two children of node {node} and of no other, got {child}"
                    )
                reached[child] = True
                below.append(child)
        level, depth = below, depth + 1
        if depth > MOST_DEPTH:
            raise ValueError(f"{what}: expected a depth of at most {MOST_DEPTH}, got more")
    return reached


def _categories(tree: Any, size: int, kinds: list[int], what: str) -> dict[str, list[int]]:
    """The categories that nodes send to the right."""
    held = {name: tree.get(name, []) for name in _CATEGORIES}
    values = integers(held, "categories", what, None, 0, _MOST_CATEGORIES - 1)
    nodes = integers(held, "categories_nodes", what, None, 0, size - 1)
    starts = integers(held, "categories_segments", what, len(nodes), 0, len(values))
    sizes = integers(held, "categories_sizes", what, len(nodes), 1, len(values))
    if nodes != [node for node, kind in enumerate(kinds) if kind]:
        raise ValueError(f"{what}: categories_nodes: expected the nodes that split by category")
    if any(start + length > len(values) for start, length in zip(starts, sizes, strict=True)):
        raise ValueError(f"{what}: categories_segments: expected parts of {len(values)} categories")
    return dict(zip(_CATEGORIES, (values, nodes, starts, sizes), strict=True))


def field(held: Any, name: str, kind: type | tuple[type, ...], what: str) -> Any:
    """A part of an object, of a type that it must have.

    Raises:
        ValueError: where it is missing, or of another type.
    """
    if not isinstance(held, dict) or not isinstance(held.get(name), kind):
        raise ValueError(f"{what}: {name}: expected one, got none, or another type")
    return held[name]


def count(
    held: Any, name: str, what: str, least: int, most: int, missing: int | None = None
) -> int:
    """A whole number within bounds, which XGBoost writes as a text.

    Raises:
        ValueError: where it is another.
    """
    value = held.get(name, missing) if isinstance(held, dict) else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 11:
        value = int(value)
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{what}: {name}: expected {least} to {most}, got {str(value)[:40]!r}")
    return value


def integers(
    held: Any, name: str, what: str, length: int | None, least: int, most: int
) -> list[int]:
    """Whole numbers within bounds, as many as there must be.

    Raises:
        ValueError: where they are others.
    """
    values = field(held, name, list, what)
    wrong = _other_than(values, int) or [v for v in values if not least <= v <= most]
    if wrong:
        shown = str(wrong[0])[:40]
        raise ValueError(f"{what}: {name}: expected numbers of {least} to {most}, got {shown}")
    _check_length(values, name, what, length)
    return [int(value) for value in values]


def numbers(held: Any, name: str, what: str, length: int | None) -> list[float]:
    """Numbers of any kind, as many as there must be.

    Raises:
        ValueError: where they are others.
    """
    values = field(held, name, list, what)
    wrong = _other_than(values, int | float)
    if wrong:
        raise ValueError(f"{what}: {name}: expected numbers, got {str(wrong[0])[:40]}")
    _check_length(values, name, what, length)
    return [float(value) for value in values]


def _other_than(values: Iterable[Any], kind: Any) -> list[Any]:
    return [value for value in values if not isinstance(value, kind)]


def _check_length(values: list[Any], name: str, what: str, length: int | None) -> None:
    if length is not None and len(values) != length:
        raise ValueError(f"{what}: {name}: expected {length} numbers, got {len(values)}")
