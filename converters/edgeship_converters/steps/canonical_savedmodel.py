"""SavedModels with the same bytes every time."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from google.protobuf.message import Message
from tensorflow.core.protobuf import saved_model_pb2

# TensorFlow ends the name of each function that it traces with a count over the whole process, and
# that of a function's gradient with two.
_COUNTED = re.compile(r"(.*?)((?:_\d+)*)_(\d+)")
# What fills a lookup table is named by a count over all objects of the process.
_INITIALIZER = re.compile(r"key_value_init(\d+)")
_COUNT = re.compile(rb"^\d+$|^.*_load_\d+_\d+$")
_RANDOM = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def make_repeatable(folder: Path, identity: str) -> None:
    """Take out of a SavedModel what changes from one run to the next.

    Args:
        folder: that holds `saved_model.pb`.
        identity: of the source. TensorFlow names each lookup table at random, and two tables of
            one name are one table; the same source may share its tables, others may not.
    """
    # The fingerprint holds a random number; TensorFlow and TF Serving load without it.
    (folder / "fingerprint.pb").unlink(missing_ok=True)
    path = folder / "saved_model.pb"
    model = saved_model_pb2.SavedModel()
    model.ParseFromString(path.read_bytes())
    for graph in model.meta_graphs:
        _name_functions(graph)
        _name_initializers(graph)
        _name_by_number(graph, identity[:16])
        for attributes in _attributes(graph.graph_def):
            # A captured variable's "name" is its number among all objects of the process.
            if "_user_specified_name" in attributes and (
                attributes["_user_specified_name"].s.isdigit()
            ):
                del attributes["_user_specified_name"]
    path.write_bytes(model.SerializeToString(deterministic=True))


def _name_functions(graph: Any) -> None:
    """Number the functions from 0, in the order in which they were traced, and sort them so.

    Their names are also parts of others: those of a loop's arguments, and of attributes.
    """
    library = graph.graph_def.library
    counted = sorted(
        (match for f in library.function if (match := _COUNTED.fullmatch(f.signature.name))),
        key=lambda match: int(match[3]),
    )
    if not counted:
        return
    renamed = {match[0]: f"{match[1]}_{index}" for index, match in enumerate(counted)}
    longest_first = sorted(renamed, key=lambda name: (-len(name), name))
    any_name = re.compile(f"(?:{'|'.join(re.escape(name) for name in longest_first)})(?![0-9])")

    def change(name: str) -> str:
        return any_name.sub(lambda match: renamed[match[0]], name)

    _rename(graph, change)
    for attributes in _attributes(graph.graph_def):
        for key in ("forward_function_name", "backward_function_name"):
            if key in attributes:
                attributes[key].s = change(attributes[key].s.decode()).encode()
    order = {name: index for index, name in enumerate(renamed.values())}
    functions = sorted(library.function, key=lambda f: order.get(f.signature.name, -1))
    del library.function[:]
    library.function.extend(functions)


def _name_initializers(graph: Any) -> None:
    """Number what fills the lookup tables, whose names count all objects of the process."""
    numbers: set[int] = set()

    def note(name: str) -> str:
        numbers.update(int(match[1]) for match in _INITIALIZER.finditer(name))
        return name

    _rename(graph, note)
    order = {number: index for index, number in enumerate(sorted(numbers))}
    if order:
        _rename(
            graph,
            lambda name: _INITIALIZER.sub(
                lambda match: f"key_value_init{order[int(match[1])]}", name
            ),
        )


def _name_by_number(graph: Any, identity: str) -> None:
    """Replace names that are UUIDs or count the process's objects by the source's own and a number.

    They are those of lookup tables, and of the CPU and GPU forms of a tf-keras LSTM or GRU.
    """
    names: dict[bytes, bytes] = {}

    def number(match: re.Match[bytes]) -> bytes:
        return names.setdefault(match[0], f"{identity}_{len(names)}".encode())

    for attributes in _attributes(graph.graph_def):
        for key in sorted(attributes):
            value = attributes[key]
            if value.WhichOneof("value") == "s":
                changing = _COUNT if key == "shared_name" else _RANDOM
                value.s = _RANDOM.sub(number, changing.sub(number, value.s))


def _attributes(graph_def: Any) -> Iterator[Any]:
    """Every map of attributes, the functions' own and their arguments' included."""
    for function in graph_def.library.function:
        yield function.attr
        yield from (argument.attr for _, argument in sorted(function.arg_attr.items()))
    for nodes in (graph_def.node, *(function.node_def for function in graph_def.library.function)):
        for node in nodes:
            yield node.attr


def _rename(message: Message, change: Callable[[str], str]) -> None:
    """Put `change(string)` in place of each string of a message, map keys included."""
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            _rename_map(field, value, change)
        elif field.type == field.TYPE_MESSAGE:
            for item in value if field.is_repeated else [value]:
                _rename(item, change)
        elif field.type == field.TYPE_STRING and field.is_repeated:
            value[:] = [change(item) for item in value]
        elif field.type == field.TYPE_STRING and change(value) != value:
            setattr(message, field.name, change(value))


def _rename_map(field: Any, entries: Any, change: Callable[[str], str]) -> None:
    holds_messages = field.message_type.fields_by_name["value"].message_type is not None
    holds_strings = field.message_type.fields_by_name["value"].type == field.TYPE_STRING
    for key in list(entries):
        if holds_messages:
            _rename(entries[key], change)
        elif holds_strings:
            entries[key] = change(entries[key])
        new = change(key) if isinstance(key, str) else key
        if new != key:
            if holds_messages:
                entries[new].CopyFrom(entries[key])
            else:
                entries[new] = entries[key]
            del entries[key]
