"""What is measured, as it is written to and read from JSON, and what it is held to."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from edgeship_devices.detect import Machine

# The ways of asking a model: the source's own predict; skl2onnx's form and ours, each in a bare
# session of onnxruntime; ours through edgeship_runtime.
SOURCE, PLAIN, OURS, RUNTIME = WAYS = ("source", "skl2onnx", "edgeship", "runtime")
MILLION_NODES = 1_000_000
MILLION_SECONDS = 120
MILLION_PEAK_BYTES = 4_000_000_000


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """One way of asking a case's model, row by row.

    `p50_ns` and `p90_ns` are of all calls, the latter null where these are too few to tell;
    `round_p50_ns` are of each round's. `bytes` are the file's,
    the uncompressed pickle's for the source. `disagreements` is how many rows of the test part get
    another label than the source gives.
    """

    bytes: int
    calls: int
    p50_ns: int
    p90_ns: int | None
    round_p50_ns: list[int]
    disagreements: int = 0


class CaseTally(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one case; `failed` says of each way that is missing why."""

    name: str
    asked: float
    rows: int
    ways: dict[str, Way]
    failed: dict[str, str] = {}

    def ratios(self, way: str, over: str = OURS) -> list[float]:
        """One way's median time over another's, round by round; empty where either is missing."""
        if way not in self.ways or over not in self.ways:
            return []
        times = self.ways[way].round_p50_ns, self.ways[over].round_p50_ns
        return [a / b for a, b in zip(*times, strict=True)]


class Million(msgspec.Struct, frozen=True, kw_only=True):
    """A forest of a million nodes: converted in one process, loaded and asked in another.

    Peaks are each process's largest resident set, imports and all. `p50_ns` is of one row in a
    bare session, and `load_seconds` that session's start.
    """

    trees: int
    nodes: int
    pickle_bytes: int
    onnx_bytes: int
    convert_seconds: float
    convert_peak_bytes: int
    load_seconds: float
    load_peak_bytes: int
    p50_ns: int
    rows: int
    disagreements: int


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run: the machine, the tools' releases, the cases, and why others were skipped."""

    machine: Machine
    tools: dict[str, str]
    cases: list[CaseTally]
    million: Million | None
    skipped: dict[str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target, what was measured, and whether that reaches it; None where it cannot be said."""

    of: str
    asked: str
    measured: str
    met: bool | None


def verdicts(tally: Tally) -> list[Verdict]:
    """Every target, held against the cases and the large forest."""
    found = [verdict for case in tally.cases for verdict in _of_case(case)]
    return found + list(_of_million(tally.million))


def _of_case(case: CaseTally) -> Iterator[Verdict]:
    for way, asked in ((SOURCE, case.asked), (PLAIN, 1.0)):
        ratios = case.ratios(way)
        met = statistics.median(ratios) >= asked if ratios else None
        yield Verdict(f"{case.name}: {way} ÷ edgeship", f"≥ {asked:g}", spread(ratios), met)


def _of_million(million: Million | None) -> Iterator[Verdict]:
    if million is None or million.nodes < MILLION_NODES:
        return
    seconds, peak = million.convert_seconds, million.convert_peak_bytes
    yield Verdict(
        "million nodes: converted in",
        f"< {MILLION_SECONDS} s",
        f"{seconds:.1f} s",
        seconds < MILLION_SECONDS,
    )
    yield Verdict(
        "million nodes: peak memory of that",
        f"< {MILLION_PEAK_BYTES / 1e9:g} GB",
        f"{peak / 1e9:.2f} GB",
        peak < MILLION_PEAK_BYTES,
    )


def spread(ratios: list[float]) -> str:
    """The median of the rounds' ratios, and the range of the middle half of them.

    >>> spread([2.0, 1.0, 4.0, 3.0, 5.0]), spread([20.0]), spread([])
    ('3.00 (2.00–4.00)', '20.0', '–')
    """
    if not ratios:
        return "–"
    middle = statistics.median(ratios)
    if len(ratios) == 1:
        return _three(middle)
    low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return f"{_three(middle)} ({_three(low)}–{_three(high)})"


def _three(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}" if ratio < 100 else f"{ratio:.0f}"
