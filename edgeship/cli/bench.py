"""`edgeship bench`."""

from __future__ import annotations

from pathlib import Path

import click

from edgeship.cli import table
from edgeship.cli.progress import progress


@click.command()
@click.argument("bundle")
@click.option("--data", metavar="FILE", help="Rows, with labels for accuracy; else the goldens.")
@click.option("-o", "--output", metavar="DIR", help="Write report.json and report.md there.")
@click.option("--json", "as_json", is_flag=True, help="Print report.json instead of a table.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
def bench(bundle: str, data: str | None, output: str | None, as_json: bool, threads: int) -> None:
    """Measure all variants side by side.

    Size, latency, accuracy and agreement of each variant of BUNDLE that this machine can run.
    """
    import edgeship_benchmarks as benchmarks
    from edgeship_runtime import datafiles
    from edgeship_runtime.bundle import Bundle

    opened = Bundle.open(bundle)
    manifest = opened.manifest
    rows = None
    if data is not None:
        rows = datafiles.read(data, manifest.inputs, manifest.label_column)
    with progress() as shown:
        report = benchmarks.bench(
            opened,
            rows.inputs if rows else None,
            rows.labels if rows else None,
            threads=threads,
            on_step=shown.step,
        )
    written = benchmarks.write(report, Path(output)) if output is not None else ()
    if as_json:
        click.echo(benchmarks.encode(report))
        return
    header, lines, footnotes = benchmarks.cells(report)
    table.show(header, lines)
    for line in (*footnotes, *(f"wrote {path}" for path in written)):
        click.echo(line)
