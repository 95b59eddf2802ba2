"""Convert: source → plan → variants, each proven against the source → bundle."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from platform import python_version

import numpy as np

from edgeship_converters.artifact import Artifact, Task
from edgeship_converters.draft import Draft
from edgeship_converters.errors import ParityError, PlanError
from edgeship_converters.parity import MAX_DROP, Judge
from edgeship_converters.plan import ALL, Plan, Step, make_plan, take
from edgeship_converters.quiet import quiet
from edgeship_converters.rows import check_enough, gather
from edgeship_converters.sources import Source, open_source
from edgeship_runtime import drift, labels
from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle import Bundle, BundleWriter, SourceInfo
from edgeship_runtime.model import load

_GOLDEN_ROWS = 16
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

OnStep = Callable[[str], None]


def convert(  # noqa: PLR0913 - each argument is an option of the command line
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    data: str | os.PathLike[str] | None = None,
    label_column: str | None = None,
    eval_data: str | os.PathLike[str] | None = None,
    variants: str | Sequence[str] = ALL,
    name: str | None = None,
    version: str = "1",
    allow_pickle: bool = False,
    max_drop: float = MAX_DROP,
    on_step: OnStep = lambda step: None,
) -> Bundle:
    """Make a verified bundle of a trained model.

    Args:
        source: a `.keras` or `.skops` file; `.joblib` or `.pkl` with `allow_pickle`.
        output: where the bundle goes: one file if it ends in `.edgeship`, else a folder.
        data: rows that calibrate quantized variants and make the drift baseline, ideally the
            training data; see `edgeship_runtime.datafiles.read` for the forms.
        label_column: which column, or array of an `.npz`, holds the labels.
        eval_data: rows that judge the variants; without it a fifth of `data` is held out.
        variants: names, or `all`.
        name: the model's name; without it, that of the source file.
        version: the model's version.
        allow_pickle: whether a pickle, which can run any code on opening, may be opened.
        max_drop: how much of the metric a quantized variant may lose, as a share.
        on_step: called with a few words before each step.

    Returns:
        The bundle, as read back and verified.

    Raises:
        EdgeshipError: where anything is not as it must be; nothing is written then.
    """
    writer = BundleWriter(output)
    name = _check_name("name", name or _default_name(Path(source)))
    version = _check_name("version", version)
    if not 0 <= max_drop < 1:
        raise PlanError(f"max_drop is a share from 0 to below 1, got {max_drop}")
    on_step("loading the model")
    with quiet():
        model = open_source(source, allow_pickle=allow_pickle)
    plan = make_plan(model.kind, variants, with_data=data is not None)
    rows = gather(model.contract, data, eval_data, label_column)
    check_enough(rows, plan)
    on_step("asking the source model")
    with quiet():
        expected = model.predict(rows.judged)
    judge = Judge(rows.contract, rows.judged, expected, rows.truth, rows.rows_from, max_drop)
    made = _run(plan, model, Task(name, rows.contract, rows.calibration), on_step)
    draft = Draft(
        name=name,
        version=version,
        label_column=label_column,
        contract=rows.contract,
        source=SourceInfo(kind=model.kind, sha256=model.sha256),
        tools=_tools(plan.steps),
    )
    for variant in plan.variants:
        draft.add_variant(variant, made[variant])
    if rows.everything is not None:
        draft.add_baseline(drift.encode(drift.make_baseline(rows.contract, rows.everything)))
    _prove(draft, plan, judge, on_step)
    return draft.write(writer)


def _run(plan: Plan, source: Source, task: Task, on_step: OnStep) -> dict[str, Artifact]:
    made: dict[str, Artifact] = {}
    for step in plan.steps:
        on_step(f"making {step.variant}")
        with quiet():
            made[step.variant] = take(step, plan.start_of(step, source, made), task)
    return made


def _prove(draft: Draft, plan: Plan, judge: Judge, on_step: OnStep) -> None:
    """Judge every variant through the runtime that boards use, and choose the goldens.

    Raises:
        ParityError: naming each variant that does not agree with the source.
    """
    quantized = {step.variant: step.quantizes for step in plan.steps}
    _set_goldens(draft, judge, np.arange(len(next(iter(judge.inputs.values())))))
    unproven = draft.bundle()
    faults = []
    agreed = np.ones(len(next(iter(judge.inputs.values()))), dtype=bool)
    source_labels = labels.decide(judge.contract, judge.expected)
    for variant in plan.variants:
        on_step(f"proving {variant}")
        with quiet():
            outputs = load(unproven, variant).predict(judge.inputs)
        fault = judge.shape_fault(outputs)
        if fault is not None:
            faults.append(f"{variant} {fault}")
            continue
        evidence = judge.evidence(outputs, quantized=quantized[variant])
        fault = judge.fault(outputs, evidence, quantized=quantized[variant])
        if fault is not None:
            faults.append(f"{variant} {fault}")
        draft.set_evidence(variant, evidence)
        decided = labels.decide(judge.contract, outputs)
        if source_labels is not None and decided is not None:
            agreed &= labels.same(source_labels, decided)
    if faults:
        raise ParityError("; ".join(faults))
    # A golden whose label hangs by a rounding would accuse a sound board.
    chosen = np.flatnonzero(agreed)
    _set_goldens(draft, judge, chosen if len(chosen) else np.arange(len(agreed)))


def _set_goldens(draft: Draft, judge: Judge, rows: Array) -> None:
    chosen = rows[:_GOLDEN_ROWS]
    draft.set_goldens(
        {name: array[chosen] for name, array in judge.inputs.items()},
        {name: array[chosen] for name, array in judge.expected.items()},
    )


def _tools(steps: Sequence[Step]) -> dict[str, str]:
    """The release of every distribution that took part, numpy, Python and edgeship included."""
    names = {"edgeship", "numpy", *(tool for step in steps for tool in step.tools)}
    return {"python": python_version(), **{name: _release(name) for name in sorted(names)}}


def _release(distribution: str) -> str:
    for name in (distribution, f"{distribution}-cpu"):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return "unknown"


def _default_name(source: Path) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", source.stem).strip("-._")[:64] or "model"


def _check_name(what: str, given: str) -> str:
    if not _NAME.fullmatch(given):
        raise PlanError(
            f"the {what} {given!r} cannot be used: expected up to 64 letters, digits, '.', '_' "
            "and '-', the first a letter or digit"
        )
    return given
