"""tf2onnx's optimizers, with the same outcome every time."""

from __future__ import annotations

import re
from typing import Any

from tf2onnx.optimizer import _get_optimizers
from tf2onnx.optimizer.identity_optimizer import IdentityOptimizer
from tf2onnx.optimizer.merge_duplicated_nodes_optimizer import MergeDuplicatedNodesOptimizer

# tf2onnx ends the names of what it makes with a count over the whole process.
_COUNTED = re.compile(r"(.*?)(?:__(\d+))?")


class _RepeatableMerge(MergeDuplicatedNodesOptimizer):  # type: ignore[misc]
    """Of equal nodes the first by name survives, where tf2onnx lets chance decide."""

    def _merge_nodes_that_are_duplicated(self, nodes: list[Any], graph: Any) -> None:
        super()._merge_nodes_that_are_duplicated(sorted(nodes, key=_place), graph)


class _RepeatableIdentity(IdentityOptimizer):  # type: ignore[misc]
    """Of two names for one output of a loop's body, the same one is kept every time."""

    def _optimize_at_current_graph_level(self, graph: Any) -> Any:
        graph.get_nodes().sort(key=_place)
        return super()._optimize_at_current_graph_level(graph)


def optimizers() -> dict[str, Any]:
    """By name, in the order in which they run."""
    return {
        **_get_optimizers(),
        "merge_duplication": _RepeatableMerge,
        "remove_identity": _RepeatableIdentity,
    }


def _place(node: Any) -> tuple[str, int]:
    match = _COUNTED.fullmatch(node.name)
    return (match[1], int(match[2] or 0)) if match else (node.name, 0)
