"""Outcomes of earlier work, found again by the hash of all that they depend on."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from edgeship_runtime.arrays import Array, Arrays

_T = TypeVar("_T")
# What is kept at most; the outcomes that were longest not used go first.
_MOST_BYTES = 4 << 30
_DIGEST = 32


def cache_folder() -> Path:
    """`$EDGESHIP_CACHE`, else `edgeship` in the user's cache folder."""
    given = os.environ.get("EDGESHIP_CACHE")
    if given:
        return Path(given)
    user = os.environ.get("XDG_CACHE_HOME")
    return (Path(user) if user else Path.home() / ".cache") / "edgeship"


def digest(*parts: Any) -> str:
    """The SHA-256, in hex, of facts that msgspec can encode, dicts in any order."""
    return hashlib.sha256(msgspec.msgpack.encode(parts, order="deterministic")).hexdigest()


def digest_arrays(arrays: Arrays) -> str:
    """The SHA-256, in hex, of named arrays: names, dtypes, shapes and values."""
    sha = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        sha.update(digest(name, array.dtype.str, array.shape).encode())
        sha.update(np.ascontiguousarray(array).data if array.size else b"")
    return sha.hexdigest()


class Cache:
    """A folder of outcomes; a damaged one is as good as none, and a folder that cannot be written
    to only means that the work is done again.
    """

    def __init__(self, folder: Path | None) -> None:
        """Keep outcomes below `folder`; None keeps and finds nothing."""
        self._folder = folder

    def find(self, key: str, kind: type[_T]) -> _T | None:
        """The outcome kept under a key, or None."""
        if self._folder is None:
            return None
        path = self._path(key)
        try:
            held = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        if hashlib.sha256(held[_DIGEST:]).digest() != held[:_DIGEST]:
            return None
        try:
            return msgspec.msgpack.decode(held[_DIGEST:], type=kind)
        except msgspec.DecodeError:
            return None

    def keep(self, key: str, outcome: Any) -> None:
        """Keep an outcome that msgspec can encode; whole or not at all."""
        if self._folder is None:
            return
        data = msgspec.msgpack.encode(outcome)
        path = self._path(key)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(hashlib.sha256(data).digest() + data)
                Path(name).replace(path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise

    def find_arrays(self, key: str) -> dict[str, Array] | None:
        """Arrays kept under a key, or None."""
        held = self.find(key, dict[str, bytes])
        if held is None:
            return None
        return {k: np.load(io.BytesIO(data), allow_pickle=False) for k, data in held.items()}

    def keep_arrays(self, key: str, arrays: Arrays) -> None:
        """Keep named arrays."""
        if self._folder is not None:
            self.keep(key, {name: _npy(array) for name, array in arrays.items()})

    def prune(self) -> None:
        """Drop what was longest not used, until the rest is within 4 GiB."""
        if self._folder is None:
            return
        with suppress(OSError):
            total = 0
            for size, path in _newest_first(self._folder.glob("??/*")):
                total += size
                if total > _MOST_BYTES:
                    path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        if self._folder is None:
            raise ValueError("there is no cache")
        return self._folder / key[:2] / key[2:]


def _newest_first(paths: Iterable[Path]) -> list[tuple[int, Path]]:
    facts = [(path.stat(), path) for path in paths]
    facts.sort(key=lambda fact: fact[0].st_mtime, reverse=True)
    return [(stat.st_size, path) for stat, path in facts]


def _npy(array: Array) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
    return stream.getvalue()
