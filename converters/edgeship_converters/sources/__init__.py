"""Source models, and the one table that says which file is which kind."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from edgeship_converters.errors import SourceError
from edgeship_converters.sources.source import Kind, Source

SUFFIXES: dict[str, Kind] = {
    ".keras": "keras",
    ".skops": "sklearn",
    ".joblib": "sklearn",
    ".pkl": "sklearn",
}


def open_source(path: str | os.PathLike[str], *, allow_pickle: bool = False) -> Source:
    """Load a source model.

    Args:
        path: a `.keras` or `.skops` file; `.joblib` and `.pkl` only with `allow_pickle`.
        allow_pickle: whether a file may be opened that can run any code on opening.

    Raises:
        SourceError: where there is none, or it cannot be opened.
    """
    where = Path(path)
    if not where.exists():
        raise SourceError(f"there is no model at {where}")
    kind = SUFFIXES.get(where.suffix.lower())
    if kind is None or not where.is_file():
        raise SourceError(
            f"{where} is no model file that edgeship knows: expected one of {', '.join(SUFFIXES)}"
        )
    sha256 = hashlib.sha256(where.read_bytes()).hexdigest()
    match kind:
        case "keras":
            from edgeship_converters.sources.keras_model import load_keras

            return load_keras(where, sha256)
        case "sklearn":
            from edgeship_converters.sources.sklearn_model import load_sklearn

            return load_sklearn(where, sha256, allow_pickle=allow_pickle)


__all__ = ["SUFFIXES", "Kind", "Source", "open_source"]
