"""`edgeship serve`: one model behind the Open Inference Protocol v2, until told to stop."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--variant", default="auto", show_default=True, help="Which variant answers.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--uds",
    type=click.Path(path_type=Path),
    help="Unix socket to listen on, instead of host and port.",
)
@click.option("--threads", type=click.IntRange(1), help="Threads that the engine may use.")
def serve(
    bundle: Path, variant: str, host: str, port: int, uds: Path | None, threads: int | None
) -> None:
    """Answer predictions over HTTP.

    Speaks the Open Inference Protocol v2. The model proves the bundle's goldens before it takes
    a request; SIGTERM and Ctrl-C let requests that were begun finish.
    """
    from edgeship_runtime.errors import ServeError
    from edgeship_runtime.model import load
    from edgeship_runtime.quiet import quiet

    try:
        from edgeship_runtime.serve import daemon
    except ModuleNotFoundError as error:
        if error.name not in ("uvicorn", "httptools"):
            raise
        raise ServeError(
            f"the daemon needs {error.name}, which is not installed: pip install 'edgeship[serve]'"
        ) from error

    with quiet(keep_log=False):
        model = load(bundle, variant, threads)
    name = model.bundle.manifest.name

    def announce(url: str) -> None:
        click.echo(f"serving {name} ({model.variant.name}, {model.engine.name}) on {url}")

    daemon.serve(model, host=host, port=port, uds=uds, on_ready=announce)
