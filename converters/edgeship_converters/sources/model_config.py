"""What a Keras file's configuration says, read before Keras makes anything of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from edgeship_converters.errors import SourceError

_KERAS = ("keras", "tf_keras", "builtins")
# Layers that tf-keras makes of TensorFlow functions used in a Functional model, and the modules of
# functions that only compute. TensorFlow's other functions have no module in their names.
_OPERATORS = ("TFOpLambda", "SlicingOpLambda")
_COMPUTING = re.compile(
    r"(compat\.v1\.)?((math|nn|linalg|image|signal|strings|bitwise|random|__operators__|"
    r"keras\.activations|keras\.backend)\.)?\w+"
)
_FORBIDDEN = re.compile(
    r"py_func|numpy_func|print|load_|function|map_fn|loop|fold|scan|cond$|case$|gradient|"
    r"recompute|device|file|save|restore|session"
)
_MISSING = (
    re.compile(r"Could not locate (?:class|function) '([^']+)'"),
    re.compile(r"Unknown (?:layer|\w+ function|object|\w+): '?(?:Custom>)?([\w>]+)'?"),
)
_OBJECTS = "module:attr"


def check_configuration(
    config: Any, where: Path, known: Callable[[str], bool], custom: Collection[str] = ()
) -> None:
    """Refuse a configuration that holds code, or that needs code which was not given.

    Args:
        config: parsed JSON.
        where: it comes from, for messages.
        known: whether a class or function was registered under a name.
        custom: the names of the custom objects given.

    Raises:
        SourceError: for Lambda layers, for TensorFlow functions that do more than compute, and for
            the user's own classes and functions that were not given.
    """
    for item in _mappings(config):
        kind = item.get("class_name")
        inner = item.get("config")
        inner = inner if isinstance(inner, Mapping) else {}
        if kind == "Lambda" and _holds_code(inner):
            raise SourceError(_lambda_message(str(inner.get("name", "lambda")), where))
        if isinstance(inner.get("vocabulary"), str):
            raise SourceError(
                f"{where}: layer {inner.get('name')!r} reads its vocabulary from another file, "
                "which is not opened: give the layer the words themselves, and save the model again"
            )
        if kind == "__lambda__":
            raise SourceError(_lambda_message("lambda", where))
        if kind in ("ClassMethod", "InstanceMethod", "InstanceProperty"):
            raise SourceError(
                f"{where}: layer {inner.get('name')!r} calls a method of a TensorFlow object "
                f"({kind}), which is not loaded: write it as a Layer subclass and give it with "
                f"--custom-objects {_OBJECTS}"
            )
        if kind in _OPERATORS and not _computes(str(inner.get("function", ""))):
            raise SourceError(
                f"{where}: layer {inner.get('name')!r} calls the TensorFlow function "
                f"{inner.get('function')!r}, which may do more than compute, and is not loaded"
            )
        module = item.get("module")
        if not isinstance(kind, str) or not isinstance(module, str):
            continue
        names = {kind, str(item.get("registered_name") or kind)}
        if kind == "function" and isinstance(item.get("config"), str):
            names = {str(item["config"]), str(item.get("registered_name"))}
        given = any(name in custom or known(name) for name in names)
        if module.split(".")[0] not in _KERAS and not given:
            name = str(item["config"]) if kind == "function" else kind
            raise SourceError(missing_message(where, name, module))


def missing_object(error: Exception) -> str | None:
    """The class or function that Keras or tf-keras did not know, if that is why loading failed."""
    for pattern in _MISSING:
        if match := pattern.search(str(error)):
            return match[1]
    return None


def missing_message(where: Path, name: str, module: str = "module") -> str:
    """That a model needs a class or function of the user's."""
    attr = name.rsplit(">", maxsplit=1)[-1]
    return (
        f"{where} needs {name!r}, which is not a part of Keras: give the code that defines it "
        f"with --custom-objects {module}:{attr}"
    )


def mentions(config: Any, word: str) -> bool:
    """Whether a string anywhere in a configuration is `word`."""
    return any(item == word for item in _parts(config))


def _mappings(config: Any) -> Iterator[Mapping[str, Any]]:
    return (item for item in _parts(config) if isinstance(item, Mapping))


def _parts(config: Any) -> Iterator[Any]:
    """Everything in a configuration; a hostile one may be deeper than Python's stack."""
    waiting = [config]
    while waiting:
        item = waiting.pop()
        yield item
        if isinstance(item, Mapping):
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item


def _holds_code(config: Mapping[str, Any]) -> bool:
    """Whether a Lambda's configuration holds Python code, and not only a function's name."""
    for key in ("function", "output_shape", "mask"):
        value = config.get(key)
        if config.get(f"{key}_type") in ("lambda", "raw"):
            return True
        if isinstance(value, Mapping) and value.get("class_name") == "__lambda__":
            return True
    return not isinstance(config.get("function"), str | Mapping)


def _lambda_message(name: str, where: Path) -> str:
    return (
        f"{where}: layer {name!r} is a Lambda, whose Python code is kept in the file and is not "
        f"run: write it as a Layer subclass and give it with --custom-objects {_OBJECTS}, or "
        "replace it by a layer such as keras.layers.Rescaling"
    )


def _computes(function: str) -> bool:
    return bool(_COMPUTING.fullmatch(function)) and not _FORBIDDEN.search(function)
