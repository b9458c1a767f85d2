"""What commands share: services for one command, output as text or JSON, a yes before something is lost."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum

import click
import numpy as np

from infra.settings import Settings
from infra.telemetry.logs import one_line
from tasks.services import Services

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts (docs/cli.md).")


@contextmanager
def services_of(context: click.Context, roles: tuple[str, ...] = ()) -> Iterator[Services]:
    """The services of one command, closed after it."""
    settings = context.find_root().obj
    assert isinstance(settings, Settings)
    services = Services(settings, roles)
    try:
        yield services
    finally:
        services.close()


def print_json(value: object) -> None:
    """One line of JSON; dataclasses become objects, times ISO 8601, durations seconds."""
    click.echo(json.dumps(plain(value), ensure_ascii=False))


def plain(value: object) -> object:
    """A value made of what JSON knows."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(each) for name, each in asdict(value).items()}
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes):
        return [plain(each) for each in value]
    return value


def table(rows: Sequence[Sequence[object]], header: Sequence[str]) -> None:
    """Columns, aligned; what a stranger wrote cannot steer the terminal."""
    cells = [list(map(str, header)), *([one_line(str(cell)) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    for row in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
