"""The budget search: the first recipe, among a few, whose variant loses no more than it may."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from glob import escape

import msgspec

from edgeship_converters.artifact import Artifact
from edgeship_converters.errors import Fault, StepError
from edgeship_converters.making import Maker
from edgeship_converters.parity import Judge
from edgeship_converters.plan import Step
from edgeship_converters.prove import Proof, Prover
from edgeship_converters.recipe import Precision, Recipe
from edgeship_converters.sensitivity import Ranking, lost_variance
from edgeship_runtime.arrays import Arrays
from edgeship_runtime.bundle import Evidence

MOST_CANDIDATES = 12
# How many layers are kept in float32, from candidate to candidate.
_KEPT = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
# With less of its weights in 8 bits, a model is int8 in name only.
_LEAST_QUANTIZED = 0.5


@dataclass(frozen=True, slots=True)
class Met:
    """What came of a search.

    Attributes:
        recipe: that met the budget, or came nearest.
        artifact: made by it.
        proof: of the artifact; its fault stands where no recipe met the budget.
        tried: how many candidates were made, the plain one included.
        ranking: that the layers kept in float32 were taken from; None where none was needed.
    """

    recipe: Recipe
    artifact: Artifact
    proof: Proof
    tried: int
    ranking: Ranking | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A recipe with what it made, and what that loses on the tuning rows; less is better."""

    recipe: Recipe
    artifact: Artifact
    passes: bool
    loss: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Search:
    """All that candidates for one variant are made and judged with.

    Attributes:
        step: that makes the variant.
        start: what it starts from.
        maker: makes candidates.
        tuning: judges every candidate, on the rows that calibrate.
        prover: judges those that pass there, on rows that had no part in making them.
        rank: the ranking of the layers under a recipe.
        on_step: called with a few words before each candidate.
    """

    step: Step
    start: Artifact
    maker: Maker
    tuning: Prover
    prover: Prover
    rank: Callable[[Recipe], Ranking]
    on_step: Callable[[str], None]


def meet_budget(search: Search, plain: Recipe) -> Met:
    """Try recipes in a fixed order, and take the first whose variant is proven.

    First the recipe as it is, then the same with the other calibration, then the better of the two
    with the costliest layers kept in float32: 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, as long as half of
    the weights stay quantized. A layer whose weights would not fit is passed over.

    Only candidates that pass on the tuning rows see the rows that decide. Where none passes, the
    best is proven all the same, so that the fault names its figure on the rows that count.
    """
    tried: list[Candidate] = []
    rankings: list[Ranking] = []
    number = 0
    for number, recipe in enumerate(_recipes(search, plain, tried, rankings), 1):
        search.on_step(f"trying {search.step.variant} ({number} of ≤ {MOST_CANDIDATES})")
        candidate = _candidate(search, recipe)
        if candidate is None:
            continue
        tried.append(candidate)
        if candidate.passes:
            proof = search.prover.prove(search.step, candidate.artifact)
            if proof.fault is None:
                return Met(recipe, candidate.artifact, proof, number, _last(rankings))
    best = min(tried, key=lambda candidate: candidate.loss)
    proof = search.prover.prove(search.step, best.artifact)
    if proof.fault is not None:
        proof = replace(proof, fault=_refused(proof.fault, plain, best.recipe, number))
    return Met(best.recipe, best.artifact, proof, number, _last(rankings))


def keeping(recipe: Recipe, layers: list[str]) -> Recipe:
    """The recipe with layers, by their exact names, in float32."""
    kept: dict[str, Precision] = {escape(name): "float32" for name in layers}
    return recipe.with_layers(kept)


def _recipes(
    search: Search, plain: Recipe, tried: list[Candidate], rankings: list[Ranking]
) -> Iterator[Recipe]:
    """The recipes to try, in order, by what came of those `tried` so far."""
    yield plain
    other = "min-max" if plain.calibration == "percentile" else "percentile"
    yield msgspec.structs.replace(plain, calibration=other)
    base = min(tried, key=lambda candidate: candidate.loss).recipe if tried else plain
    ranking = search.rank(base)
    rankings.append(ranking)
    layers = _keepable(ranking, base)
    for count in _KEPT[: MOST_CANDIDATES - 2] if layers else ():
        yield keeping(base, layers[:count])
        if count >= len(layers):
            return


def _keepable(ranking: Ranking, recipe: Recipe) -> list[str]:
    """The costliest layers, as many as leave half of the weights quantized."""
    kept: list[str] = []
    for cost in ranking.layers:
        wider = keeping(recipe, [*kept, cost.layer])
        if cost.error > 0 and ranking.quantized_share(wider) >= _LEAST_QUANTIZED:
            kept.append(cost.layer)
    return kept


def _candidate(search: Search, recipe: Recipe) -> Candidate | None:
    """Made and judged on the tuning rows; None where it cannot be made or does not run."""
    try:
        artifact = search.maker.make(search.step, search.start, recipe)
    except StepError:
        return None
    proof = search.tuning.prove(search.step, artifact)
    if proof.evidence is None:
        return None
    outputs = search.tuning.outputs(search.step.variant, artifact)
    loss = _loss(search.tuning.judge, outputs, proof.evidence)
    return Candidate(recipe, artifact, proof.fault is None, loss)


def _loss(judge: Judge, outputs: Arrays, evidence: Evidence) -> tuple[float, float]:
    """What counts for the budget, then, between equals, the variance lost."""
    variance = lost_variance(judge.contract, judge.expected, outputs)
    if evidence.source_metric is not None and evidence.variant_metric is not None:
        drop = evidence.source_metric - evidence.variant_metric
        return (drop if math.isfinite(drop) else math.inf, variance)
    if evidence.label_flips is not None:
        return (evidence.label_flips / evidence.rows, variance)
    return (variance, variance)


def _refused(fault: Fault, plain: Recipe, best: Recipe, tried: int) -> Fault:
    kept = [name for name in best.layers if name not in plain.layers]
    how = f"{best.calibration} calibration"
    if kept:
        named = f"{', '.join(kept[:3])}{', …' if len(kept) > 3 else ''}"
        how += f" and {len(kept)} layer{'s' if len(kept) > 1 else ''} in float32 ({named})"
    tale = f"{tried} candidates were tried, this is the best of them, with {how}"
    return replace(fault, reason=f"{fault.reason}; {tale}")


def _last(rankings: list[Ranking]) -> Ranking | None:
    return rankings[-1] if rankings else None
