"""A SavedModel's signature as one graph of constants, in which operators can be replaced."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from edgeship_converters.artifact import Artifact

SIGNATURE = "serving_default"
# Nothing is trained here, and the gradient that swish brings along cannot be saved with a graph
# whose variables are frozen, or that was traced into another.
SAVING = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
# Set on functions that are compiled as a whole, which keeps them from being inlined.
_KEPT_WHOLE = ("_XlaMustCompile", "_noinline")

_COUNT = re.compile(r"_frozen_\d+$")

# Given an operator, with its inputs, the tensors to use for its outputs; None leaves it.
Replacement = Callable[[Any], Sequence[Any] | None]


@dataclass(frozen=True, slots=True)
class Frozen:
    """A graph without variables, and the tensors in it by the signature's names."""

    graph: GraphDef
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


def nodes(savedmodel: Artifact) -> Iterator[Any]:
    """The nodes of a SavedModel, in functions too, without loading it."""
    graphs = saved_model_pb2.SavedModel.FromString(savedmodel.files["1/saved_model.pb"])
    for graph in graphs.meta_graphs:
        yield from _nodes(graph.graph_def)


def freeze(savedmodel: Artifact) -> Frozen:
    """The signature's graph, functions inlined, variables turned into constants."""
    files = {**savedmodel.files, "1/saved_model.pb": _inlinable(savedmodel)}
    with tempfile.TemporaryDirectory(prefix="edgeship-") as folder:
        root = Artifact(files).write_to(Path(folder))
        loaded = tf.saved_model.load(str(root / "1"))
        signature = loaded.signatures[SIGNATURE]
        frozen = convert_variables_to_constants_v2(signature, lower_control_flow=False)
    # Flattened outputs come in the order of their sorted names, as TensorFlow sorts dicts.
    outputs = sorted(signature.structured_outputs)
    # TensorFlow spells a placeholder in small letters, whatever its input is called.
    given = {spec.name: name for name, spec in signature.structured_input_signature[1].items()}
    held = [tensor.name.split(":")[0] for tensor in frozen.inputs]
    return Frozen(
        graph=_uncounted(frozen.graph.as_graph_def()),
        inputs={given.get(name, name): f"{name}:0" for name in held},
        outputs={n: t.name for n, t in zip(outputs, frozen.outputs, strict=True)},
    )


def replace(frozen: Frozen, replacements: Mapping[str, Replacement]) -> Frozen:
    """The same graph with each operator of a type in `replacements` computed by other operators.

    What replaces an operator carries its name as a prefix, so that its layer can still be told.
    """
    graph = tf.Graph()
    renamed: dict[str, str] = {}
    with graph.as_default():
        tf.graph_util.import_graph_def(frozen.graph, name="")
        for operator in graph.get_operations():
            replace_one = replacements.get(operator.type)
            if replace_one is None:
                continue
            with tf.name_scope(f"{operator.name}/"):
                made = replace_one(operator)
            if made is not None:
                for old, new in zip(operator.outputs, made, strict=True):
                    renamed[old.name] = new.name
    if not renamed:
        return frozen
    changed = graph.as_graph_def()
    names = {_short(old): _short(new) for old, new in renamed.items()}
    for node in changed.node:
        node.input[:] = [_followed(name, names) for name in node.input]
    outputs = {name: _followed_tensor(tensor, renamed) for name, tensor in frozen.outputs.items()}
    kept = [tensor.split(":")[0] for tensor in (*frozen.inputs.values(), *outputs.values())]
    used = tf.compat.v1.graph_util.extract_sub_graph(changed, kept)
    return Frozen(used, frozen.inputs, outputs)


def save(frozen: Frozen, folder: Path) -> None:
    """Write the graph as a SavedModel with the same signature."""

    def serve() -> None:
        tf.graph_util.import_graph_def(frozen.graph, name="")

    wrapped = tf.compat.v1.wrap_function(serve, [])
    graph = wrapped.graph
    pruned = wrapped.prune(
        [graph.get_tensor_by_name(tensor) for tensor in frozen.inputs.values()],
        {name: graph.get_tensor_by_name(tensor) for name, tensor in frozen.outputs.items()},
    )
    # prune names its arguments after the placeholders, which carry the inputs' names.
    pruned._arg_keywords = list(frozen.inputs)
    pruned._num_positional_args = 0
    tf.saved_model.save(tf.Module(), str(folder), {SIGNATURE: pruned}, SAVING)


def _nodes(graph: GraphDef) -> Iterator[Any]:
    yield from graph.node
    for function in graph.library.function:
        yield from function.node_def


def _inlinable(savedmodel: Artifact) -> bytes:
    data = savedmodel.files["1/saved_model.pb"]
    if _KEPT_WHOLE[0].encode() not in data:
        return data
    model = saved_model_pb2.SavedModel.FromString(data)
    for graph in model.meta_graphs:
        for holder in (*_nodes(graph.graph_def), *graph.graph_def.library.function):
            for name in _KEPT_WHOLE:
                if name in holder.attr:
                    del holder.attr[name]
    return bytes(model.SerializeToString(deterministic=True))


def _uncounted(graph: GraphDef) -> GraphDef:
    """Without the counts over the whole process that freezing adds to the names of functions."""
    for function in graph.library.function:
        function.signature.name = _COUNT.sub("", function.signature.name)
    for node in _nodes(graph):
        for attribute in node.attr.values():
            if attribute.HasField("func"):
                attribute.func.name = _COUNT.sub("", attribute.func.name)
    return graph


def _short(tensor: str) -> str:
    return tensor.removesuffix(":0")


def _followed(name: str, names: Mapping[str, str]) -> str:
    while _short(name) in names:
        name = names[_short(name)]
    return name


def _followed_tensor(name: str, names: Mapping[str, str]) -> str:
    while name in names:
        name = names[name]
    return name
