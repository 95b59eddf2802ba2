"""`edgeship inspect`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgeship.cli import table

if TYPE_CHECKING:
    from edgeship_runtime.bundle import InputSpec, OutputSpec, QuantizedTensor


@click.command()
@click.argument("bundle")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest.")
def inspect(bundle: str, as_json: bool) -> None:
    """Show what a bundle holds.

    The contract, variants and evidence of BUNDLE; no engine is needed.
    """
    from edgeship.cli.convert import evidence_table, judged_on, show_boundary
    from edgeship_runtime.bundle import Bundle
    from edgeship_runtime.bundle.manifest import encode

    opened = Bundle.open(bundle)
    manifest = opened.manifest
    if as_json:
        click.echo(encode(manifest), nl=False)
        return
    click.echo(f"{manifest.name} {manifest.version}, {manifest.task}, from {manifest.source.kind}")
    for spec in manifest.inputs:
        click.echo(f"  input   {_line(spec)}{_features(spec)}")
    for output in manifest.outputs:
        click.echo(f"  output  {_line(output)}, {output.role}")
    if manifest.classes is not None:
        shown = ", ".join(str(label) for label in manifest.classes[:10])
        more = len(manifest.classes) - 10
        click.echo(f"  classes {shown}{f' and {more} more' if more > 0 else ''}")
    click.echo(f"  drift baseline {'yes' if manifest.baseline else 'no'}")
    click.echo(f"  sha256 {opened.sha256}")
    click.echo(judged_on(opened))
    table.show(*evidence_table(opened))
    show_boundary(opened)
    for variant in manifest.variants:
        for way, held in (
            ("takes", variant.quantization.inputs),
            ("gives", variant.quantization.outputs),
        ):
            for name, tensor in held.items():
                click.echo(f"{variant.name} {way} {name} as {_quantized(tensor)}")


def _quantized(tensor: QuantizedTensor) -> str:
    """What an integer of a quantized input or output stands for."""
    sign = "-" if tensor.zero_point > 0 else "+"
    return f"{tensor.dtype}: {tensor.scale:g} x (number {sign} {abs(tensor.zero_point)})"


def _line(spec: InputSpec | OutputSpec) -> str:
    shape = " x ".join("n" if size is None else str(size) for size in spec.shape)
    return f"{spec.name}  {spec.dtype}  {shape}"


def _features(spec: InputSpec) -> str:
    names = spec.feature_names
    if not names:
        return ""
    return f"  ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})"
