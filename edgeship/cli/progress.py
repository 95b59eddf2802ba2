"""Progress of long steps: a spinner on a terminal, plain lines in a pipe or CI."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec


@dataclass(frozen=True, slots=True)
class Progress:
    """What a long command says while it runs, on standard error.

    Attributes:
        step: takes a few words before each step; a spinner's line shows the step's own time, a
            plain one the time since the start.
        warn: takes what the user should know of.
    """

    step: Callable[[str], None]
    warn: Callable[[str], None]


@contextmanager
def progress() -> Iterator[Progress]:
    """Show progress while the block runs; an interrupt ends it at the next step at the latest."""
    with _interrupts_kept() as end_if_interrupted:

        def ending(shown: Progress) -> Progress:
            def step(what: str) -> None:
                end_if_interrupted()
                shown.step(what)

            return replace(shown, step=step)

        if sys.stderr.isatty() and not os.environ.get("CI") and find_spec("rich") is not None:
            with _spinner() as shown:
                yield ending(shown)
        else:
            yield ending(_lines())


@contextmanager
def _interrupts_kept() -> Iterator[Callable[[], None]]:
    """Remember a Ctrl-C, and give a function that raises it again if somebody swallowed it.

    Python drops a KeyboardInterrupt that is raised inside a finalizer or a callback from C++, and
    the converters have many of both.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    interrupted = False

    def interrupt(_signal: int, _frame: object) -> None:
        nonlocal interrupted
        interrupted = True
        raise KeyboardInterrupt

    def end_if_interrupted() -> None:
        if interrupted:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield end_if_interrupted
    finally:
        signal.signal(signal.SIGINT, before)


def _lines() -> Progress:
    began = time.monotonic()

    def step(what: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {what}", file=sys.stderr, flush=True)  # noqa: T201

    def warn(what: str) -> None:
        print(f"warning: {what}", file=sys.stderr, flush=True)  # noqa: T201

    return Progress(step, warn)


@contextmanager
def _spinner() -> Iterator[Progress]:
    from rich.console import Console
    from rich.live import Live
    from rich.markup import escape
    from rich.spinner import Spinner

    # The converters' own chatter is kept off descriptor 2 while they run; a copy still shows. What
    # they print must not be taken up by rich either.
    with os.fdopen(os.dup(2), "w") as terminal:
        console = Console(file=terminal)
        spinner = Spinner("dots", "starting")
        running: list[tuple[str, float]] = []

        def finish() -> None:
            if running:
                what, began = running.pop()
                console.print(f"[green]✓[/] {what} [dim]{time.monotonic() - began:.1f} s[/]")

        def step(what: str) -> None:
            finish()
            running.append((what, time.monotonic()))
            spinner.update(text=what)

        def warn(what: str) -> None:
            console.print(f"[yellow]warning:[/] {escape(what)}", soft_wrap=True, highlight=False)

        with Live(
            spinner,
            console=console,
            refresh_per_second=12.5,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        ):
            yield Progress(step, warn)
            finish()
