"""Files that are on the disk when a call returns, whole, or not there at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_synced(path: Path, data: bytes) -> None:
    """Write a file and wait until the disk has it."""
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the disk has a folder's entries, such as a name just given to a file."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_file(path: Path, data: bytes) -> None:
    """Put a whole file at `path`, in place of any that is there, or leave all as it was.

    Raises:
        OSError: where it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".edgeship-", dir=path.parent) as work:
            made = Path(work) / path.name
            write_synced(made, data)
            made.replace(path)
    except OSError as error:
        if error.errno is None:
            raise
        # Else it would name the temporary file.
        raise OSError(error.errno, error.strerror, str(path)) from error
    sync_folder(path.parent)
