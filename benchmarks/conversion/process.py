"""Measuring in a process of its own: start it, and say how much memory it took."""

from __future__ import annotations

import ctypes
import gc
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_HOUR_S = 3600


class ChildError(Exception):
    """A process that measures has failed."""


def run_module(module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
    """Run a module of these benchmarks as a script, to its end.

    Args:
        module: its name.
        arguments: on its command line; the first says what it does.
        environment: variables beside those of this process.

    Raises:
        ChildError: where it fails, with its last line, or takes more than an hour.
    """
    command = [sys.executable, "-m", module, *arguments]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_HOUR_S,
            check=False,
            env={**os.environ, **(environment or {})},
        )
    except subprocess.TimeoutExpired as error:
        raise ChildError(f"{arguments[0]} took more than an hour") from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no word"]
        raise ChildError(f"{arguments[0]} left with {done.returncode}: {lines[-1][:200]}")


def resident(field: str) -> int:
    """Bytes of this process that lie in memory: `VmRSS` now, `VmHWM` at most so far (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}: this needs Linux")


def forget_peak() -> None:
    """Give back what is not in use, and begin `VmHWM` anew at what is (Linux, glibc)."""
    gc.collect()
    # What has been given back to the C library alone would be taken again without a trace.
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
