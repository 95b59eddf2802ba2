"""scikit-learn's compiled trees: found, and checked before anything walks them.

skops leaves such types to its caller's judgement, since a forged one could send scikit-learn's C
code out of its arrays. So edgeship admits them and checks the arrays, or makes them anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.ensemble._forest import BaseForest
from sklearn.ensemble._gb import BaseGradientBoosting
from sklearn.ensemble._hist_gradient_boosting.gradient_boosting import BaseHistGradientBoosting
from sklearn.tree import BaseDecisionTree
from sklearn.tree._tree import TREE_LEAF, Tree

from edgeship_converters.errors import SourceError
from edgeship_converters.sources.histogram_trees import PREDICTOR_TYPE, sound_histogram_trees
from edgeship_converters.sources.neighbour_trees import (
    NEIGHBOUR_TYPES,
    is_metric,
    is_neighbour_tree,
    rebuilt,
)

TREE_TYPES = ("sklearn.tree._tree.Tree", PREDICTOR_TYPE, *NEIGHBOUR_TYPES)
_UNSOUND = "the model holds a tree that is not sound: do not use this file"


def check_trees(estimator: Any, trusted: Sequence[str] = ()) -> None:
    """Refuse an estimator that holds a tree whose nodes point where they must not.

    Its trees of neighbours are made anew of their rows.

    Args:
        estimator: of a file, and not yet asked anything.
        trusted: the types that the user vouches for.

    Raises:
        SourceError: for such a tree.
    """
    _renew(estimator, trusted, {})
    for tree, width in _walk(estimator, None, set()):
        node = np.arange(tree.node_count)
        left, right = tree.children_left, tree.children_right
        inner = left != TREE_LEAF
        sound = (
            tree.node_count > 0
            and ((right != TREE_LEAF) == inner).all()
            and (left[inner] > node[inner]).all()
            and (right[inner] > node[inner]).all()
            and (np.maximum(left, right) < tree.node_count).all()
            and (tree.feature[inner] >= 0).all()
            and (tree.feature[inner] < width).all()
        )
        if not sound:
            raise SourceError(_UNSOUND)


def trees_in(estimator: Any) -> Iterator[Tree]:
    """Every compiled tree that an estimator of scikit-learn's own types holds, once."""
    for tree, _ in _walk(estimator, None, set()):
        yield tree


def _renew(value: Any, trusted: Sequence[str], seen: dict[int, Any]) -> None:
    """Make trees of neighbours anew, and refuse unsound ones of histogram gradient boosting."""
    if id(value) in seen:
        return
    # Kept, so that no other object takes its place in memory.
    seen[id(value)] = value
    if is_neighbour_tree(value) or is_metric(value):
        # Nothing but an estimator's attribute is one in a model that scikit-learn made.
        raise SourceError(_UNSOUND)
    if isinstance(value, BaseHistGradientBoosting) and not sound_histogram_trees(value):
        raise SourceError(_UNSOUND)
    if _is_estimator(value):
        made = {name: part for name, part in vars(value).items() if is_neighbour_tree(part)}
        for name, tree in made.items():
            try:
                vars(value)[name] = rebuilt(tree, trusted)
            except Exception as error:
                # What a forged tree holds fails in whatever way its content suggests.
                raise SourceError(_UNSOUND) from error
        for name, part in vars(value).items():
            if name not in made:
                _renew(part, trusted, seen)
    for part in _parts(value):
        _renew(part, trusted, seen)


def _is_estimator(value: Any) -> bool:
    return type(value).__module__.startswith("sklearn.") and hasattr(value, "__dict__")


def _parts(value: Any) -> list[Any]:
    """What a collection holds; nothing where a value is none."""
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if isinstance(value, np.ndarray) and value.dtype == "O":
        return list(np.ravel(value))
    return []


def _walk(
    value: Any, width: int | None, seen: set[tuple[int, int | None]]
) -> Iterator[tuple[Tree, int]]:
    """Trees, each with how many features the rows have that reach it.

    A forest checks its rows' width once and hands them to its trees unchecked, so that its own
    width holds, and not what a tree says of itself.
    """
    # A tree that two models share is reached by the rows of both.
    if (id(value), width) in seen:
        return
    seen.add((id(value), width))
    if isinstance(value, Tree):
        yield value, width if width is not None else 0
    elif parts := _parts(value):
        for item in parts:
            yield from _walk(item, width, seen)
    elif _is_estimator(value):
        own = vars(value).get("n_features_in_")
        if isinstance(value, BaseDecisionTree) and width is not None:
            own = width
        elif not isinstance(value, BaseDecisionTree | BaseForest | BaseGradientBoosting):
            own = None
        yield from _walk(vars(value), own, seen)
