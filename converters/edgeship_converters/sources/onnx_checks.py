"""What is looked at in an ONNX file before any library computes with it.

A file may name other files that hold its tensors, and call functions of its own that double with
each level. Nothing of that is followed: a file says all about its model itself, or is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import onnx
from google.protobuf.message import DecodeError, Message
from onnx import GraphProto, ModelProto, NodeProto, TensorProto

from edgeship_converters.errors import SourceError, in_a_line
from edgeship_converters.steps.canonical_onnx import graphs

MOST_BYTES = (1 << 31) - 1
_MOST_NODES = 1_000_000
_MOST_CALLS = 100
ML = "ai.onnx.ml"
OWN = ("", "ai.onnx")
_KNOWN = (*OWN, ML, "com.microsoft")
_TRAINING = ("ai.onnx.training", "ai.onnx.preview.training")


def checked_onnx(data: bytes, what: str) -> ModelProto:
    """The model that a file holds, with nothing in it that this release of onnx does not know.

    Args:
        data: the file's bytes.
        what: the model is called in messages.

    Raises:
        SourceError: where it is damaged, is spread over several files, or holds what onnxruntime
            does not compute.
    """
    if len(data) > MOST_BYTES:
        raise SourceError(too_large(what, len(data)))
    model = ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError as error:
        raise SourceError(
            f"{what} is not an ONNX model that can be loaded, or was cut off: {in_a_line(error)}; "
            "expected what onnx.save(model, 'model.onnx') writes"
        ) from error
    model.DiscardUnknownFields()
    if not model.ir_version or not model.graph.node:
        raise SourceError(
            f"{what} is not an ONNX model that can be loaded: it has no operators; expected what "
            "onnx.save(model, 'model.onnx') writes"
        )
    _check_releases(model, what)
    _check_training(model, what)
    _check_messages(model, what)
    _check_operators(model, what)
    _check_functions(model, what)
    try:
        # Of bytes, not of a path: there is no folder from which other files could be read.
        onnx.checker.check_model(model.SerializeToString())
    except Exception as error:
        # The checker raises its own kind, and others for what protobuf lets through.
        raise SourceError(f"{what} is not a sound ONNX model: {in_a_line(error)}") from error
    return model


def too_large(what: str, size: int) -> str:
    """The words for a file of too many bytes."""
    return (
        f"{what} has {size} bytes: expected at most {MOST_BYTES} (2 GB), as one file of ONNX can "
        "hold; export a smaller model, or its weights in float16"
    )


def every_node(graphs_: Sequence[GraphProto]) -> Iterator[NodeProto]:
    """The nodes of graphs, and of their loops and branches."""
    for outer in graphs_:
        for graph in graphs(outer):
            yield from graph.node


def _check_releases(model: ModelProto, what: str) -> None:
    if model.ir_version > onnx.IR_VERSION:
        raise SourceError(
            f"{what} is of ONNX's IR version {model.ir_version}: expected at most "
            f"{onnx.IR_VERSION}, which the installed onnx knows; export it with an older one, or "
            "upgrade onnx and onnxruntime"
        )
    met: dict[str, int] = {}
    for opset in model.opset_import:
        domain = "" if opset.domain in OWN else opset.domain
        if met.setdefault(domain, opset.version) != opset.version:
            raise SourceError(
                f"{what} imports two opsets of {domain or 'ai.onnx'}, {met[domain]} and "
                f"{opset.version}: expected one; export it anew"
            )
    for domain, newest in (
        ("", onnx.defs.onnx_opset_version()),
        (ML, onnx.defs.onnx_ml_opset_version()),
    ):
        version = met.get(domain, 1)
        if not 1 <= version <= newest:
            raise SourceError(
                f"{what} is of opset {version} of {domain or 'ai.onnx'}: expected 1 to {newest}, "
                "which the installed onnx knows; export it with such an opset"
            )


def _check_training(model: ModelProto, what: str) -> None:
    training = any(node.domain in _TRAINING for node in every_node([model.graph]))
    if training or model.training_info:
        raise SourceError(
            f"{what} is a graph for training: expected one that predicts; export the model in "
            "evaluation mode"
        )


def _check_messages(model: ModelProto, what: str) -> None:
    for message in _messages(model):
        kind = message.DESCRIPTOR.name
        if any(isinstance(text, bytes) for text in _texts(message)):
            raise SourceError(
                f"{what} is not a sound ONNX model: a name in a {kind} is no text in UTF-8; export "
                "it anew"
            )
        if kind == "SparseTensorProto":
            raise SourceError(
                f"{what} holds a sparse tensor, which no other format has: export it with dense "
                "ones"
            )
        if kind == "TensorProto" and (message.external_data or message.data_location):
            raise SourceError(
                f"{what} keeps the tensor {message.name!r} in another file, which is not opened: "
                "save the model as one file, with onnx.save(onnx.load('model.onnx'), 'whole.onnx', "
                "save_as_external_data=False)"
            )


def _messages(message: Message) -> Iterator[Any]:
    """Every message in a message, itself included; of tensors not the numbers."""
    waiting: list[Any] = [message]
    while waiting:
        held = waiting.pop()
        yield held
        if isinstance(held, TensorProto):
            continue
        for field, value in held.ListFields():
            if field.message_type is not None:
                waiting += [value] if isinstance(value, Message) else value


def _texts(message: Any) -> Iterator[str | bytes]:
    """The texts in a message; protobuf gives what is no UTF-8 as bytes."""
    if isinstance(message, TensorProto):
        yield message.name
        return
    for field, value in message.ListFields():
        if field.type == field.TYPE_STRING:
            yield from [value] if isinstance(value, str | bytes) else value


def _check_operators(model: ModelProto, what: str) -> None:
    own = {(f.domain, f.name) for f in model.functions}
    for node in every_node([model.graph]):
        if node.domain not in _KNOWN and (node.domain, node.op_type) not in own:
            raise SourceError(
                f"{what} needs the operator {node.domain}.{node.op_type}, which onnxruntime does "
                "not know: export the model with operators of ai.onnx and ai.onnx.ml only"
            )


def _check_functions(model: ModelProto, what: str) -> None:
    """Refuse functions that call themselves, or that are a million operators written out."""
    bodies = {(f.domain, f.name): f for f in model.functions}
    if len(bodies) < len(model.functions):
        raise SourceError(
            f"{what} defines a function twice: expected one of each name; export it anew"
        )

    @cache
    def size(key: tuple[str, str], depth: int) -> int:
        if depth > _MOST_CALLS:
            raise SourceError(
                f"{what} has functions that call each other more than {_MOST_CALLS} deep: expected "
                "plain operators; export it without functions"
            )
        body = GraphProto()
        body.node.extend(bodies[key].node)
        return written_out([body], depth)

    def written_out(held: Sequence[GraphProto], depth: int) -> int:
        count = 0
        for node in every_node(held):
            key = (node.domain, node.op_type)
            count += size(key, depth + 1) if key in bodies else 1
        return count

    count = written_out([model.graph], 0)
    if count > _MOST_NODES:
        raise SourceError(
            f"{what} has {count} operators where its functions are written out: expected at most "
            f"{_MOST_NODES}; export it without functions"
        )
