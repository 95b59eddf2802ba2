"""Measure cases, each way of converting in fresh processes, the two ways in turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from conversion.cases import Case
from conversion.measured_on import releases
from conversion.prepare import JUDGING
from conversion.process import ChildError, run_module
from conversion.tally import CaseTally, Outcome, Tally
from edgeship_devices.detect import detect

TOOLS = (
    "edgeship", "keras", "tensorflow", "tensorflow-cpu", "tf2onnx", "onnx", "onnxruntime",
    "ai-edge-litert", "litert-quantizer", "numpy",
)  # fmt: skip
_CHILD = "conversion.child"

OnCase = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure, and how.

    Attributes:
        cases: in order.
        work: where cases are prepared, each in a folder of its own; one that is prepared already
            is taken as it is.
        mnist: the folder of MNIST, None where there is none.
        rounds: how often each case goes each way.
        epochs: of training, in place of the cases' own.
    """

    cases: Sequence[Case]
    work: Path
    mnist: Path | None
    rounds: int = 3
    epochs: int | None = None


def measure(plan: Plan, on_case: OnCase = lambda words: None) -> Tally:
    """Measure every case of a plan that can be; those on MNIST are skipped where it is absent."""
    machine = detect()
    cases, skipped = [], {}
    for case in plan.cases:
        if case.needs_mnist and plan.mnist is None:
            skipped[case.name] = "MNIST is not there"
            continue
        try:
            cases.append(measure_case(case, plan, on_case))
        except ChildError as error:
            skipped[case.name] = str(error)
    return Tally(machine=machine, tools=releases(TOOLS), cases=cases, skipped=skipped)


def measure_case(case: Case, plan: Plan, on_case: OnCase) -> CaseTally:
    """Prepare a case, then convert it with edgeship and with the bare tools, in turns.

    Raises:
        ChildError: where a process fails otherwise than by edgeship's refusal.
    """
    folder = plan.work / case.name
    if not (folder / JUDGING).is_file():
        on_case(f"{case.name}: preparing")
        _prepare(case, folder, plan)
    ours, bare = [], []
    for round_ in range(plan.rounds):
        on_case(f"{case.name}: round {round_ + 1} of {plan.rounds}, edgeship")
        ours.append(_convert("edgeship", case, folder))
        if (run := ours[-1].run) is None:
            break
        on_case(f"{case.name}: round {round_ + 1} of {plan.rounds}, bare tools")
        bare.append(_convert("bare", case, folder, "--variants", ",".join(run.proven())))
    return CaseTally(
        name=case.name,
        family=case.family,
        parameters=case.parameters,
        trained=case.epochs > 0,
        variants=ours[0].variants,
        refused=ours[0].refused,
        edgeship=[outcome.run for outcome in ours if outcome.run is not None],
        bare=[outcome.run for outcome in bare if outcome.run is not None],
    )


def _prepare(case: Case, folder: Path, plan: Plan) -> None:
    options = [] if plan.mnist is None else ["--mnist", str(plan.mnist)]
    if plan.epochs is not None:
        options += ["--epochs", str(plan.epochs)]
    run_module(_CHILD, "prepare", case.name, str(folder), *options)


def _convert(way: str, case: Case, folder: Path, *options: str) -> Outcome:
    target = folder / f"{way}.json"
    target.unlink(missing_ok=True)
    run_module(_CHILD, way, case.name, str(folder), "--json", str(target), *options)
    return msgspec.json.decode(target.read_bytes(), type=Outcome)
