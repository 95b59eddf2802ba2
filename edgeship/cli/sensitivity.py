"""What `edgeship convert --sensitivity` found, as a table with bars and a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgeship.cli import table

if TYPE_CHECKING:
    from edgeship_converters.sensitivity import Ranking
    from edgeship_converters.study import Studied

_SHOWN = 15
_WIDTH = 24
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def show_sensitivity(studied: Studied) -> None:
    """Print the costliest layers, and the recipe of each variant that needed one of its own."""
    if studied.ranking is not None:
        _show_ranking(studied.ranking)
    for variant, met in studied.met.items():
        if met.proof.fault is None:
            from edgeship_converters.recipe_toml import recipe_toml

            click.echo(
                f"\n{variant} missed the budget as it was; of {met.tried} candidates the last met "
                "it.\nIts recipe, for a file to give with --recipe:\n"
            )
            click.echo(recipe_toml(variant, met.recipe))


def _show_ranking(ranking: Ranking) -> None:
    finite = [cost.error for cost in ranking.layers if cost.error < float("inf")]
    worst = max(finite, default=0.0)
    click.echo(
        f"\nwhat quantizing one layer alone costs: {ranking.variant}, on {ranking.rows} "
        "calibration rows"
    )
    table.show(
        ["layer", "variance lost", "SQNR", "labels flipped", "weights", ""],
        [
            [
                cost.layer,
                "fails" if cost.fault else f"{cost.error:.2g}",
                "-" if cost.fault else f"{cost.sqnr:.1f} dB",
                table.share(cost.flips),
                table.size(cost.weights),
                bar(cost.error / worst if worst else 0.0),
            ]
            for cost in ranking.layers[:_SHOWN]
        ],
    )
    for cost in ranking.layers:
        if cost.fault:
            click.echo(f"{cost.layer} fails: {cost.fault}")
    if len(ranking.layers) > _SHOWN:
        click.echo(f"… and {len(ranking.layers) - _SHOWN} more")


def bar(share: float) -> str:
    """A bar of block characters, 24 wide for a share of 1 or more.

    >>> bar(0.5).rstrip(), len(bar(0.5)), bar(0.0).strip()
    ('████████████', 24, '')
    """
    eighths = round(min(share, 1.0) * _WIDTH * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(_WIDTH)
