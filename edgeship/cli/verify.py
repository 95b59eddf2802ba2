"""`edgeship verify`."""

from __future__ import annotations

import click

from edgeship.cli import table


@click.command()
@click.argument("bundle")
@click.option("--variant", metavar="NAME", help="Only this one.")
def verify(bundle: str, variant: str | None) -> None:
    """Check hashes and run the goldens.

    First every hash of BUNDLE, then its goldens on this machine's engines.

    Leaves with exit code 1 if anything is not as the manifest says, if a variant answers
    otherwise than the source model did, or if no variant can be run here.
    """
    from edgeship_runtime.bundle import Bundle
    from edgeship_runtime.errors import EngineMissingError, SelfTestError
    from edgeship_runtime.model import load
    from edgeship_runtime.quiet import quiet
    from edgeship_runtime.selftest import run_goldens

    opened = Bundle.open(bundle)
    manifest = opened.manifest
    variants = manifest.variants if variant is None else (manifest.variant(variant),)
    click.echo(f"{len(manifest.files)} files have the size and SHA-256 that the manifest states")
    rows, failed, ran = [], [], 0
    for spec in variants:
        try:
            with quiet(keep_log=False):
                result = run_goldens(load(opened, spec.name))
        except EngineMissingError as missing:
            rows.append([spec.name, "-", "-", "-", "not run"])
            click.echo(f"{missing}", err=True)
            continue
        ran += 1
        if not result.passed:
            failed.append(f"{spec.name} is {result.error:.3g} off in {result.worst_output!r}")
        rows.append(
            [
                spec.name,
                result.engine,
                f"{result.error:.2g}",
                f"{result.tolerance:.2g}",
                "ok" if result.passed else "WRONG",
            ]
        )
    header = ["variant", "engine", "largest error", "tolerance", f"{manifest.goldens.rows} goldens"]
    table.show(header, rows)
    if failed:
        raise SelfTestError(
            f"{'; '.join(failed)}: this machine's engine computes wrongly, "
            "use another variant or another release of the engine"
        )
    if not ran:
        raise SelfTestError("no variant could be run here: install an engine for one of them")
