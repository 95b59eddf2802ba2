"""All that is settled before the first step of a conversion runs."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from edgeship_converters.artifact import Task
from edgeship_converters.cache import Cache, cache_folder
from edgeship_converters.data_lint import check_answers, check_data
from edgeship_converters.draft import Draft
from edgeship_converters.drawn_rows import answered
from edgeship_converters.errors import PlanError
from edgeship_converters.parity import Judge
from edgeship_converters.plan import Plan, make_plan
from edgeship_converters.recipe import BUILT_IN, Recipe, changed_by, check_layers, load_recipes
from edgeship_converters.remembered import RememberedSource, may_be_cached
from edgeship_converters.request import Request
from edgeship_converters.rows import Rows, check_enough, gather
from edgeship_converters.sources import default_name
from edgeship_converters.tools import tools_of
from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle import SourceInfo
from edgeship_runtime.errors import DataError
from edgeship_runtime.metrics import score

LABELS_UNUSED = (
    "the labels are not used: accuracy and R² are taken of one output that is a score by class or "
    "a value, as the loss the model was compiled with tells"
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A conversion that is ready to run.

    Attributes:
        source: the model.
        plan: the steps.
        recipes: by variant.
        rows: that calibrate and judge.
        judge: with the source's answers.
        task: what every step is given.
        draft: of the bundle, without variants yet.
        cache: where outcomes are kept.
        warnings: what is wrong with the data.
    """

    source: RememberedSource
    plan: Plan
    recipes: dict[str, Recipe]
    rows: Rows
    judge: Judge
    task: Task
    draft: Draft
    cache: Cache
    warnings: tuple[str, ...]


def prepare(request: Request) -> Prepared:
    """Load, read and check whatever the request names.

    Raises:
        EdgeshipError: where anything is not as it must be.
    """
    version = _check_name("version", request.version)
    if request.sensitivity and request.data is None:
        raise PlanError("sensitivity is measured on real rows: give --data")
    recipes = load_recipes(request.recipe)
    cache = Cache(cache_folder() if may_be_cached(request) else None)
    name = _check_name("name", request.name or default_name(request.source))
    source = RememberedSource(request, cache)
    cache = source.cache
    plan = make_plan(source.kind, request.variants, with_data=request.data is not None)
    check_layers(recipes, plan.variants, source.facts.layers, request.recipe)
    most = max(recipe.rows for recipe in recipes.values())
    rows = gather(
        source.contract,
        request.data,
        request.eval_data,
        request.label_column,
        most,
        source.facts.known,
    )
    if rows.rows_from == "synthetic":
        judged = answered(rows.contract, source.facts.known, source.predict)
        rows = replace(rows, judged=judged)
    try:
        check_enough(rows, plan)
        warnings = check_data(source, rows, plan, cache)
    except DataError as error:
        if not source.facts.classical or not plan.may_leave_out:
            raise
        # Of these models the exact form is what most come for.
        plan = replace(make_plan(source.kind, request.variants, with_data=False), without_data=())
        told = f"smaller forms are not made, for want of rows to quantize with: {error}"
        warnings = (told, *check_data(source, rows, plan, cache))
    warnings = (*source.facts.warnings, *warnings)
    expected = source.predict(rows.judged)
    _check_finite(expected)
    judge = Judge(
        rows.contract, rows.judged, expected, rows.truth, rows.rows_from, request.max_drop
    )
    warnings += (*check_answers(rows, expected), *_unused(request, plan, rows, judge))
    for warning in warnings:
        request.on_warning(warning)
    draft = Draft(
        name=name,
        version=version,
        label_column=request.label_column,
        contract=rows.contract,
        source=SourceInfo(kind=source.kind, sha256=source.sha256),
        tools=tools_of(plan.steps, source.facts.tools),
    )
    # For trials; which rows become goldens shows when all variants have answered.
    draft.set_goldens(_first(rows.judged), _first(expected))
    task = Task(
        name,
        rows.contract,
        rows.calibration,
        layers=source.facts.layers,
        classical=source.facts.classical,
        io=request.io,
    )
    return Prepared(source, plan, recipes, rows, judge, task, draft, cache, warnings)


def _unused(request: Request, plan: Plan, rows: Rows, judge: Judge) -> tuple[str, ...]:
    """What the user gave and nothing uses."""
    found = []
    unused = [name for name in changed_by(request.recipe) if name not in plan.variants]
    if unused and request.recipe not in BUILT_IN:
        found.append(
            f"the recipe {request.recipe} is about {', '.join(unused)} too, which is not made"
        )
    if request.io == "int8" and "tflite-int8" not in plan.variants:
        found.append("--io int8 is about tflite-int8, which is not made")
    if rows.truth is not None and score(rows.contract, judge.expected, rows.truth) is None:
        found.append(LABELS_UNUSED)
    return tuple(found)


def _check_finite(expected: dict[str, Array]) -> None:
    for name, array in expected.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            rows = int((~np.isfinite(array)).reshape(len(array), -1).any(axis=1).sum())
            raise DataError(
                f"the source model itself gives NaN or infinite values in output {name!r} for "
                f"{rows} of {len(array)} rows: nothing can be proven on these, give others"
            )


def _first(arrays: dict[str, Array]) -> dict[str, Array]:
    return {name: array[:1] for name, array in arrays.items()}


def _check_name(what: str, given: str) -> str:
    if not _NAME.fullmatch(given):
        raise PlanError(
            f"the {what} {given!r} cannot be used: expected up to 64 letters, digits, '.', '_' "
            "and '-', the first a letter or digit"
        )
    return given
