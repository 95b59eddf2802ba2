"""LightGBM's text files, checked and written anew before its library reads them.

The library believes what a file says of its trees' sizes, children and columns, and leaves its
arrays where that is wrong. So it is given a text that is put together here, of parts that were
checked, and no byte of the file that was not.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

MOST_BYTES = 1 << 30
MOST_DEPTH = 1000
_MOST_OUTPUTS = 100_000
_INT32, _UINT32 = (1 << 31) - 1, (1 << 32) - 1
# With one way to read each number, so that a text that has none is not tried over and over.
_FLOAT = r"[-+]?(?:\d+(?:\.\d*)?(?:[eE][-+]?\d{1,4})?|inf|nan)"
_FLOATS = re.compile(rf"{_FLOAT}(?: {_FLOAT})*", re.ASCII)
_INTS = re.compile(r"-?\d{1,10}(?: -?\d{1,10})*", re.ASCII)
_COLUMN = re.compile(rf"none|\[{_FLOAT}:{_FLOAT}\]|-?\d{{1,10}}(?::-?\d{{1,10}})*", re.ASCII)
_OBJECTIVE = re.compile(r"\w+(?: \w+(?::[\w.+-]+)?)*", re.ASCII)
_CATEGORICAL, _MISSING_TYPES = 1, 3


def checked_lightgbm(path: Path) -> str:
    """The text of a model that the library can be given, with all that a model answers by.

    Raises:
        ValueError: for a file that is not sound, with what is wrong in it.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ValueError(f"expected at most {MOST_BYTES} bytes, got {size}")
    lines = [line.rstrip("\r") for line in path.read_bytes().decode().split("\n")]
    if any("\0" in line for line in lines):
        raise ValueError("expected text, got a zero byte")
    ends = lines.index("end of trees") if "end of trees" in lines else len(lines)
    starts = [place for place, line in enumerate(lines[:ends]) if line.startswith("Tree=")]
    head = _pairs(lines[1 : starts[0] if starts else ends], "the head")
    header, features, outputs = _header(head)
    if len(starts) % outputs:
        raise ValueError(
            f"expected as many trees for each of {outputs} outputs, got {len(starts)} in all"
        )
    trees = []
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], ends], strict=True)):
        what = f"tree {number}"
        block = _tree(_pairs(lines[start + 1 : end], what), features, what)
        trees.append(f"Tree={number}\n{block}\n\n\n")
    sizes = " ".join(str(len(block)) for block in trees)
    return f"tree\n{header}\ntree_sizes={sizes}\n\n{''.join(trees)}end of trees\n\n" + _after(
        lines[ends:], features
    )


def _pairs(lines: Sequence[str], what: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition("=")
        if key in pairs:
            raise ValueError(f"{what}: expected {key} once, got it twice")
        if key:
            pairs[key] = value.strip(" ")
    return pairs


def _header(head: dict[str, str]) -> tuple[str, int, int]:
    """The lines ahead of the trees, how many columns rows have, and how many outputs there are."""
    what = "the head"
    classes = _number(head, "num_class", what, 1, _MOST_OUTPUTS)
    outputs = _number(head, "num_tree_per_iteration", what, classes, classes)
    names = head.get("feature_names", "").split(" ")
    last = _number(head, "max_feature_idx", what, len(names) - 1, len(names) - 1)
    infos = head.get("feature_infos", "").split(" ")
    if len(infos) != len(names) or not all(_COLUMN.fullmatch(info) for info in infos):
        raise ValueError(f"{what}: feature_infos: expected the range of each of {len(names)}")
    lines = [
        "version=v4",
        f"num_class={classes}",
        f"num_tree_per_iteration={outputs}",
        f"label_index={_number(head, 'label_index', what, -1, _INT32)}",
        f"max_feature_idx={last}",
    ]
    if "objective" in head:
        lines.append(f"objective={_objective(head['objective'], classes)}")
    if "average_output" in head:
        lines.append("average_output")
    lines.append(f"feature_names={' '.join(names)}")
    if head.get("monotone_constraints"):
        signs = _ints(head, "monotone_constraints", what, len(names), -1, 1)
        lines.append(f"monotone_constraints={_joined(signs)}")
    lines.append(f"feature_infos={' '.join(infos)}")
    return "\n".join(lines), len(names), outputs


def _objective(text: str, classes: int) -> str:
    if not _OBJECTIVE.fullmatch(text):
        raise ValueError(f"the head: objective: expected a name and its options, got {text[:40]!r}")
    name, *options = text.split(" ")
    of = [option.partition(":")[2] for option in options if option.startswith("num_class")]
    # The library writes as many answers as the objective says into room for the head's classes.
    if name.startswith("multiclass") and not of:
        raise ValueError("the head: objective: expected num_class, got none")
    if any(value != str(classes) for value in of):
        raise ValueError(f"the head: objective: expected num_class:{classes}, got {of[0]}")
    return text


def _tree(pairs: dict[str, str], features: int, what: str) -> str:
    """The lines of one tree."""
    if pairs.get("is_linear", "0") != "0":
        raise ValueError(f"{what}: its leaves are linear models (linear_tree)")
    leaves = _number(pairs, "num_leaves", what, 1, _INT32)
    inner = leaves - 1
    cats = _number(pairs, "num_cat", what, 0, inner)
    written = {
        "num_leaves": str(leaves),
        "num_cat": str(cats),
        "leaf_value": _floats(pairs, "leaf_value", what, leaves),
        "is_linear": "0",
        "shrinkage": _floats({"shrinkage": "1", **pairs}, "shrinkage", what, 1),
        # The library looks at the first one also where the file has none.
        "leaf_count": "0" if leaves == 1 else None,
    }
    if pairs.get("leaf_count"):
        written["leaf_count"] = _joined(_ints(pairs, "leaf_count", what, leaves, 0, _INT32))
    if inner:
        written |= _inner(pairs, leaves, features, cats, what)
    return "\n".join(f"{key}={value}" for key, value in written.items() if value is not None)


def _inner(
    pairs: dict[str, str], leaves: int, features: int, cats: int, what: str
) -> dict[str, str | None]:
    """What a tree of more than a leaf says of its inner nodes."""
    inner = leaves - 1
    left = _ints(pairs, "left_child", what, inner, -leaves, inner - 1)
    right = _ints(pairs, "right_child", what, inner, -leaves, inner - 1)
    _check_shape(left, right, what)
    kinds = _ints({"decision_type": _joined([0] * inner), **pairs}, "decision_type", what, inner,
                  0, 15)  # fmt: skip
    thresholds = _floats(pairs, "threshold", what, inner)
    for kind, threshold in zip(kinds, thresholds.split(" "), strict=True):
        if kind >> 2 >= _MISSING_TYPES:
            raise ValueError(f"{what}: decision_type: expected one that there is, got {kind}")
        if kind & _CATEGORICAL and not (threshold.isdigit() and int(threshold) < cats):
            raise ValueError(
                f"{what}: threshold: expected one of {cats} sets of categories, got {threshold}"
            )
    written: dict[str, str | None] = {
        "split_feature": _joined(_ints(pairs, "split_feature", what, inner, 0, features - 1)),
        "threshold": thresholds,
        "decision_type": _joined(kinds),
        "left_child": _joined(left),
        "right_child": _joined(right),
    }
    for key, length in {
        "split_gain": inner, "leaf_weight": leaves, "internal_value": inner,
        "internal_weight": inner,
    }.items():  # fmt: skip
        if pairs.get(key):
            written[key] = _floats(pairs, key, what, length)
    if pairs.get("internal_count"):
        written["internal_count"] = _joined(_ints(pairs, "internal_count", what, inner, 0, _INT32))
    if cats:
        ends = _ints(pairs, "cat_boundaries", what, cats + 1, 0, _INT32)
        if ends[0] != 0 or any(end <= start for start, end in pairwise(ends)):
            raise ValueError(f"{what}: cat_boundaries: expected increasing numbers from 0")
        bits = _ints(pairs, "cat_threshold", what, ends[-1], 0, _UINT32)
        written |= {"cat_boundaries": _joined(ends), "cat_threshold": _joined(bits)}
    return written


def _check_shape(left: list[int], right: list[int], what: str) -> None:
    """Whether each node but the root is the child of one node, which stands before it."""
    depths = [0] * len(left)
    met = set()
    for node, children in enumerate(zip(left, right, strict=True)):
        for child in children:
            if child in met or 0 <= child <= node:
                raise ValueError(
                    f"{what}: expected each node to be the child of one before it, got {child} "
                    f"as a child of {node}"
                )
            met.add(child)
            if child >= 0:
                depths[child] = depths[node] + 1
    if max(depths) > MOST_DEPTH:
        raise ValueError(f"{what}: expected a depth of at most {MOST_DEPTH}, got {max(depths)}")


def _after(lines: Sequence[str], features: int) -> str:
    """What follows the trees: which columns hold categories, and those of a data frame."""
    places = ""
    known: Any = None
    for line in lines:
        if found := re.fullmatch(r"\[categorical_feature: (\d{1,9}(?:,\d{1,9})*)\]", line):
            places = found[1]
        elif line.startswith("pandas_categorical:"):
            known = json.loads(line.removeprefix("pandas_categorical:"))
    if any(int(place) >= features for place in places.split(",") if place):
        raise ValueError(f"categorical_feature: expected places below {features}, got {places}")
    if known is not None and not (
        isinstance(known, list)
        and all(isinstance(column, list) for column in known)
        and all(_plain(value) for column in known for value in column)
    ):
        raise ValueError("pandas_categorical: expected lists of words or numbers")
    return (
        f"parameters:\n[categorical_feature: {places}]\n\nend of parameters\n\n"
        f"pandas_categorical:{json.dumps(known)}\n"
    )


def _plain(value: Any) -> bool:
    return isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))


def _number(pairs: dict[str, str], key: str, what: str, least: int, most: int) -> int:
    return _ints(pairs, key, what, 1, least, most)[0]


def _ints(
    pairs: dict[str, str], key: str, what: str, length: int, least: int, most: int
) -> list[int]:
    """The whole numbers that a key has: as many as there must be, and each within bounds."""
    text = _text(pairs, key, what)
    if not _INTS.fullmatch(text):
        raise ValueError(f"{what}: {key}: expected whole numbers, got {text[:40]!r}")
    numbers = [int(word) for word in text.split(" ")]
    _check_length(len(numbers), length, key, what)
    wrong = next((number for number in numbers if not least <= number <= most), None)
    if wrong is not None:
        raise ValueError(f"{what}: {key}: expected numbers of {least} to {most}, got {wrong}")
    return numbers


def _floats(pairs: dict[str, str], key: str, what: str, length: int) -> str:
    """The numbers that a key has, as they are written: as many as there must be."""
    text = _text(pairs, key, what)
    if not _FLOATS.fullmatch(text):
        raise ValueError(f"{what}: {key}: expected numbers, got {text[:40]!r}")
    _check_length(text.count(" ") + 1, length, key, what)
    return text


def _text(pairs: dict[str, str], key: str, what: str) -> str:
    if key not in pairs:
        raise ValueError(f"{what}: expected {key}, got none")
    return pairs[key]


def _check_length(got: int, expected: int, key: str, what: str) -> None:
    if got != expected:
        raise ValueError(f"{what}: {key}: expected {expected} numbers, got {got}")


def _joined(numbers: Sequence[int]) -> str:
    return " ".join(map(str, numbers))
