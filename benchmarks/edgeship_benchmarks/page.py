"""`report.md`: a report as a page for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgeship_benchmarks.report import Report
from edgeship_benchmarks.table import cells
from edgeship_devices import Machine

# Above this share of a machine's cores in use, other work shows in the tail of the times.
_QUIET_LOAD = 0.2


def markdown(report: Report) -> str:
    """The whole page."""
    header, rows, footnotes = cells(report)
    parts = [
        f"# {_plain(report.model)} {_plain(report.version)}, measured",
        "\n".join(f"- {line}" for line in _circumstances(report)),
        _table(header, rows),
        "\n".join(f"- {_plain(note)}" for note in footnotes),
        "## Where noise could come from",
        "\n".join(f"- {line}" for line in _noise(report.machine)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", "---", *["---:"] * (len(header) - 2)]
    return "\n".join(
        "| " + " | ".join(_plain(cell) for cell in row) + " |" for row in (header, rule, *rows)
    )


def _circumstances(report: Report) -> Iterator[str]:
    machine = report.machine
    name = machine.device_tree_model or machine.profile or "unknown machine"
    cores = "unknown number of cores" if machine.cores is None else f"{machine.cores} cores"
    memory = "unknown memory"
    if machine.ram_bytes is not None:
        memory = f"{machine.ram_bytes / 1e9:.1f} GB of memory"
    yield (
        f"machine: {_plain(name)} ({_plain(machine.cpu or 'unknown processor')}, {cores}, {memory})"
    )
    yield f"profile: {machine.profile or 'none fits'}"
    yield f"threads: {report.threads}"
    source = "the bundle's goldens" if report.rows_from == "goldens" else "the data given"
    yield f"rows: {report.rows}, from {source}, one at a time"
    yield (
        f"scenario: {report.scenario} (MLPerf), the variants in turns; every raw time is in "
        "report.json"
    )
    yield f"bundle: SHA-256 {report.bundle_sha256}"


def _noise(machine: Machine) -> Iterator[str]:
    if machine.load_average is None:
        yield "load: unknown"
    else:
        load = machine.load_average[0]
        busy = machine.cores is not None and load > _QUIET_LOAD * machine.cores
        remark = ": the machine was busy, measure again on a quiet one" if busy else ""
        yield f"load: {load:.2f} over the minute before{remark}"
    if machine.governor is None:
        yield "governor: unknown; the clock may have moved"
    elif machine.governor == "performance":
        yield "governor: performance"
    else:
        yield f"governor: {_plain(machine.governor)}; the clock may have moved"
    if machine.throttled is None:
        yield "throttling: unknown"
    else:
        state = "yes, the clock was held down before the start" if machine.throttled else "no"
        yield f"throttling: {state}"
    if machine.temperature_celsius is not None:
        yield f"temperature: {machine.temperature_celsius:.1f} °C before the start"


def _plain(text: str) -> str:
    # Names and engines' messages come from elsewhere: none may end a cell or a line.
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
