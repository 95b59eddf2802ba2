"""What can go wrong on the way from a source model to a bundle; see `edgeship_runtime.errors`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgeship_runtime.errors import EdgeshipError

# Keras writes parts of its messages in bold.
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def in_a_line(error: BaseException, most: int = 200) -> str:
    """What a tool's error says, in one line without colours; its kind where it says nothing."""
    return " ".join(plain(error).split())[:most] or type(error).__name__


def plain(error: BaseException) -> str:
    """What a tool's error says, without colours."""
    return _COLOURS.sub("", str(error))


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a variant cannot be made or must not be shipped.

    Attributes:
        reason: what is wrong, with figure and limit where there are any.
        ways: what to do about it, besides leaving the variant out.
        needed: whether all others are made of it, so that leaving it out would leave nothing.
    """

    reason: str
    ways: tuple[str, ...] = ()
    needed: bool = False

    def __str__(self) -> str:
        """All of it, for a user who asked for the variant by name."""
        leaving = () if self.needed else ("leave it out with --variants",)
        return self._with((*self.ways, *leaving))

    @property
    def of_left_out(self) -> str:
        """Without the advice to do what was done."""
        return self._with(self.ways)

    def _with(self, ways: tuple[str, ...]) -> str:
        if not ways:
            return self.reason
        *first, last = ways
        return f"{self.reason}: {', '.join([*first, f'or {last}' if first else last])}"


class SourceError(EdgeshipError):
    """A source model that is missing, of another kind, unsafe to open, or not covered."""


class PlanError(EdgeshipError):
    """Variants asked for that cannot be made of this source, or not without data."""


class StepError(EdgeshipError):
    """A conversion step whose tool failed on this model."""

    exit_code = 1

    def __init__(self, reason: str, *ways: str, needed: bool = False) -> None:
        """See `Fault` for the arguments."""
        self.fault = Fault(reason, ways, needed)
        super().__init__(str(self.fault))


class ParityError(EdgeshipError):
    """Variants that do not agree with the source model."""

    exit_code = 1
