"""Convert: source → plan → variants, each proven against the source → bundle."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from edgeship_converters.artifact import Artifact
from edgeship_converters.draft import Draft
from edgeship_converters.errors import ParityError
from edgeship_converters.making import DERIVED, Maker
from edgeship_converters.parity import Judge
from edgeship_converters.plan import Plan
from edgeship_converters.prepare import prepare
from edgeship_converters.prove import Proof, Prover
from edgeship_converters.request import Request
from edgeship_converters.study import SEARCHED, Studied, Study
from edgeship_runtime import drift
from edgeship_runtime.bundle import Bundle, BundleWriter

_GOLDEN_ROWS = 16


def convert(source: Any, output: str | os.PathLike[str], **options: Any) -> Bundle:
    """Make a verified bundle of a trained model.

    Args:
        source: a model file or SavedModel folder, or a model in memory.
        output: where the bundle goes: one file if it ends in `.edgeship`, else a folder.
        options: the fields of `edgeship_converters.request.Request`: `data`, `label_column`,
            `eval_data`, `variants`, `name`, `version`, `allow_pickle`, `custom_objects`,
            `signature`, `trust`, `converters`, `inputs`, `max_drop`, `io`, `recipe`,
            `sensitivity`, `cache`.

    Returns:
        The bundle, as read back and verified.

    Raises:
        EdgeshipError: where anything is not as it must be; nothing is written then.
    """
    return carry_out(Request(source=source, **options), output).bundle


@dataclass(frozen=True, slots=True)
class Conversion:
    """What came of a request.

    Attributes:
        bundle: as read back and verified.
        left_out: the variants that `all` asked for and that could not be made or proven, with
            the reason.
        without_data: the variants that `all` would hold too, were there data to prove them on.
        warnings: what is wrong with the data.
        studied: what `sensitivity` found.
    """

    bundle: Bundle
    left_out: dict[str, str]
    without_data: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    studied: Studied = field(default_factory=Studied)


def carry_out(request: Request, output: str | os.PathLike[str]) -> Conversion:
    """Do what a request asks; see `convert`."""
    writer = BundleWriter(output)
    ready = prepare(request)
    plan, draft, recipes = ready.plan, ready.draft, dict(ready.recipes)
    maker = Maker(ready.source, ready.task, recipes, ready.cache, request.on_step)
    prover = Prover(draft, ready.judge, ready.cache, ready.source, bool(request.converters))
    made, left_out = maker.run(plan)
    proofs = _prove(request, plan, prover, made)
    studied = Studied()
    if request.sensitivity:
        studied = Study(maker, prover, ready.rows, made).run(plan, proofs, request.on_warning)
        request.on_study(studied)
    for variant, met in studied.met.items():
        made[variant], proofs[variant], recipes[variant] = met.artifact, met.proof, met.recipe
    left_out |= _settle(plan, proofs)
    # Classical models have no layers to look for.
    searched = request.sensitivity or ready.task.classical
    for warning in _left_out(left_out, searched=searched):
        request.on_warning(warning)
    shipped = {v: proofs[v] for v in plan.variants if v not in left_out}
    for variant, proof in shipped.items():
        draft.add_variant(variant, made[variant], recipes.get(variant), proof.evidence)
    _set_goldens(draft, ready.judge, list(shipped.values()))
    if ready.rows.everything is not None:
        baseline = drift.make_baseline(ready.rows.contract, ready.rows.everything)
        draft.add_baseline(drift.encode(baseline))
    ready.cache.prune()
    bundle = draft.write(writer)
    return Conversion(bundle, left_out, plan.without_data, ready.warnings, studied)


def _prove(
    request: Request, plan: Plan, prover: Prover, made: dict[str, Artifact]
) -> dict[str, Proof]:
    proofs = {}
    for step in plan.steps:
        if step.variant in made and step.variant in plan.variants:
            request.on_step(f"proving {step.variant}")
            proofs[step.variant] = prover.prove(step, made[step.variant])
    return proofs


def _settle(plan: Plan, proofs: dict[str, Proof]) -> dict[str, str]:
    """Which proofs failed, and why, where the plan may leave them out.

    Raises:
        ParityError: naming each variant that does not agree with the source, where one was asked
            for by name, or where none would be left.
    """
    faults = {variant: proof.fault for variant, proof in proofs.items() if proof.fault}
    derived: dict[str, str] = {}
    for step in plan.steps:
        if step.start in {*faults, *derived} and step.variant in proofs.keys() - faults:
            derived[step.variant] = DERIVED
    if faults and (not plan.may_leave_out or len(faults) + len(derived) == len(proofs)):
        # The only form can hardly be left out.
        alone = len(proofs) == 1
        plain = {v: str(replace(fault, needed=alone)) for v, fault in faults.items()}
        told = plain | derived
        raise ParityError("; ".join(f"{variant} {fault}" for variant, fault in told.items()))
    return {variant: f"it {fault.of_left_out}" for variant, fault in faults.items()} | derived


def _left_out(reasons: dict[str, str], *, searched: bool) -> Iterator[str]:
    """A line for each cause, and one for all that follows from others."""
    derived = [variant for variant, reason in reasons.items() if reason == DERIVED]
    alike: dict[str, list[str]] = {}
    for variant, reason in reasons.items():
        if reason != DERIVED:
            mix = variant in SEARCHED and not searched and "--max-drop" in reason
            hint = "; --sensitivity looks for layers to keep in float" if mix else ""
            alike.setdefault(reason + hint, []).append(variant)
    for reason, variants in alike.items():
        one = len(variants) == 1
        each = reason if one else re.sub(r"^it\b", "each", reason)
        yield f"{', '.join(variants)} {'is' if one else 'are'} left out: {each}"
    if derived:
        yield f"left out with what they are made from: {', '.join(derived)}"


def _set_goldens(draft: Draft, judge: Judge, proofs: Sequence[Proof]) -> None:
    """Keep the first rows that all variants decide as the source does.

    A golden whose label hangs by a rounding would accuse a sound board.
    """
    agreed = np.flatnonzero(np.all([proof.agreed for proof in proofs], axis=0))
    rows = agreed if len(agreed) else np.arange(len(next(iter(judge.inputs.values()))))
    chosen = rows[:_GOLDEN_ROWS]
    draft.set_goldens(
        {name: array[chosen] for name, array in judge.inputs.items()},
        {name: array[chosen] for name, array in judge.expected.items()},
    )
