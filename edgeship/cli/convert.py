"""`edgeship convert`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgeship.cli import table
from edgeship.cli.progress import progress

if TYPE_CHECKING:
    from edgeship_runtime.bundle import Bundle, Evidence


@click.command()
@click.argument("source")
@click.option("-o", "--output", required=True, metavar="BUNDLE", help="Folder, or file.edgeship.")
@click.option("--data", metavar="FILE", help="Rows to calibrate on, ideally the training data.")
@click.option("--label-column", metavar="NAME", help="The column that holds the labels.")
@click.option("--eval-data", metavar="FILE", help="Rows to judge on, else a fifth of --data.")
@click.option("--variants", default="all", show_default=True, metavar="A,B|all", help="Which.")
@click.option("--name", help="The model's name, else the file's.")
@click.option("--version", default="1", show_default=True, help="The model's version.")
@click.option(
    "--max-drop",
    default="0.5%",
    show_default=True,
    metavar="SHARE",
    help="How much of the metric a quantized variant may lose.",
)
@click.option("--allow-pickle", is_flag=True, help="Open .joblib and .pkl, which can run code.")
def convert(  # noqa: PLR0913, PLR0917 - one argument for each option
    source: str,
    output: str,
    data: str | None,
    label_column: str | None,
    eval_data: str | None,
    variants: str,
    name: str | None,
    version: str,
    max_drop: str,
    allow_pickle: bool,
) -> None:
    """Make a bundle of proven variants.

    SOURCE is a trained model: .keras, .skops, or with --allow-pickle .joblib or .pkl.

    Data files are .npz (arrays named like the inputs, or x; labels in y), .npy, .csv with a
    header, or .parquet.
    """
    drop = _share(max_drop)
    try:
        from edgeship_converters import convert as run

        with progress() as on_step:
            bundle = run(
                source,
                output,
                data=data,
                label_column=label_column,
                eval_data=eval_data,
                variants=variants,
                name=name,
                version=version,
                allow_pickle=allow_pickle,
                max_drop=drop,
                on_step=on_step,
            )
    except ModuleNotFoundError as error:
        raise click.UsageError(
            f"converting needs {error.name}, which is not installed: "
            "pip install 'edgeship[convert]'"
        ) from error
    _summary(bundle)
    click.echo(f"wrote {output}")


def _share(text: str) -> float:
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError as error:
        raise click.BadParameter(
            f"expected a share such as 0.5% or 0.005, got {text!r}", param_hint="--max-drop"
        ) from error


def _summary(bundle: Bundle) -> None:
    click.echo(judged_on(bundle))
    table.show(*evidence_table(bundle))
    if bundle.manifest.variants[0].evidence.rows_from == "synthetic":
        click.echo("give --data for proof on real rows, quantized variants and a drift baseline")


def judged_on(bundle: Bundle) -> str:
    """Which rows, and how many, the evidence stands on."""
    evidence = bundle.manifest.variants[0].evidence
    kinds = {
        "eval-data": "the rows of --eval-data",
        "held-out": "rows held out of --data",
        "synthetic": "rows drawn at random, as no data was given",
    }
    return f"judged on {evidence.rows} rows: {kinds[evidence.rows_from]}"


def evidence_table(bundle: Bundle) -> tuple[list[str], list[list[str]]]:
    """What each variant showed against the source, as a table's header and rows."""
    metric = bundle.manifest.variants[0].evidence.metric or "metric"
    header = ["variant", "size", "largest error", "labels flipped", metric, f"source {metric}"]
    rows = []
    for variant in bundle.manifest.variants:
        evidence = variant.evidence
        rows.append(
            [
                variant.name,
                table.size(variant.bytes),
                _largest_error(evidence),
                "-" if evidence.label_flips is None else str(evidence.label_flips),
                table.share(evidence.variant_metric),
                table.share(evidence.source_metric),
            ]
        )
    return header, rows


def _largest_error(evidence: Evidence) -> str:
    if not evidence.errors:
        return "-"
    return f"{max(error.max_abs for error in evidence.errors.values()):.2g}"
