"""Which cases a suite measures, as its command line names them."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_Case = TypeVar("_Case", bound=_Named)


def named(cases: Iterable[_Case], name: str) -> _Case:
    """The case called `name`.

    Raises:
        ValueError: where there is none; the message lists those there are.
    """
    held = {case.name: case for case in cases}
    if name not in held:
        raise ValueError(no_case(name, held))
    return held[name]


def no_case(name: str, known: Iterable[str]) -> str:
    """What is said of a name that no case has."""
    return f"there is no case {name!r}: it is one of {', '.join(known)}"


def arguments(
    about: str | None, known: Sequence[str], *, rounds: int, of: str, work: str, quick: str
) -> argparse.Namespace:
    """What the command line asks of a suite: `out`, `work`, `only`, `rounds` and `quick`.

    Args:
        about: the suite's own words.
        known: the names that `--only` takes.
        rounds: how many there are unless it says so.
        of: what a round is.
        work: what the folder `--work` is for.
        quick: what `--quick` leaves.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--out", type=Path, required=True, help="folder for figures and page")
    parser.add_argument("--work", type=Path, help=f"{work} (default: OUT/work)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="one case")
    parser.add_argument("--rounds", type=int, default=rounds, help=f"{of} (default: {rounds})")
    parser.add_argument("--quick", action="store_true", help=quick)
    given = parser.parse_args()
    for name in given.only:
        if name not in known:
            parser.error(no_case(name, known))
    if given.rounds < 1:
        parser.error(f"--rounds is at least 1, got {given.rounds}")
    return given
