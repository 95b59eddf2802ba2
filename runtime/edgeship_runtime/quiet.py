"""Keeping the tools' chatter out of the user's terminal, and in a file when it matters."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from edgeship_runtime.errors import EdgeshipError


@contextmanager
def quiet(*, keep_log: bool = True) -> Iterator[None]:
    """Send what the block prints to a log file, also what C++ code writes past Python.

    If the block fails with an `EdgeshipError` that a tool's own error caused, the file stays
    unless `keep_log` is off, and the error names it at the end of its message; otherwise nothing
    stays. A process in which standard output or standard error is closed is left as it is.
    """
    _flush()
    # Without a name until it is wanted, so that nothing is left behind, whatever happens.
    with tempfile.TemporaryFile(prefix="edgeship-") as log:
        try:
            saved = {descriptor: os.dup(descriptor) for descriptor in (1, 2)}
        except OSError:
            yield
            return
        try:
            for descriptor in saved:
                os.dup2(log.fileno(), descriptor)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        except EdgeshipError as error:
            _flush()
            # Where no tool failed, the message says all there is to know.
            name = _keep(log) if keep_log and error.__cause__ is not None else None
            if name is not None:
                error.args = (f"{error} (log: {name})",)
            raise
        finally:
            _flush()
            for descriptor, original in saved.items():
                os.dup2(original, descriptor)
                os.close(original)


def _flush() -> None:
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()


def _keep(log: IO[bytes]) -> str | None:
    """Give the log a name; none if it is empty."""
    log.seek(0)
    text = log.read()
    if not text:
        return None
    handle, name = tempfile.mkstemp(prefix="edgeship-", suffix=".log")
    with os.fdopen(handle, "wb") as file:
        file.write(text)
    return name
