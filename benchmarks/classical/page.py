"""A tally as a page in Markdown: the targets first, then every figure."""

from __future__ import annotations

from collections.abc import Sequence

from classical.tally import (
    OURS,
    PLAIN,
    RUNTIME,
    SOURCE,
    WAYS,
    CaseTally,
    Million,
    Tally,
    Verdict,
    spread,
    verdicts,
)
from conversion.measured_on import told
from conversion.table import grouped, table

_METHOD = """\
Made by `python benchmarks/classical/run.py --out DIR`; the models and rows are in
`benchmarks/classical/cases.py`, all fitted with fixed seeds. Each model is asked row by row, as a
device asks it, on one thread, in a process of its own: by the *source*'s own `predict`; in a bare
session of onnxruntime as *skl2onnx* converts it, with ZipMap off (LightGBM and XGBoost:
onnxmltools); in such a session as *edgeship* does; and the latter through *edgeship_runtime*, which
checks every row. The ways are asked in turns, in blocks of a tenth of a second or 200 calls, so
that load on the machine hits all alike. A ratio above 1 says how many times as fast edgeship's form
is; it is the median over the rounds, in brackets the range of the middle half of them. Bytes are of
the `.onnx` file, and of the uncompressed pickle for the source. Labels differ where a form's is not
the source's, over all rows of the test part, given to both as float32 holds them."""
_OUTCOMES = {True: "met", False: "**missed**", None: "–"}


def page(tally: Tally) -> str:
    """The whole page."""
    parts = [
        "# Classical models: latency and size",
        _METHOD,
        _machine(tally),
        "## Targets",
        _targets(verdicts(tally)),
        "## Latency of one row",
        "Median and 90th percentile of all calls, in microseconds.",
        _latencies(tally.cases),
        "## Ratios of the medians",
        _ratios(tally.cases),
        "## Bytes and labels",
        _sizes(tally.cases),
        "## A million nodes",
        _million(tally.million),
        "## Left out",
        _left_out(tally),
    ]
    return "\n\n".join(parts) + "\n"


def _machine(tally: Tally) -> str:
    rounds = (len(way.round_p50_ns) for case in tally.cases for way in case.ways.values())
    return told(tally.machine, rounds, tally.tools)


def _targets(judged: Sequence[Verdict]) -> str:
    rows = [[v.of, v.asked, v.measured, _OUTCOMES[v.met]] for v in judged]
    return table(["target", "asked", "measured", "outcome"], rows)


def _latencies(cases: Sequence[CaseTally]) -> str:
    return table(["model", *WAYS], [[c.name, *(_latency(c, way) for way in WAYS)] for c in cases])


def _latency(case: CaseTally, name: str) -> str:
    way = case.ways.get(name)
    if way is None:
        return "–"
    return f"{way.p50_ns / 1e3:.1f}, {'–' if way.p90_ns is None else f'{way.p90_ns / 1e3:.1f}'}"


def _ratios(cases: Sequence[CaseTally]) -> str:
    pairs = ((SOURCE, OURS), (PLAIN, OURS), (SOURCE, RUNTIME))
    rows = [[case.name, *(spread(case.ratios(*pair)) for pair in pairs)] for case in cases]
    return table(["model", *(f"{way} ÷ {over}" for way, over in pairs)], rows)


def _sizes(cases: Sequence[CaseTally]) -> str:
    rows = [
        [
            case.name,
            *(_bytes(case, way) for way in (SOURCE, PLAIN, OURS)),
            *(_wrong(case, way) for way in (PLAIN, OURS)),
        ]
        for case in cases
    ]
    head = ["model", "pickle", "skl2onnx", "edgeship", "labels differ, skl2onnx"]
    return table([*head, "labels differ, edgeship"], rows)


def _bytes(case: CaseTally, name: str) -> str:
    return grouped(case.ways[name].bytes) if name in case.ways else "–"


def _wrong(case: CaseTally, name: str) -> str:
    return f"{case.ways[name].disagreements} of {case.rows}" if name in case.ways else "–"


def _million(million: Million | None) -> str:
    if million is None:
        return "Not measured."
    rows = [
        ["trees, nodes", f"{million.trees}, {grouped(million.nodes)}"],
        ["pickle, onnx", f"{million.pickle_bytes / 1e6:.0f}, {million.onnx_bytes / 1e6:.0f} MB"],
        ["converted and proven in", f"{million.convert_seconds:.1f} s"],
        ["peak memory of that", f"{million.convert_peak_bytes / 1e9:.2f} GB"],
        ["loaded in", f"{million.load_seconds:.2f} s"],
        ["peak memory of that", f"{million.load_peak_bytes / 1e9:.2f} GB"],
        ["latency of one row", f"{million.p50_ns / 1e3:.1f} µs"],
        ["labels differ", f"{million.disagreements} of {million.rows}"],
    ]
    return table(["a random forest", "measured"], rows)


def _left_out(tally: Tally) -> str:
    rows = [[case.name, way, why] for case in tally.cases for way, why in case.failed.items()]
    rows += [[name, "all", why] for name, why in tally.skipped.items()]
    return table(["model", "way", "reason"], rows) if rows else "Nothing."
