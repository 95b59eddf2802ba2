"""Progress of long steps: a spinner on a terminal, plain lines in a pipe or CI."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Give a function that takes a few words before each step; each line shows the step's time."""
    if sys.stderr.isatty() and not os.environ.get("CI") and find_spec("rich") is not None:
        with _spinner() as on_step:
            yield on_step
    else:
        with _lines() as on_step:
            yield on_step


@contextmanager
def _lines() -> Iterator[Callable[[str], None]]:
    began = time.monotonic()

    def on_step(what: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {what}", file=sys.stderr, flush=True)  # noqa: T201

    yield on_step


@contextmanager
def _spinner() -> Iterator[Callable[[str], None]]:
    from rich.console import Console
    from rich.live import Live
    from rich.spinner import Spinner

    # The converters' own chatter is kept off descriptor 2 while they run; a copy still shows. What
    # they print must not be taken up by rich either.
    with os.fdopen(os.dup(2), "w") as terminal:
        console = Console(file=terminal)
        spinner = Spinner("dots", "starting")
        step: list[tuple[str, float]] = []

        def finish() -> None:
            if step:
                what, began = step.pop()
                console.print(f"[green]✓[/] {what} [dim]{time.monotonic() - began:.1f} s[/]")

        def on_step(what: str) -> None:
            finish()
            step.append((what, time.monotonic()))
            spinner.update(text=what)

        with Live(
            spinner,
            console=console,
            refresh_per_second=12.5,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        ):
            yield on_step
            finish()
