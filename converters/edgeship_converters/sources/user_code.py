"""The user's own code, named as `module:attr` on the command line."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from edgeship_converters.errors import SourceError, in_a_line

_SPELLING = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def import_named(item: str, option: str, example: str) -> Any:
    """What a `module:attr` names.

    Importing a module runs the code in it: that is what the user asks for by naming it. Nothing
    in a model file can ask for it. Modules are found as `python -m` would find them, the current
    directory first.

    Args:
        item: module and attribute.
        option: where it was given, for what is said of errors.
        example: of how it is spelled.

    Raises:
        SourceError: for a wrong spelling, and for what cannot be imported.
    """
    if not _SPELLING.fullmatch(item):
        raise SourceError(f"{option} takes module:attr, such as {example}, got {item!r}")
    module_name, name = item.split(":")
    if module_name.endswith(".py"):
        raise SourceError(
            f"{option} takes a module's name, not its file's: {module_name[:-3]}:{name}, "
            f"got {item!r}"
        )
    with current_directory_first():
        try:
            module = importlib.import_module(module_name)
        except (Exception, SystemExit) as error:
            # The module is the user's own and may fail in any way.
            line = in_a_line(error)
            raise SourceError(
                f"{option} {item}: the module {module_name!r} cannot be imported "
                f"({type(error).__name__}: {line}); run edgeship where `python -m {module_name}` "
                "would find it"
            ) from error
    if not hasattr(module, name):
        raise SourceError(f"{option} {item}: {module.__file__ or module_name} has no {name!r}")
    return getattr(module, name)


@contextmanager
def current_directory_first() -> Iterator[None]:
    """Let modules be found as `python -m` would find them."""
    sys.path.insert(0, "")
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove("")
