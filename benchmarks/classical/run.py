"""Measure classical models: `python benchmarks/classical/run.py --out DIR [--only NAME] [--quick]`.

Writes DIR/classical.json and DIR/classical-benchmarks.md; copy the page to docs/ to publish it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from classical.cases import CASES, Case, case
from classical.forests import DIGITS, FORESTS, SMALL, measure_forest
from classical.page import page
from classical.tally import CaseTally, Forest, Tally
from conversion.chosen import arguments
from conversion.measured_on import releases
from conversion.process import ChildError, run_module
from edgeship_devices.detect import detect

_TOOLS = (
    "edgeship", "scikit-learn", "skl2onnx", "onnxmltools", "onnx", "onnxruntime", "tensorflow",
    "tensorflow-cpu", "ai-edge-litert", "lightgbm", "xgboost", "xgboost-cpu", "treelite", "tl2cgen",
    "numpy",
)  # fmt: skip
# Libraries of matrices and of trees would otherwise take all cores for one row.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def main() -> None:
    """Measure what was asked for, and write figures and page."""
    given = arguments(
        __doc__,
        [*(c.name for c in CASES), *FORESTS],
        rounds=15,
        of="turns of each way",
        work="folder of the forests",
        quick="two rounds, and a small forest for the large one",
    )
    names = given.only or [*(c.name for c in CASES), *FORESTS]
    tally = measure(
        [case(name) for name in names if name not in FORESTS],
        given.work or given.out / "work",
        rounds=2 if given.quick else given.rounds,
        forests=[name for name in names if name in FORESTS],
        quick=given.quick,
        on_case=lambda words: print(words, flush=True),  # noqa: T201
    )
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "classical.json").write_bytes(msgspec.json.format(msgspec.json.encode(tally)))
    (given.out / "classical-benchmarks.md").write_text(page(tally), encoding="utf-8")
    print(f"made {given.out / 'classical-benchmarks.md'}")  # noqa: T201


def measure(
    cases: Sequence[Case],
    work: Path,
    *,
    rounds: int,
    forests: Sequence[str] = (),
    quick: bool = False,
    on_case: Callable[[str], None] = lambda words: None,
) -> Tally:
    """Measure each case in a process of its own, then the forests' forms as files.

    Args:
        cases: in order; one whose library is not installed is skipped.
        work: where the forests are kept, and taken from the next time.
        rounds: how often the ways take turns.
        forests: those whose conversion and loading are measured too, of `FORESTS`.
        quick: whether the large one is a small one instead.
        on_case: called with words for people as each begins.
    """
    work.mkdir(parents=True, exist_ok=True)
    machine = detect()
    found, kept, skipped = [], [], {}
    for chosen in cases:
        on_case(chosen.name)
        if not chosen.installed:
            skipped[chosen.name] = f"{chosen.needs} is not installed"
            continue
        try:
            found.append(_measure(chosen, work / f"{chosen.name}.json", rounds))
        except ChildError as error:
            skipped[chosen.name] = str(error)
    for name in forests:
        on_case(name)
        try:
            kept.append(_forest(name, work, quick))
        except ChildError as error:
            skipped[name] = str(error)
    return Tally(
        machine=machine, tools=releases(_TOOLS), cases=found, forests=kept, skipped=skipped
    )


def _measure(chosen: Case, target: Path, rounds: int) -> CaseTally:
    target.unlink(missing_ok=True)
    options = ("--json", str(target), "--rounds", str(rounds))
    run_module("classical.child", chosen.name, *options, environment=_ONE_THREAD)
    return msgspec.json.decode(target.read_bytes(), type=CaseTally)


def _forest(name: str, work: Path, quick: bool) -> Forest:
    if name == DIGITS:
        return measure_forest(name, work / "digits-forest")
    if quick:
        return measure_forest(SMALL, work / "small-forest", "--trees", "10", "--rows", "5000")
    return measure_forest(name, work / "forest")


if __name__ == "__main__":
    main()
