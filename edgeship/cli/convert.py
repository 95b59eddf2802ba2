"""`edgeship convert`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeship.cli import table
from edgeship.cli.progress import progress
from edgeship.cli.sensitivity import show_sensitivity
from edgeship_runtime.errors import EdgeshipError

if TYPE_CHECKING:
    from edgeship_converters.convert import Conversion
    from edgeship_converters.request import Request
    from edgeship_converters.study import Studied
    from edgeship_runtime.bundle import Bundle, Evidence


@click.command()
@click.argument("source")
@click.option("-o", "--output", metavar="BUNDLE", help="Folder, or file.edgeship.")
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
    help="How much of the metric a quantized variant may lose; one row at least, unless it is 0.",
)
@click.option(
    "--io",
    type=click.Choice(["float", "int8"]),
    default="float",
    show_default=True,
    help="What tflite-int8 takes and gives.",
)
@click.option("--recipe", metavar="FILE|NAME", help="How to quantize: TOML, or a built-in name.")
@click.option(
    "--sensitivity",
    is_flag=True,
    help="Rank layers by what quantizing each costs; keep some in float where int8 must have it.",
)
@click.option("--report", metavar="FILE.html", help="Write what was shown as a page.")
@click.option("--explain", is_flag=True, help="Print what would run, and stop.")
@click.option("--no-cache", is_flag=True, help="Do all work anew.")
@click.option("--allow-pickle", is_flag=True, help="Open .joblib and .pkl, which can run code.")
@click.option(
    "--custom-objects",
    multiple=True,
    metavar="MODULE:ATTR",
    help="A layer or function of your own; its module is imported. May be repeated.",
)
@click.option(
    "--trust",
    multiple=True,
    metavar="TYPE",
    help="A type in a .skops file that you vouch for. May be repeated.",
)
@click.option(
    "--converter",
    "converters",
    multiple=True,
    metavar="CLASS=MODULE:FUNCTION",
    help="To ONNX, for a step of your own in a scikit-learn model. May be repeated.",
)
@click.option(
    "--inputs",
    type=click.Choice(["auto", "matrix", "columns"]),
    default="auto",
    show_default=True,
    help="Of a scikit-learn model: one matrix x, or an input for each column.",
)
@click.option("--signature", metavar="NAME", help="Of a SavedModel, else serving_default.")
def convert(
    output: str | None,
    max_drop: str,
    report: str | None,
    explain: bool,
    no_cache: bool,
    **options: Any,
) -> None:
    """Make a bundle of proven variants.

    SOURCE is a trained model: .keras, .h5, a SavedModel folder, .skops, .onnx, LightGBM's .txt,
    XGBoost's .json or .ubj, or with --allow-pickle .joblib or .pkl.

    Data files are .npz (arrays named like the inputs, or x; labels in y), .npy, .csv with a
    header, .json or .jsonl records, or .parquet.
    """
    if output is None and not explain:
        raise click.UsageError("expected -o BUNDLE, a folder or a file.edgeship")
    drop = _share(max_drop)
    if report is not None:
        _check_report(report)
    try:
        from edgeship_converters.convert import carry_out
        from edgeship_converters.request import Request
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    studied: list[Studied] = []
    try:
        with progress() as shown:
            request = Request(
                max_drop=drop,
                cache=not no_cache,
                on_step=shown.step,
                on_warning=shown.warn,
                on_study=studied.append,
                **options,
            )
            if explain:
                return _explain(request)
            conversion = carry_out(request, str(output))
        _summary(conversion)
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    except EdgeshipError as error:
        for study in studied if report is not None else ():
            _report_missed(str(report), options, error, study)
        raise
    finally:
        # A model that misses its budget is when the ranking is wanted most.
        for study in studied:
            show_sensitivity(study)
    click.echo(f"wrote {output}")
    if report is not None:
        from edgeship_converters.report import write_report

        write_report(report, conversion)
        click.echo(f"wrote {report}")
    return None


def _report_missed(
    report: str, options: dict[str, Any], error: EdgeshipError, study: Studied
) -> None:
    from edgeship_converters.report import write_study
    from edgeship_converters.sources import default_name

    write_study(report, options["name"] or default_name(options["source"]), str(error), study)
    click.echo(f"wrote {report}")


def _check_report(path: str) -> None:
    """Refuse, before any work is done, what no page can be written to."""
    folder = Path(path).absolute().parent
    while not folder.exists():
        folder = folder.parent
    fault = None
    if not path.endswith((".html", ".htm")):
        fault = f"expected a file that ends in .html, got {path!r}"
    elif not folder.is_dir() or not os.access(folder, os.W_OK):
        fault = f"{path!r} cannot be written: {str(folder)!r} is no folder that you may write to"
    if fault is not None:
        raise click.BadParameter(fault, param_hint="--report")


def _missing(error: ModuleNotFoundError) -> click.UsageError:
    return click.UsageError(
        f"converting needs {error.name}, which is not installed: pip install 'edgeship[convert]'"
    )


def _explain(request: Request) -> None:
    from edgeship_converters.explain import explain

    steps, without_data = explain(request)
    header = ["variant", "from", "how", "tools"]
    rows = [
        [
            step.variant if step.shipped else f"({step.variant})",
            step.start,
            step.how or "as it is",
            step.tools,
        ]
        for step in steps
    ]
    table.show(header, rows, right=False)
    if any(not step.shipped for step in steps):
        click.echo("in brackets: made on the way, not shipped")
    if without_data:
        click.echo(f"only with --data, which must prove them: {', '.join(without_data)}")


def _needs_data(without_data: tuple[str, ...]) -> None:
    if without_data:
        click.echo(f"left out without --data, which must prove them: {', '.join(without_data)}")


def _share(text: str) -> float:
    wrong = click.BadParameter(
        f"expected a share from 0 to below 100%, such as 0.5% or 0.005, got {text!r}",
        param_hint="--max-drop",
    )
    try:
        share = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError as error:
        raise wrong from error
    if not 0 <= share < 1:
        raise wrong
    return share


def _summary(conversion: Conversion) -> None:
    from edgeship_converters.prepare import LABELS_UNUSED

    bundle = conversion.bundle
    click.echo(judged_on(bundle))
    table.show(*evidence_table(bundle))
    show_boundary(bundle)
    _needs_data(conversion.without_data)
    evidence = bundle.manifest.variants[0].evidence
    unlabelled = evidence.metric is None and evidence.rows_from != "synthetic"
    if unlabelled and LABELS_UNUSED not in conversion.warnings:
        click.echo("no accuracy without labels: an array y, or the one that --label-column names")
    if conversion.left_out:
        click.echo(f"left out, see above: {', '.join(conversion.left_out)}")


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


def show_boundary(bundle: Bundle) -> None:
    """What became of rows right at the boundaries between classes, where exact forms were asked."""
    told: dict[int, list[str]] = {}
    for variant in bundle.manifest.variants:
        found = variant.evidence.boundary
        if not found or variant.precision != "float32":
            continue
        words = f"{variant.name} to {found.label_flips}"
        if found.widest_gap is not None:
            words += f" (the source's two best scores within {found.widest_gap:.1g})"
        told.setdefault(found.rows, []).append(words)
    for rows, each in told.items():
        click.echo(
            f"of {rows} rows drawn one step of float32 beside the boundary between two classes, "
            f"the other side's label is given by {', by '.join(each)}"
        )


def _largest_error(evidence: Evidence) -> str:
    if not evidence.errors:
        return "-"
    return f"{max(error.max_abs for error in evidence.errors.values()):.2g}"
