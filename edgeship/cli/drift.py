"""`edgeship drift`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgeship.cli import table

if TYPE_CHECKING:
    from edgeship_runtime.drift import FeatureDrift


@click.command()
@click.argument("bundle")
@click.option(
    "--data",
    required=True,
    metavar="FILE",
    help="Rows: .npz, .npy, .csv, .json, .jsonl or .parquet.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def drift(bundle: str, data: str, as_json: bool) -> None:
    """Compare rows with the training data.

    Feature by feature, with the baseline that BUNDLE was made with. No engine is needed. Missing
    values count as such; they are not refused.
    """
    import msgspec

    from edgeship_runtime import datafiles
    from edgeship_runtime.bundle import Bundle
    from edgeship_runtime.drift import Sketch, judge, load_baseline

    opened = Bundle.open(bundle)
    manifest = opened.manifest
    baseline = load_baseline(opened)
    rows = datafiles.read(data, manifest.inputs, manifest.label_column)
    sketch = Sketch(baseline)
    sketch.update(rows.inputs)
    report = judge(baseline, sketch)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(report), indent=1))
        return
    click.echo(f"{report.rows} rows against a baseline of {report.reference_rows}")
    header = ["feature", "PSI", "without drift", "missing", "out of range", "severity"]
    table.show(header, [_cells(feature) for feature in report.features])
    words = [spec.name for spec in manifest.inputs if spec.dtype == "string"]
    if words:
        click.echo(f"not watched, as these are text: {', '.join(words)}")
    click.echo(f"worst: {report.severity}")


def _cells(feature: FeatureDrift) -> list[str]:
    noise = "-"
    if feature.noise_mean is not None and feature.noise_deviation is not None:
        noise = f"{feature.noise_mean:.3f} ± {feature.noise_deviation:.3f}"
    return [
        feature.name,
        "-" if feature.psi is None else f"{feature.psi:.4f}",
        noise,
        table.share(feature.missing),
        table.share(feature.out_of_range),
        feature.severity,
    ]
