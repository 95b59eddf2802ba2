"""The user's own layers and functions, given as `module:attr`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgeship_converters.errors import SourceError
from edgeship_converters.sources.user_code import import_named


def import_custom_objects(given: Sequence[str] | Mapping[str, Any]) -> dict[str, Any]:
    """The classes and functions that a model file refers to, by the names it knows them under.

    See `import_named` for what importing does.

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
    value = import_named(item, "--custom-objects", "mylayers:Scale")
    if isinstance(value, Mapping):
        named = {str(key): entry for key, entry in value.items()}
    else:
        name = item.partition(":")[2]
        named = {str(getattr(value, "__name__", name)): value, name: value}
    for key, entry in named.items():
        if not callable(entry):
            raise SourceError(
                f"--custom-objects {item}: {key!r} is a {type(entry).__name__}, expected a class, "
                "a function, or a dict of them"
            )
    return named
