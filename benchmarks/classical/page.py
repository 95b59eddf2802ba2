"""A tally as a page in Markdown: the targets first, then every figure."""

from __future__ import annotations

from collections.abc import Sequence

from classical.tally import (
    COMPILED,
    LITERT,
    OURS,
    PLAIN,
    PREPARED,
    RUNTIME,
    SOURCE,
    WAYS,
    CaseTally,
    Forest,
    Tally,
)
from classical.targets import Verdict, spread, verdicts
from conversion.measured_on import told
from conversion.table import grouped, table

_METHOD = """\
Made by `python benchmarks/classical/run.py --out DIR`; the models and rows are in
`benchmarks/classical/cases.py`, all fitted with fixed seeds. Each model is asked row by row, as a
device asks it, on one thread, in a process of its own: by the *source*'s own `predict`; in a bare
session of onnxruntime as *skl2onnx* converts it, with ZipMap off (LightGBM and XGBoost:
onnxmltools); in such a session as *edgeship* does; the latter through *edgeship_runtime*, which
checks every row; as edgeship's TFLite in a bare interpreter of *LiteRT*: inputs set, invoked, all
outputs got, texts as places among the model's words; and trees as C by treelite and *tl2cgen*,
compiled by gcc and asked through its Python binding, which takes a matrix: each call makes it of
its row, as users do, or, for comparison, it is made before. The ways are asked in turns, in blocks
of a tenth of a second or 200 calls, so that load on the machine hits all alike. A ratio a ÷ b above
1 says how many times as fast b is; it is the median over the rounds, in brackets the range of the
middle half of them. Bytes are of the `.onnx`, `.tflite` or `.so` file, and of the uncompressed
pickle for the source. Labels differ where a form's is not the source's, over all rows of the test
part, given to both as float32 holds them."""
_LOADING = """\
Each form is loaded in a fresh process where a tiny forest in the same form was loaded and asked
before. *Memory* is how far the peak of the resident set, from then until the first answer, lies
above the set before; beside it, how many times the file's bytes that is. Converting counts from
the import of edgeship to the bundle with its proof."""
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
        "## Forests as files",
        _LOADING,
        _made(tally.forests),
        _loaded(tally.forests),
        "## Left out",
        _left_out(tally),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


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
    pairs = (
        (SOURCE, OURS), (PLAIN, OURS), (SOURCE, RUNTIME),
        (SOURCE, LITERT), (LITERT, OURS), (LITERT, COMPILED), (LITERT, PREPARED),
    )  # fmt: skip
    rows = [[case.name, *(spread(case.ratios(*pair)) for pair in pairs)] for case in cases]
    return table(["model", *(f"{way} ÷ {over}" for way, over in pairs)], rows)


def _sizes(cases: Sequence[CaseTally]) -> str:
    sized, judged = (SOURCE, PLAIN, OURS, LITERT), (PLAIN, OURS, LITERT, COMPILED)
    rows = [
        [
            case.name,
            *(_bytes(case, way) for way in sized),
            *(_wrong(case, way) for way in judged),
        ]
        for case in cases
    ]
    head = ["model", "pickle", *sized[1:], *(f"labels differ, {way}" for way in judged)]
    return table(head, rows)


def _bytes(case: CaseTally, name: str) -> str:
    return grouped(case.ways[name].bytes) if name in case.ways else "–"


def _wrong(case: CaseTally, name: str) -> str:
    return f"{case.ways[name].disagreements} of {case.rows}" if name in case.ways else "–"


def _made(forests: Sequence[Forest]) -> str:
    rows = [
        [
            forest.name,
            f"{forest.trees}, {grouped(forest.nodes)}",
            form,
            grouped(forest.pickle_bytes),
            grouped(made.bytes),
            f"{forest.pickle_bytes / made.bytes:.1f}",
            f"{made.convert_seconds:.1f} s",
            f"{made.convert_peak_bytes / 1e9:.2f} GB",
        ]
        for forest in forests
        for form, made in forest.made.items()
    ]
    head = ["forest", "trees, nodes", "form", "pickle", "bytes", "pickle ÷ form"]
    return table([*head, "converted in", "peak memory of that"], rows) if rows else "Not measured."


def _loaded(forests: Sequence[Forest]) -> str:
    rows = [
        [
            forest.name,
            way,
            loading.form,
            f"{loading.load_seconds:.3f} s",
            f"{loading.growth_bytes / 1e6:.2f} MB",
            f"{forest.growth(way):.2f}",
            f"{loading.p50_ns / 1e3:.1f} µs",
            f"{loading.disagreements} of {loading.rows}",
        ]
        for forest in forests
        for way, loading in forest.loaded.items()
    ]
    head = ["forest", "in", "form", "loaded in", "memory", "memory ÷ file", "one row"]
    return table([*head, "labels differ"], rows) if rows else ""


def _left_out(tally: Tally) -> str:
    rows = [[case.name, way, why] for case in tally.cases for way, why in case.failed.items()]
    rows += [[name, "all", why] for name, why in tally.skipped.items()]
    return table(["model", "way", "reason"], rows) if rows else "Nothing."
