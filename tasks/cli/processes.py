"""Commands that stay: run, worker, listen, web; and what prepares a database for them."""

import click

from infra.settings import Settings
from infra.telemetry.logs import start_logging
from tasks.cli.shared import services_of
from tasks.prepare import prepare as prepare_database
from tasks.roles import ROLES
from tasks.run import Options
from tasks.run import run as run_everything
from tasks.worker import run_worker


@click.command()
@click.option("--data", "folder", type=click.Path(), help="The data folder; made when missing.")
@click.option("--port", type=click.IntRange(0, 65535), help="The port of the pages; the next one when taken.")
@click.option("--samples/--no-samples", default=True, help="Draw sample images into the bucket, where there are none.")
@click.option("--samples-count", default=200, show_default=True, type=click.IntRange(1, 100_000))
@click.pass_context
def run(context: click.Context, folder: str | None, port: int | None, samples: bool, samples_count: int) -> int:
    """Start everything on this machine: database, workers, pages. Ctrl-C stops it."""
    settings: Settings = context.find_root().obj
    changes = {name: value for name, value in (("data", folder), ("web_port", port)) if value is not None}
    settings = Settings.model_validate({**settings.model_dump(), **changes})
    start_logging(settings.log, "WARNING" if settings.log_level == "INFO" else settings.log_level)
    options = Options(samples=samples_count if samples else 0)
    return run_everything(settings, options, click.echo)


@click.command()
@click.argument("roles", nargs=-1, required=True, type=click.Choice(ROLES))
@click.pass_context
def worker(context: click.Context, roles: tuple[str, ...]) -> int:
    """Work in one or more ROLES until SIGTERM, then drain."""
    return _work(context, roles)


@click.command()
@click.pass_context
def listen(context: click.Context) -> int:
    """Follow the buckets: the same as `nafuda worker listen`."""
    return _work(context, ("listen",))


@click.command()
@click.pass_context
def web(context: click.Context) -> int:
    """Serve the pages and the API."""
    from tasks.serve import serve

    with services_of(context, ("web",)) as services:
        start_logging(services.settings.log, services.settings.log_level)
        return serve(services)


@click.command()
@click.pass_context
def migrate(context: click.Context) -> None:
    """Prepare the database: migrations, first rules, the models in force. Again does no harm."""
    with services_of(context) as services:
        start_logging(services.settings.log, services.settings.log_level)
        for line in prepare_database(services):
            click.echo(line)


@click.command(hidden=True)
@click.option("--count", default=200, show_default=True, type=click.IntRange(0))
@click.pass_context
def samples(context: click.Context, count: int) -> None:
    """Draw sample images into the bucket."""
    from tasks.samples import put_samples

    with services_of(context) as services:
        start_logging(services.settings.log, services.settings.log_level)
        click.echo(f"{put_samples(services, count)} samples put into {services.settings.bucket}")


def _work(context: click.Context, roles: tuple[str, ...]) -> int:
    with services_of(context, tuple(dict.fromkeys(roles))) as services:
        start_logging(services.settings.log, services.settings.log_level)
        return run_worker(services)


COMMANDS = (run, worker, listen, web, migrate, samples)
