"""What the lint says of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with the data.

    Attributes:
        check: a short stable name, such as `few-rows`; docs/calibration-lint.md lists them.
        fatal: whether a quantized variant made with this data would be nonsense.
        message: one line: the figure, what is expected, the remedy.
    """

    check: str
    fatal: bool
    message: str


def some(names: Sequence[str]) -> str:
    """The first few of `names`, and how many more there are.

    >>> some(["a", "b", "c", "d", "e", "f", "g"])
    'a, b, c, d, e and 2 more'
    """
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def figure(value: float) -> str:
    """A number as a person reads it.

    >>> [figure(value) for value in (255.0, 0.1307, 1234567.0, -1.0)]
    ['255', '0.131', '1.23e+06', '-1']
    """
    return f"{value:.3g}"
