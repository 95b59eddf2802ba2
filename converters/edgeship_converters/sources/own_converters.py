"""The user's own converters, for steps of a scikit-learn model that edgeship has none for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgeship_converters.errors import SourceError
from edgeship_converters.sources.user_code import import_named
from edgeship_converters.steps.classical.dispatch import Converter, name_of_class

_SPELLED = "package.Class=module:function, such as mysteps.Clip=mysteps.onnx:clip"


def import_converters(
    given: Sequence[str] | Mapping[type | str, Converter],
) -> dict[str, Converter]:
    """Converters by the class that each is for, named as `name_of` names it.

    Args:
        given: each `package.Class=module:function`, see `import_named` for what importing does; or
            the functions by class, or by its name.

    Raises:
        SourceError: for a wrong spelling, what cannot be imported, and what cannot be called.
    """
    if isinstance(given, Mapping):
        found = {
            name_of_class(key) if isinstance(key, type) else str(key): converter
            for key, converter in given.items()
        }
    elif not all(isinstance(item, str) for item in given):
        raise SourceError("converters are functions by class, or texts such as " + _SPELLED)
    else:
        found = dict(_imported(item) for item in given)
    for name, converter in found.items():
        if not callable(converter):
            raise SourceError(
                f"the converter for {name} is a {type(converter).__name__}, expected a function "
                "of model, rows and graph"
            )
    return found


def _imported(item: str) -> tuple[str, Any]:
    name, equals, function = item.partition("=")
    if not (equals and "." in name):
        raise SourceError(f"--converter takes {_SPELLED}, got {item!r}")
    return name, import_named(function, f"--converter {name}", "mysteps.onnx:clip")
