"""SHA-256 of what a source came from: a file, a folder, or a model in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np


def of_file(path: Path) -> str:
    """The SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def of_folder(root: Path) -> str:
    """The SHA-256 of the lines `<sha256>  <path within the folder>`, sorted by path."""
    files = sorted(
        (path.relative_to(root).as_posix(), path) for path in root.rglob("*") if path.is_file()
    )
    lines = "".join(f"{of_file(path)}  {name}\n" for name, path in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def of_model(configuration: str, weights: Iterable[Any]) -> str:
    """The SHA-256 of a model in memory: its configuration, then its weights in its own order.

    Each weight counts with its dtype, its shape and its bytes, so the same model gives the same
    hash in every process.
    """
    digest = hashlib.sha256(configuration.encode())
    for weight in weights:
        array = np.asarray(weight)
        digest.update(f"\n{array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
