"""What is measured of a case, as it is written to and read from JSON."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

import msgspec

from edgeship_devices.detect import Machine

# How edgeship's steps begin; what follows is a variant's name. The bare tools' are the name alone.
MAKING = "making "
PROVING = "proving "
ASKING = "asking "


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """A variant in the bundle, and how near it is to the source, by its evidence.

    `max_abs` and `max_rel` are the largest over all outputs; see the manifest's `OutputError`.
    `accuracy` and `source_accuracy` are shares, null without labels.
    """

    bytes: int
    max_abs: float
    max_rel: float
    rows: int
    label_flips: int | None = None
    accuracy: float | None = None
    source_accuracy: float | None = None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One way of converting, once, in a process of its own.

    `steps` are seconds by what was done, in order, and `seconds` is their sum; the imports and a
    small model before the clock started are in neither. `peak_bytes` is the process's largest
    resident set, imports and all; `imported_bytes` its resident set as the clock started.
    """

    seconds: float
    steps: dict[str, float]
    peak_bytes: int
    imported_bytes: int
    bytes: dict[str, int]
    failed: dict[str, str]

    def seconds_for(self, variants: Iterable[str]) -> float:
        """Of all steps that made or proved these."""
        names = {verb + variant for variant in variants for verb in ("", MAKING, PROVING)}
        return sum(seconds for name, seconds in self.steps.items() if name in names)

    def proving(self, without: Iterable[str] = ()) -> float:
        """Seconds that went into the source's answers and all variants', but for some."""
        left_out = {PROVING + variant for variant in without}
        return sum(
            seconds
            for name, seconds in self.steps.items()
            if name.startswith((PROVING, ASKING)) and name not in left_out
        )

    def proven(self) -> list[str]:
        """The variants that edgeship made, those included that it then refused to ship."""
        return [name.removeprefix(PROVING) for name in self.steps if name.startswith(PROVING)]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a child process hands back.

    `refused` are the variants that edgeship left out, with its reasons; `all`, with no run, where
    it made nothing.
    """

    run: Run | None = None
    variants: dict[str, Variant] = {}
    refused: dict[str, str] = {}


class CaseTally(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one case; rounds are in the order in which they were run.

    `refused` names what edgeship cannot convert and says why, in its own words.
    """

    name: str
    family: str
    parameters: int
    trained: bool
    variants: dict[str, Variant]
    refused: dict[str, str]
    edgeship: list[Run]
    bare: list[Run]

    def ratio(self, *, with_proving: bool = True) -> float | None:
        """Edgeship's seconds over the bare tools', medians of the rounds; None without both.

        Steps for a variant that the bare tools fail at are counted for neither.
        """
        if not self.edgeship or not self.bare:
            return None
        failed = self.bare[0].failed
        ours = [
            run.seconds - run.seconds_for(failed) - (0 if with_proving else run.proving(failed))
            for run in self.edgeship
        ]
        bare = [run.seconds - run.seconds_for(failed) for run in self.bare]
        return statistics.median(ours) / statistics.median(bare)


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run: the machine, the tools' releases, the cases, and why others were skipped."""

    machine: Machine
    tools: dict[str, str]
    cases: list[CaseTally]
    skipped: dict[str, str]
