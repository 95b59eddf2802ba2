"""What the operators of a TensorFlow graph tell: which are dangerous, and which come last."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import PurePosixPath
from typing import Any

from edgeship_converters.errors import SourceError

# Operators that run Python code, or read and write files, sockets and databases. A SavedModel that
# only predicts needs none of them; its tables read their files as the model is loaded.
_DANGEROUS = json.loads(
    resources.files("edgeship_converters.sources").joinpath("dangerous_operators.json").read_text()
)
# Every SavedModel reads and writes its own variables with these, outside its signatures.
_OWN = frozenset({"SaveV2", "RestoreV2", "MergeV2Checkpoints", "ShardedFilename"})
_CALLS = ("PartitionedCall", "StatefulPartitionedCall")
_ACTIVATIONS = {"Softmax": "softmax", "Sigmoid": "sigmoid"}


def check_operators(model: Any, where: object) -> None:
    """Refuse a `SavedModel` message that holds an operator which reaches out of the graph.

    Args:
        model: the parsed `saved_model.pb`; nothing of it has been loaded.
        where: it came from.

    Raises:
        SourceError: naming the operator.
    """
    for meta in model.meta_graphs:
        _check_checkpoints(meta, where)
        _check_assets(meta, where)
        for node in _nodes(meta.graph_def):
            reaches_out = node.op in _DANGEROUS["names"] or node.op.startswith(
                tuple(_DANGEROUS["starts"])
            )
            prints_to_file = node.op == "PrintV2" and node.attr["output_stream"].s.startswith(
                b"file:"
            )
            if reaches_out or prints_to_file:
                raise SourceError(
                    f"{where} holds the operator {node.op} (node {node.name!r}), which reaches "
                    "out of the model to files, the network or Python, and is not loaded: save a "
                    "model that only computes"
                )


def _check_checkpoints(meta: Any, where: object) -> None:
    """Variables are saved and restored by the functions that the saver names, and by no other."""
    nodes = {node.name: node for node in meta.graph_def.node}
    named = (meta.saver_def.save_tensor_name, meta.saver_def.restore_op_name)
    savers = [nodes.get(name.split(":")[0].lstrip("^")) for name in named]
    own = {node.attr["f"].func.name for node in savers if node is not None and node.op in _CALLS}
    for function in meta.graph_def.library.function:
        if function.signature.name not in own:
            for node in function.node_def:
                if node.op in _OWN:
                    raise SourceError(
                        f"{where} reads or writes files in the function "
                        f"{function.signature.name} ({node.op}), and is not loaded: save a model "
                        "that only computes"
                    )


def _check_assets(meta: Any, where: object) -> None:
    """Tables are filled from files in the folder's own assets, and from no other."""
    for asset in meta.asset_file_def:
        parts = PurePosixPath(asset.filename).parts
        if not parts or asset.filename.startswith("/") or ".." in parts or "\\" in asset.filename:
            raise SourceError(
                f"{where} names the asset {asset.filename!r}, which is outside its folder, and is "
                "not loaded"
            )
    bodies = [meta.graph_def.node, *(f.node_def for f in meta.graph_def.library.function)]
    for body in bodies:
        constants = {node.name for node in body if node.op == "Const"}
        for node in body:
            if node.op.startswith("InitializeTableFromTextFile"):
                file = node.input[1].split(":")[0].lstrip("^") if len(node.input) > 1 else ""
                if file in constants:
                    raise SourceError(
                        f"{where} fills a table from a file of a fixed path (node {node.name!r}), "
                        "and is not loaded: keep the file among its assets"
                    )


def check_signature(function: Any, where: object) -> None:
    """Refuse a loaded signature that reads or writes checkpoints when it is asked to predict.

    Raises:
        SourceError: naming the operator.
    """
    for node in _nodes(function.graph.as_graph_def()):
        if node.op in _OWN:
            raise SourceError(
                f"{where} reads or writes files when it predicts ({node.op}), and is not run: "
                "save a model that only computes"
            )


def last_activation(function: Any) -> list[str | None]:
    """For each flat output of a concrete function: `softmax` or `sigmoid` if that is what comes
    last, `linear` for a sum or product, else None.
    """
    graph = function.graph.as_graph_def()
    nodes = {node.name: node for node in graph.node}
    library = {f.signature.name: f for f in graph.library.function}
    ends = [_last(tensor.name, nodes, library) for tensor in function.outputs]
    return [
        _ACTIVATIONS.get(op, "linear" if op in ("BiasAdd", "AddV2", "MatMul") else None)
        for op in ends
    ]


def _last(name: str, nodes: dict[str, Any], library: dict[str, Any]) -> str:
    """The operator that makes a tensor, seen through identities and calls."""
    parts = name.split(":")
    node, index = nodes.get(parts[0].lstrip("^")), int(parts[-1]) if len(parts) > 1 else 0
    if node is None:
        return ""
    if node.op in ("Identity", "IdentityN"):
        return _last(node.input[index], nodes, library)
    if node.op not in _CALLS:
        return str(node.op)
    called = library[node.attr["f"].func.name]
    inside = {item.name: item for item in called.node_def}
    return _last(called.ret[called.signature.output_arg[index].name], inside, library)


def _nodes(graph: Any) -> Iterator[Any]:
    yield from graph.node
    for function in graph.library.function:
        yield from function.node_def
