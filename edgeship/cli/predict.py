"""`edgeship predict`."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from edgeship_runtime.arrays import Array
    from edgeship_runtime.model import Model


@click.command()
@click.argument("bundle")
@click.option(
    "--data",
    required=True,
    metavar="FILE",
    help="Rows: .npz, .npy, .csv, .json, .jsonl or .parquet.",
)
@click.option("--variant", default="auto", show_default=True, metavar="NAME", help="Which form.")
@click.option("-o", "--output", metavar="FILE", help=".csv or .npz; else CSV on standard output.")
@click.option("--threads", type=click.IntRange(min=1), help="How many the engine may use.")
def predict(bundle: str, data: str, variant: str, output: str | None, threads: int | None) -> None:
    """Predict every row of a data file."""
    from edgeship_runtime import datafiles
    from edgeship_runtime.bundle import Bundle
    from edgeship_runtime.durable import replace_file
    from edgeship_runtime.model import load
    from edgeship_runtime.quiet import quiet

    if output is not None and Path(output).suffix not in (".csv", ".npz"):
        raise click.BadParameter(f"expected .csv or .npz, got {output}", param_hint="--output")
    opened = Bundle.open(bundle)
    rows = datafiles.read(data, opened.manifest.inputs, opened.manifest.label_column)
    with quiet(keep_log=False):
        model = load(opened, variant, threads)
        outputs = model.predict(rows.inputs)
    columns = _with_labels(model, outputs)
    if output is None:
        click.echo(_csv(columns), nl=False)
        return
    replace_file(Path(output), _npz(columns) if output.endswith(".npz") else _csv(columns).encode())
    count = len(next(iter(outputs.values())))
    click.echo(f"wrote {count} predictions of {model.variant.name} to {output}", err=True)


def _with_labels(model: Model, outputs: dict[str, Array]) -> dict[str, Array]:
    labels = model.labels(outputs)
    if labels is None or "label" in outputs:
        return outputs
    return {"label": labels, **outputs}


def _csv(columns: dict[str, Array]) -> str:
    import numpy as np

    header: list[str] = []
    flat: list[Array] = []
    for name, array in columns.items():
        if array.ndim == 1:
            header.append(name)
            flat.append(array)
            continue
        matrix = array.reshape(len(array), math.prod(array.shape[1:]))
        header += [f"{name}[{index}]" for index in range(matrix.shape[1])]
        flat += list(matrix.T)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    # As text, a float32 takes the fewest digits that tell it from its neighbours.
    writer.writerows(zip(*(column.astype(np.str_).tolist() for column in flat), strict=True))
    return stream.getvalue()


def _npz(columns: dict[str, Array]) -> bytes:
    import numpy as np

    stream = io.BytesIO()
    arrays: dict[str, Any] = dict(columns)
    np.savez(stream, **arrays)
    return stream.getvalue()
