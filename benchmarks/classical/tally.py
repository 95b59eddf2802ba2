"""What is measured, as it is written to and read from JSON."""

from __future__ import annotations

import msgspec

from edgeship_devices.detect import Machine

# The ways of asking a model: the source's own predict; skl2onnx's form and ours, each in a bare
# session of onnxruntime; ours through edgeship_runtime; our TFLite form in a bare interpreter of
# LiteRT; and trees as compiled C, which make a matrix of each row, or are given it made before.
SOURCE, PLAIN, OURS, RUNTIME, LITERT, COMPILED, PREPARED = WAYS = (
    "source", "skl2onnx", "edgeship", "runtime", "litert", "tl2cgen",
    "tl2cgen, matrix made",
)  # fmt: skip


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a case's forms are held to.

    `edgeship` and `litert` are how many times as fast as the source's own predict each is to be at
    least; `smaller_than` by way how many times as large as the TFLite form that way's file is to
    be. Where all are `trees`, LiteRT is held to their other engines too, and to every label.
    """

    edgeship: float = 1.0
    litert: float = 1.0
    trees: bool = False
    smaller_than: dict[str, float] = {}


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
    asked: Asked
    rows: int
    ways: dict[str, Way]
    failed: dict[str, str] = {}

    def ratios(self, way: str, over: str = OURS) -> list[float]:
        """One way's median time over another's, round by round; empty where either is missing."""
        if way not in self.ways or over not in self.ways:
            return []
        times = self.ways[way].round_p50_ns, self.ways[over].round_p50_ns
        return [a / b for a, b in zip(*times, strict=True)]

    def times_as_large(self, way: str, over: str) -> float | None:
        """One way's bytes over another's; None where either is missing."""
        if way not in self.ways or over not in self.ways:
            return None
        return self.ways[way].bytes / self.ways[over].bytes


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A form of a forest, converted and proven in a process of its own, imports and all.

    `convert_peak_bytes` is that process's largest resident set.
    """

    bytes: int
    convert_seconds: float
    convert_peak_bytes: int


class Loading(msgspec.Struct, frozen=True, kw_only=True):
    """A form of a forest, loaded and asked in a fresh process where a tiny one ran before.

    `growth_bytes` is how far the largest resident set until the first answer lies above the set
    before; `load_seconds` end before the first answer, and `p50_ns` is of one row.
    """

    form: str
    load_seconds: float
    growth_bytes: int
    p50_ns: int
    rows: int
    disagreements: int


class Forest(msgspec.Struct, frozen=True, kw_only=True):
    """A forest, its forms by name, and the ways of loading them."""

    name: str
    trees: int
    nodes: int
    pickle_bytes: int
    made: dict[str, Made]
    loaded: dict[str, Loading]

    def growth(self, way: str) -> float:
        """How many times the file's bytes a way of loading it takes in memory."""
        loading = self.loaded[way]
        return loading.growth_bytes / self.made[loading.form].bytes


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run: the machine, the tools' releases, all figures, and why others are missing."""

    machine: Machine
    tools: dict[str, str]
    cases: list[CaseTally]
    forests: list[Forest]
    skipped: dict[str, str]
