"""The `nafuda` command itself: settings, logs, errors and exit codes that every subcommand shares."""

import os
import sys
from pathlib import Path

import click

from infra.settings import Settings, read_settings
from infra.telemetry.logs import start_logging
from schemas.errors import (
    ConfigurationError,
    ConflictError,
    NafudaError,
    NotFoundError,
    PermanentError,
    TransientError,
)
from tasks.cli import (
    backfill,
    events,
    images,
    index,
    models,
    operations,
    outputs,
    people,
    processes,
    review,
    rules,
    site,
)

EXIT_CODES: tuple[tuple[type[NafudaError], int], ...] = (
    (NotFoundError, 4),
    (ConfigurationError, 3),
    (ConflictError, 5),
    (PermanentError, 1),
    (TransientError, 75),  # EX_TEMPFAIL: the same command may succeed later
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="nafuda")
@click.option("--data", type=click.Path(path_type=Path), help="The data folder (NAFUDA_DATA, default ./data).")
@click.pass_context
def nafuda(context: click.Context, data: Path | None) -> None:
    """Gives every uploaded image its names: tags, boxes, ratings, flags, and a page to search them."""
    context.obj = read_settings(os.environ, alone=context.invoked_subcommand == "run", data=data)


for module in (processes, images, outputs, operations, backfill, index, events, models, review, rules, people, site):
    for command in module.COMMANDS:
        nafuda.add_command(command)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit code: 0 done, 1 refused, 2 wrong usage, 3 configuration, 4 not found,
    5 conflict, 75 try again later, 130 interrupted."""
    try:
        code = nafuda.main(args=arguments, prog_name="nafuda", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except NafudaError as error:
        click.echo(f"nafuda: {error}", err=True)
        return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), 1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def with_logs(settings: Settings) -> None:
    """Start logging as the settings say; for commands that serve."""
    start_logging(settings.log, settings.log_level)
