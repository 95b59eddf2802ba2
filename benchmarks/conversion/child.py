"""One way of converting one case, in this process: `python -m conversion.child WAY NAME …`.

A process of its own gives each way its own peak of memory, and neither the other's caches. Before
the clock starts, a small model goes the same way, so that imports and what the tools do once in
a process are counted for neither.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from conversion.cases import Case, case
from conversion.mlperf_tiny import ds_cnn
from conversion.prepare import CALIBRATING, JUDGING, MODEL, prepare
from conversion.process import resident
from conversion.tally import Outcome, Run, Variant
from edgeship_runtime.bundle import Bundle
from edgeship_runtime.bundle.manifest import VariantSpec
from edgeship_runtime.errors import EdgeshipError

# An untrained model's labels hang by little; its variants are to be measured all the same.
MAX_DROP = 0.99
_WARMING = Case("warming", ds_cnn, "cnn", 24_908, "normal", 40, 40)


def main() -> None:
    """Prepare a case, or convert it in one way and write the outcome as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("way", choices=("prepare", "edgeship", "bare"))
    parser.add_argument("name")
    parser.add_argument("folder", type=Path, help="where the case is prepared")
    parser.add_argument("--json", type=Path, help="where the outcome goes")
    parser.add_argument("--variants", default="", help="what the bare tools make, by commas")
    parser.add_argument("--mnist", type=Path)
    parser.add_argument("--epochs", type=int)
    given = parser.parse_args()
    chosen = case(given.name)
    if given.way == "prepare":
        prepare(chosen, given.folder, given.mnist, given.epochs)
        return

    def way(folder: Path, made: Path) -> Outcome:
        if given.way == "edgeship":
            return by_edgeship(folder, made)
        return by_bare_tools(folder, made, given.variants.split(","))

    with TemporaryDirectory(prefix="conversion-") as scratch:
        out = Path(scratch)
        prepare(_WARMING, out / "warming", None)
        way(out / "warming", out / "warmed")
        outcome = way(given.folder, out / "made")
    given.json.write_bytes(msgspec.json.encode(outcome))


def by_edgeship(folder: Path, out: Path) -> Outcome:
    """Convert as `edgeship convert` does, all variants proven on the judging rows."""
    import edgeship

    out.mkdir()
    clock = Clock()
    refused: dict[str, str] = {}

    def on_warning(text: str) -> None:
        variant, left_out, reason = text.partition(" is left out: ")
        if left_out:
            refused[variant] = reason

    try:
        bundle = edgeship.convert(
            folder / MODEL,
            out / "model.edgeship",
            data=folder / CALIBRATING,
            eval_data=folder / JUDGING,
            max_drop=MAX_DROP,
            cache=False,
            on_step=clock.step,
            on_warning=on_warning,
        )
    except EdgeshipError as error:
        return Outcome(refused={"all": str(error)})
    run = clock.run({spec.name: spec.bytes for spec in bundle.manifest.variants}, {})
    return Outcome(run=run, variants=_variants(bundle), refused=refused)


def by_bare_tools(folder: Path, out: Path, variants: list[str]) -> Outcome:
    """Make each variant with its tool's own call; one that fails is noted, and the rest go on."""
    from conversion.bare import BareTools

    out.mkdir()
    clock = Clock()
    tools = BareTools(folder, out)
    made: dict[str, int] = {}
    failed: dict[str, str] = {}
    for name, action in tools.steps.items():
        if name not in ("load", "savedmodel-float32", *variants):
            continue
        clock.step(name)
        fault = _fault(action)
        if fault is not None:
            failed[name] = fault
        elif name != "load":
            made[name] = tools.bytes_of(name)
    return Outcome(run=clock.run(made, failed))


class Clock:
    """Seconds by step; a step lasts until the next begins."""

    def __init__(self) -> None:
        self._imported = resident("VmRSS")
        self._began = self._last = time.perf_counter()
        self._steps: dict[str, float] = {}
        self.now = "starting"

    def step(self, name: str) -> None:
        """End the step at hand and begin another."""
        here = time.perf_counter()
        self._steps[self.now] = self._steps.get(self.now, 0.0) + here - self._last
        self._last, self.now = here, name

    def run(self, sizes: dict[str, int], failed: dict[str, str]) -> Run:
        """What was measured, once all is done."""
        self.step("done")
        return Run(
            seconds=self._last - self._began,
            steps=self._steps,
            # Linux counts both lazily: the highest mark can lag some pages behind a resident set
            # that was read before.
            peak_bytes=max(resident("VmHWM"), self._imported),
            imported_bytes=self._imported,
            bytes=sizes,
            failed=failed,
        )


def _fault(action: Callable[[], None]) -> str | None:
    try:
        action()
    except Exception as error:
        # The tools raise what they like; the kind and the first words are enough to look it up.
        return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return None


def _variants(bundle: Bundle) -> dict[str, Variant]:
    return {spec.name: _variant(spec) for spec in bundle.manifest.variants}


def _variant(spec: VariantSpec) -> Variant:
    evidence = spec.evidence
    errors = evidence.errors.values()
    accuracy = evidence.metric == "accuracy"
    return Variant(
        bytes=spec.bytes,
        max_abs=max((error.max_abs for error in errors), default=0.0),
        max_rel=max((error.max_rel for error in errors), default=0.0),
        rows=evidence.rows,
        label_flips=evidence.label_flips,
        accuracy=evidence.variant_metric if accuracy else None,
        source_accuracy=evidence.source_metric if accuracy else None,
    )


if __name__ == "__main__":
    main()
