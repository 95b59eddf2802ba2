"""XGBoost's JSON and UBJSON files, checked and written anew before its library reads them.

The library believes what a file says of its trees, and leaves its arrays where that is wrong. So it
is given JSON that is put together here, of parts that were checked, and no byte that was not.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from edgeship_converters.sources.ubjson import read_ubjson
from edgeship_converters.sources.xgboost_nodes import checked_tree, count, field, integers, numbers

MOST_BYTES = 1 << 30
# Rows are given whole, so that more columns than these fill a computer's memory.
MOST_FEATURES = 100_000
_MOST_OUTPUTS = 100_000
_INT32, _INT64 = (1 << 31) - 1, (1 << 63) - 1
_HEAD = "the learner"
# Of the trees; since XGBoost 3.4 dropped trees' weights stand among them.
_OF_TREES = {
    *("cats", "gbtree_model_param", "iteration_indptr", "tree_info", "trees", "weight_drop"),
}
# Which of its own kinds of numbers the library counts up to.
_CATEGORY_TYPES = (0, 15)


def checked_xgboost(path: Path) -> bytearray:
    """The JSON of a model that the library can be given, with all that a model answers by.

    Raises:
        ValueError: for a file that is not sound, with what is wrong in it.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ValueError(f"expected at most {MOST_BYTES} bytes, got {size}")
    data = path.read_bytes()
    model = read_ubjson(data) if path.suffix.lower() == ".ubj" else json.loads(data)
    version = integers(model, "version", "the file", 3, 0, 1000)
    learner = _learner(field(model, "learner", dict, "the file"))
    return bytearray(json.dumps({"learner": learner, "version": version}).encode())


def _learner(learner: Any) -> dict[str, Any]:
    about = field(learner, "learner_model_param", dict, _HEAD)
    features = count(about, "num_feature", _HEAD, 1, MOST_FEATURES)
    classes = count(about, "num_class", _HEAD, 0, _MOST_OUTPUTS, missing=0)
    targets = count(about, "num_target", _HEAD, 0, _MOST_OUTPUTS, missing=1)
    if classes > 1 and targets > 1:
        raise ValueError(f"{_HEAD}: num_target: expected 1 beside num_class, got {targets}")
    outputs = max(classes, targets, 1)
    booster, rounds = _booster(field(learner, "gradient_booster", dict, _HEAD), features, outputs)
    attributes = _words(learner.get("attributes", {}), "attributes")
    if "best_iteration" in attributes:
        count(attributes, "best_iteration", "attributes", 0, rounds - 1)
    return {
        "attributes": attributes,
        "feature_names": _names(learner, "feature_names", features),
        "feature_types": _names(learner, "feature_types", features),
        "gradient_booster": booster,
        "learner_model_param": {
            "base_score": _base_score(field(about, "base_score", str, _HEAD), outputs),
            "boost_from_average": str(count(about, "boost_from_average", _HEAD, 0, 1, missing=1)),
            "num_class": str(classes),
            "num_feature": str(features),
            "num_target": str(targets),
        },
        "objective": _objective(field(learner, "objective", dict, _HEAD), classes),
    }


def _booster(booster: Any, features: int, outputs: int) -> tuple[dict[str, Any], int]:
    """The booster, and how many rounds it has."""
    name = field(booster, "name", str, "gradient_booster")
    if name == "gblinear":
        model = field(booster, "model", dict, name)
        rounds = count(model, "boosted_rounds", name, 0, _INT32, missing=0)
        # The last row is what each output starts from.
        weights = numbers(model, "weights", name, (features + 1) * outputs)
        return {"name": name, "model": {"boosted_rounds": rounds, "weights": weights}}, rounds
    if name == "gbtree":
        model, rounds = _trees(field(booster, "model", dict, name), features, outputs)
        return {"name": name, "model": model}, rounds
    if name == "dart":
        held = field(booster, "gbtree", dict, name)
        model, rounds = _trees(field(held, "model", dict, name), features, outputs)
        kept = numbers(booster, "weight_drop", name, len(model["trees"]))
        return {
            "name": name,
            "gbtree": {"name": "gbtree", "model": model},
            "weight_drop": kept,
        }, rounds
    raise ValueError(f"gradient_booster: expected gbtree, dart or gblinear, got {name[:40]!r}")


def _trees(model: Any, features: int, outputs: int) -> tuple[dict[str, Any], int]:
    what = "the trees"
    unknown = sorted(set(model) - _OF_TREES)
    if unknown:
        # What is left out might decide.
        raise ValueError(
            f"{what}: expected {', '.join(sorted(_OF_TREES))}, got {unknown[0][:40]!r}"
        )
    trees = field(model, "trees", list, what)
    about = field(model, "gbtree_model_param", dict, what)
    size = count(about, "num_trees", what, len(trees), len(trees))
    parallel = count(about, "num_parallel_tree", what, 1, max(size, 100_000), missing=1)
    if size and outputs > size:
        raise ValueError(f"{what}: expected one for each of {outputs} outputs, got {size}")
    if "iteration_indptr" in model:
        ends = integers(model, "iteration_indptr", what, None, 0, size)
    elif size % (outputs * parallel):
        raise ValueError(f"{what}: expected rounds of {outputs * parallel}, got {size}")
    else:
        # Files of older releases do not say it.
        ends = list(range(0, size + 1, outputs * parallel))
    if ends[:1] != [0] or ends[-1] != size or any(a > b for a, b in pairwise(ends)):
        raise ValueError(f"{what}: iteration_indptr: expected 0 up to {size}, got others")
    kept = {
        "gbtree_model_param": {"num_parallel_tree": str(parallel), "num_trees": str(size)},
        "iteration_indptr": ends,
        "tree_info": integers(model, "tree_info", what, size, 0, outputs - 1),
        "trees": [checked_tree(tree, features, place) for place, tree in enumerate(trees)],
    }
    if "cats" in model:
        kept["cats"] = _cats(model["cats"], features)
    if "weight_drop" in model:
        kept["weight_drop"] = numbers(model, "weight_drop", what, size)
    return kept, len(ends) - 1


def _cats(cats: Any, features: int) -> dict[str, Any]:
    """The categories of a data frame's columns, and in which order they are sorted."""
    what = "cats"
    columns = [_column(column) for column in field(cats, "enc", list, what)]
    if not columns:
        return {"enc": [], "feature_segments": [], "sorted_idx": []}
    if len(columns) != features:
        raise ValueError(f"{what}: expected those of {features} columns, got {len(columns)}")
    ends = [0]
    for column in columns:
        known = column["offsets"][1:] if "offsets" in column else column["values"]
        ends.append(ends[-1] + len(known))
    if integers(cats, "feature_segments", what, len(ends), 0, ends[-1]) != ends:
        raise ValueError(f"{what}: feature_segments: expected where each column's ends, got others")
    order = integers(cats, "sorted_idx", what, ends[-1], 0, _INT32)
    for start, end in pairwise(ends):
        if sorted(order[start:end]) != list(range(end - start)):
            raise ValueError(f"{what}: sorted_idx: expected each category of a column once")
    return {"enc": columns, "feature_segments": ends, "sorted_idx": order}


def _column(column: Any) -> dict[str, Any]:
    what = "cats"
    if not isinstance(column, dict) or "offsets" not in column:
        values: list[Any] = numbers(column, "values", what, None)
        if all(isinstance(value, int) for value in column["values"]):
            values = integers(column, "values", what, None, -_INT64 - 1, _INT64)
        return {"type": count(column, "type", what, *_CATEGORY_TYPES), "values": values}
    letters = integers(column, "values", what, None, -128, 255)
    ends = integers(column, "offsets", what, None, 0, len(letters))
    if ends[:1] not in ([], [0]) or any(a > b for a, b in pairwise(ends)):
        raise ValueError(f"{what}: offsets: expected increasing numbers from 0, got others")
    return {"offsets": ends, "values": letters}


def _objective(objective: Any, classes: int) -> dict[str, Any]:
    what = "objective"
    name = field(objective, "name", str, what)
    kept: dict[str, Any] = {"name": name}
    for key, value in objective.items():
        if isinstance(value, dict):
            kept[key] = _words(value, what)
        elif isinstance(value, list):
            kept[key] = numbers(objective, key, what, None)
    # It divides the answers among as many classes as it says.
    for options in kept.values():
        if isinstance(options, dict) and "num_class" in options:
            count(options, "num_class", what, classes, classes)
    if name.startswith("multi:"):
        options = field(kept, "softmax_multiclass_param", dict, what)
        count(options, "num_class", what, max(classes, 1), max(classes, 1))
    return kept


def _base_score(text: str, outputs: int) -> str:
    try:
        scores = [float(word) for word in text.removeprefix("[").removesuffix("]").split(",")]
    except ValueError:
        scores = []
    if len(scores) not in (1, outputs):
        raise ValueError(f"{_HEAD}: base_score: expected {outputs} numbers, got {text[:40]!r}")
    return text


def _words(held: Any, what: str) -> dict[str, str]:
    if not isinstance(held, dict) or not all(isinstance(value, str) for value in held.values()):
        raise ValueError(f"{what}: expected words by name, got others")
    return dict(held)


def _names(learner: Any, name: str, features: int) -> Sequence[str]:
    names = learner.get(name, [])
    if not isinstance(names, list) or not all(isinstance(word, str) for word in names):
        raise ValueError(f"{_HEAD}: {name}: expected words, got others")
    if len(names) not in (0, features):
        raise ValueError(f"{_HEAD}: {name}: expected {features}, got {len(names)}")
    return list(names)
