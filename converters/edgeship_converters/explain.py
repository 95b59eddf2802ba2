"""What a conversion would run, without running it."""

from __future__ import annotations

from dataclasses import dataclass

from edgeship_converters.plan import Plan, make_plan
from edgeship_converters.recipe import Recipe, check_layers, load_recipes
from edgeship_converters.request import Request
from edgeship_converters.sources import open_source
from edgeship_converters.tools import releases
from edgeship_runtime.quiet import quiet


@dataclass(frozen=True, slots=True)
class Explained:
    """One step of a plan, in words.

    Attributes:
        variant: what it makes.
        start: what it is made from.
        how: the recipe, for a variant that loses precision.
        tools: distributions with their releases.
        shipped: whether the variant was asked for, or is only on the way to one that was.
    """

    variant: str
    start: str
    how: str
    tools: str
    shipped: bool


def explain(request: Request) -> tuple[list[Explained], tuple[str, ...]]:
    """The steps that `convert` would run, in order, and which variants need data to be proven.

    Without data the steps that need it are told all the same, since that is how one learns of them.

    Raises:
        EdgeshipError: where the source cannot be opened, or the plan cannot be made.
    """
    recipes = load_recipes(request.recipe)
    with quiet():
        source = open_source(request.source, **request.opening())
    plan = make_plan(source.kind, request.variants, with_data=True)
    layers = [str(layer.name) for layer in getattr(source, "layers", ())]
    check_layers(recipes, plan.variants, layers, request.recipe)
    given = request.data is not None
    needing = tuple(s.variant for s in plan.steps if s.real_rows and s.variant in plan.variants)
    return _explained(plan, recipes), () if given else needing


def _explained(plan: Plan, recipes: dict[str, Recipe]) -> list[Explained]:
    return [
        Explained(
            variant=step.variant,
            start=step.start,
            how=recipes[step.variant].words() if step.variant in recipes else "",
            tools=", ".join(f"{tool} {release}" for tool, release in releases(step.tools).items()),
            shipped=step.variant in plan.variants,
        )
        for step in plan.steps
    ]
