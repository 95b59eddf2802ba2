"""The user's own layers and functions, given as `module:attr`."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from edgeship_converters.errors import SourceError, in_a_line

_SPELLING = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def import_custom_objects(given: Sequence[str] | Mapping[str, Any]) -> dict[str, Any]:
    """The classes and functions that a model file refers to, by the names it knows them under.

    Importing a module runs the code in it: that is what the user asks for by naming it. Nothing
    in the model file can ask for it. Modules are found as `python -m` would find them, the current
    directory first.

    Args:
        given: each `module:attr`, where attr is a class, a function, or a dict from name to those;
            or such a dict itself.

    Raises:
        SourceError: for a wrong spelling, and for what cannot be imported.
    """
    if isinstance(given, Mapping):
        return dict(given)
    found: dict[str, Any] = {}
    for item in given:
        found |= _objects(item)
    return found


def _objects(item: str) -> dict[str, Any]:
    if not _SPELLING.fullmatch(item):
        raise SourceError(
            f"--custom-objects takes module:attr, such as mylayers:Scale, got {item!r}"
        )
    module_name, name = item.split(":")
    if module_name.endswith(".py"):
        raise SourceError(
            f"--custom-objects takes a module's name, not its file's: {module_name[:-3]}:{name}, "
            f"got {item!r}"
        )
    with _current_directory_first():
        try:
            module = importlib.import_module(module_name)
        except (Exception, SystemExit) as error:
            # The module is the user's own and may fail in any way.
            line = in_a_line(error)
            raise SourceError(
                f"--custom-objects {item}: the module {module_name!r} cannot be imported "
                f"({type(error).__name__}: {line}); run edgeship where `python -m {module_name}` "
                "would find it"
            ) from error
    if not hasattr(module, name):
        raise SourceError(
            f"--custom-objects {item}: {module.__file__ or module_name} has no {name!r}"
        )
    value = getattr(module, name)
    if isinstance(value, Mapping):
        named = {str(key): entry for key, entry in value.items()}
    else:
        named = {str(getattr(value, "__name__", name)): value, name: value}
    for key, entry in named.items():
        if not callable(entry):
            raise SourceError(
                f"--custom-objects {item}: {key!r} is a {type(entry).__name__}, expected a class, "
                "a function, or a dict of them"
            )
    return named


@contextmanager
def _current_directory_first() -> Iterator[None]:
    sys.path.insert(0, "")
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove("")
