"""scikit-learn's compiled trees: found, and checked before anything walks them.

skops leaves `sklearn.tree._tree.Tree` to its caller's judgement, since a forged one could send
scikit-learn's C code out of its arrays. So edgeship admits the type and checks the arrays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.ensemble._forest import BaseForest
from sklearn.ensemble._gb import BaseGradientBoosting
from sklearn.tree import BaseDecisionTree
from sklearn.tree._tree import TREE_LEAF, Tree

from edgeship_converters.errors import SourceError

TREE_TYPE = "sklearn.tree._tree.Tree"


def check_trees(estimator: Any) -> None:
    """Refuse an estimator that holds a tree whose nodes point where they must not.

    Raises:
        SourceError: for such a tree.
    """
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
            raise SourceError("the model holds a tree that is not sound: do not use this file")


def trees_in(estimator: Any) -> Iterator[Tree]:
    """Every compiled tree that an estimator of scikit-learn's own types holds, once."""
    for tree, _ in _walk(estimator, None, set()):
        yield tree


def _walk(value: Any, width: int | None, seen: set[int]) -> Iterator[tuple[Tree, int]]:
    """Trees, each with how many features the rows have that reach it.

    A forest checks its rows' width once and hands them to its trees unchecked, so that its own
    width holds, and not what a tree says of itself.
    """
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, Tree):
        yield value, width if width is not None else 0
    elif isinstance(value, dict):
        for item in value.values():
            yield from _walk(item, width, seen)
    elif isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.dtype == "O"):
        for item in np.ravel(value) if isinstance(value, np.ndarray) else value:
            yield from _walk(item, width, seen)
    elif type(value).__module__.startswith("sklearn.") and hasattr(value, "__dict__"):
        own = vars(value).get("n_features_in_")
        if isinstance(value, BaseDecisionTree) and width is not None:
            own = width
        elif not isinstance(value, BaseDecisionTree | BaseForest | BaseGradientBoosting):
            own = None
        yield from _walk(vars(value), own, seen)
