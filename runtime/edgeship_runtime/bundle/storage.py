"""The two shapes of a bundle, a folder and a zip file, behind one small interface.

Nothing here trusts what it reads: links, odd files, duplicate names and entries that would grow
out of proportion are refused before a byte of them is handed on.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from edgeship_runtime.bundle.paths import check_distinct, check_path
from edgeship_runtime.errors import BundleError

# A bundle that unpacks to more than this many times its own size is a bomb; weights and trees
# compress by less than 10, and the margin leaves room for models that are mostly zeros.
_MAX_RATIO = 100
_RATIO_COUNTS_FROM = 1 << 26

# All that reading may raise. zipfile has an exception of its own, and lets others through that
# damaged headers provoke: RuntimeError for encryption and odd methods, KeyError for a name that
# went away, ValueError for names and offsets, OverflowError and struct.error for sizes.
UNREADABLE = (
    OSError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    RuntimeError,
    KeyError,
    ValueError,
    OverflowError,
)


class Storage(Protocol):
    """A bundle's files, named by path within it."""

    def sizes(self) -> dict[str, int]:
        """Bytes of each file as the container declares them.

        Raises:
            BundleError: where the container holds what a bundle must not.
        """
        ...

    def open(self, path: str) -> IO[bytes]:
        """The bytes of one file, as a stream."""
        ...


class Folder:
    """A bundle as a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def sizes(self) -> dict[str, int]:
        """See `Storage.sizes`."""
        try:
            found = dict(self._walk(self._root))
        except OSError as error:
            raise BundleError(
                f"{self._root} cannot be read ({error.strerror}): "
                "make it readable, or copy it again"
            ) from error
        check_distinct(list(found))
        return found

    def _walk(self, folder: Path) -> Iterator[tuple[str, int]]:
        for entry in sorted(folder.iterdir()):
            status = entry.lstat()
            # Checked for folders as well, which bounds how deep they can lie in one another.
            path = check_path(entry.relative_to(self._root).as_posix())
            if stat.S_ISDIR(status.st_mode):
                yield from self._walk(entry)
            elif stat.S_ISREG(status.st_mode):
                yield path, status.st_size
            else:
                raise BundleError(
                    f"the bundle holds {path!r}, a link or special file: expected plain files; "
                    "do not use this bundle"
                )

    def open(self, path: str) -> IO[bytes]:
        """See `Storage.open`."""
        return (self._root / path).open("rb")


class Archive:
    """A bundle as one zip file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def sizes(self) -> dict[str, int]:
        """See `Storage.sizes`."""
        with self._zip() as archive:
            found = archive.infolist()
        for entry in found:
            check_path(entry.filename.removesuffix("/"))
        entries = [entry for entry in found if not entry.is_dir()]
        check_distinct([entry.filename for entry in entries])
        for entry in entries:
            self._check_kind(entry)
        total = sum(entry.file_size for entry in entries)
        if total > _RATIO_COUNTS_FROM and total > _MAX_RATIO * self._path.stat().st_size:
            raise BundleError(
                f"the bundle would unpack to {total} bytes, more than {_MAX_RATIO} times its own "
                "size: do not use this bundle"
            )
        return {entry.filename: entry.file_size for entry in entries}

    @staticmethod
    def _check_kind(entry: zipfile.ZipInfo) -> None:
        mode = entry.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise BundleError(
                f"the bundle holds {entry.filename!r}, a link or special file: expected plain "
                "files; do not use this bundle"
            )
        plain = entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        if not plain or entry.flag_bits & 0x1:
            raise BundleError(
                f"the bundle holds {entry.filename!r} encrypted or compressed by another method "
                "than deflate: expected a plain zip; pack it again"
            )

    def open(self, path: str) -> IO[bytes]:
        """See `Storage.open`."""
        # The stream keeps the file open by itself.
        with zipfile.ZipFile(self._path) as archive:
            return archive.open(path)

    @contextmanager
    def _zip(self) -> Iterator[zipfile.ZipFile]:
        try:
            with zipfile.ZipFile(self._path) as archive:
                yield archive
        except PermissionError as error:
            raise BundleError(
                f"{self._path} may not be read: ask its owner for the right"
            ) from error
        except UNREADABLE as error:
            raise BundleError(
                f"{self._path} is not a whole bundle ({error}): copy it again, or convert again"
            ) from error


class Memory:
    """A bundle held in memory, for making one or trying one out."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def sizes(self) -> dict[str, int]:
        """See `Storage.sizes`."""
        check_distinct([check_path(path) for path in self._files])
        return {path: len(data) for path, data in self._files.items()}

    def open(self, path: str) -> IO[bytes]:
        """See `Storage.open`."""
        return io.BytesIO(self._files[path])
