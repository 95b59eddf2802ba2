"""The `edgeship` command. Each subcommand is a file here; layers are imported when it runs."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

from edgeship import __version__
from edgeship.cli.bench import bench
from edgeship.cli.convert import convert
from edgeship.cli.drift import drift
from edgeship.cli.inspect import inspect
from edgeship.cli.predict import predict
from edgeship.cli.serve import serve
from edgeship.cli.verify import verify
from edgeship_runtime.errors import EdgeshipError

FAILED = 1
WRONG_USE = 2
INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="edgeship")
def commands() -> None:
    """Convert, prove, measure, run and watch trained models on small boards.

    A bad call leaves with exit code 2, a check that failed with 1.
    """


for command in (convert, inspect, verify, predict, drift, bench, serve):
    commands.add_command(command)


def main() -> NoReturn:
    """Run the command line; what goes wrong becomes one line on standard error and an exit code."""
    try:
        code = commands.main(prog_name="edgeship", standalone_mode=False)
        sys.stdout.flush()
    except EdgeshipError as error:
        _leave(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(WRONG_USE)
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "edgeship"
        _leave(f"{error.format_message()} (see {path} --help)", WRONG_USE)
    except (KeyboardInterrupt, click.Abort):
        _leave("interrupted, nothing was written", INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the output has left; point it at nothing, so that Python can exit quietly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        _leave(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), WRONG_USE)
    except Exception as error:
        if os.environ.get("EDGESHIP_TRACEBACK"):
            raise
        _leave(
            f"a fault of edgeship's own, {type(error).__name__}: {str(error)[:200]} "
            "(set EDGESHIP_TRACEBACK=1 to see where, and please report it)",
            FAILED,
        )
    sys.exit(code if isinstance(code, int) else 0)


def _leave(message: str, code: int) -> NoReturn:
    click.echo(f"edgeship: {' '.join(message.split())}", err=True)
    sys.exit(code)
