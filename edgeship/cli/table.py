"""Plain aligned tables, the same on a workstation, on a board and in a log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click


def show(header: Sequence[str], rows: Iterable[Sequence[str]], *, right: bool = True) -> None:
    """Print a table; the first column is aligned to the left, the others to the right if wanted."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    lines.insert(1, ["-" * width for width in widths])
    for line in lines:
        first = line[0].ljust(widths[0])
        rest = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width in zip(line[1:], widths[1:], strict=True)
        ]
        click.echo("  ".join([first, *rest]).rstrip())


def size(count: int) -> str:
    """Bytes for people, in units of 1000.

    >>> size(999), size(36224), size(4_500_000)
    ('999 B', '36.2 kB', '4.5 MB')
    """
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < 1000 or unit == "MB":
            break
        value /= 1000
    return f"{count} B" if unit == "B" else f"{value:.1f} {unit}"


def share(value: float | None) -> str:
    """A share as a percentage, `-` where it is not known."""
    return "-" if value is None else f"{value:.2%}"
