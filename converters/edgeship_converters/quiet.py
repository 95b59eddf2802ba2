"""Keeping the converters' chatter out of the user's terminal, and in a file when it matters."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edgeship_runtime.errors import EdgeshipError


@contextmanager
def quiet() -> Iterator[None]:
    """Send what the block prints to a log file, also what C++ code writes past Python.

    If the block fails with an `EdgeshipError`, the file stays, and the error names it at the end
    of its message; otherwise it is removed; a process in which standard output or
    standard error is closed is left as it is.
    """
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    handle, name = tempfile.mkstemp(prefix="edgeship-", suffix=".log")
    log = Path(name)
    try:
        saved = {descriptor: os.dup(descriptor) for descriptor in (1, 2)}
    except OSError:
        os.close(handle)
        log.unlink()
        yield
        return
    for descriptor in saved:
        os.dup2(handle, descriptor)
    os.close(handle)
    named = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except EdgeshipError as error:
        named = log.stat().st_size > 0
        if named:
            error.args = (f"{error} (log: {log})",)
        raise
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        for descriptor, original in saved.items():
            os.dup2(original, descriptor)
            os.close(original)
        if not named:
            log.unlink()
