"""Commands for the search index: compare it with the records, make it anew, go back."""

import click

from tasks.cli.shared import json_option, print_json, services_of, table
from tasks.index import check_index
from tasks.rebuild import drop, editions, rebuild, roll_back

_SHOWN = 10  # ids named in a line


@click.group()
def index() -> None:
    """The search index: check it, make it anew, go back."""


@index.command()
@click.option("--repair", is_flag=True, help="Write what is missing, remove what is foreign.")
@json_option
@click.pass_context
def check(context: click.Context, repair: bool, as_json: bool) -> int:
    """Compare the index with the records. Exit code 1 when they differ and were not repaired."""
    with services_of(context) as services:
        found = check_index(services, repair=repair)
        behind, lag = services.indexing.lag()
    if as_json:
        print_json({"differences": found, "behind": behind, "lag": lag})
    else:
        click.echo(f"{found.compared:,} records compared, {behind:,} wait for the index")
        for name, records in (("missing", found.missing), ("foreign", found.foreign)):
            named = ", ".join(map(str, records[:_SHOWN])) + (", …" if len(records) > _SHOWN else "")
            click.echo(f"{len(records):,} {name}" + (f": {named}" if records else ""))
        if repair and (found.missing or found.foreign):
            click.echo("repaired")
    return 0 if repair or not (found.missing or found.foreign) else 1


@index.command(name="rebuild")
@click.pass_context
def rebuild_command(context: click.Context) -> None:
    """Make the index anew beside the old one, check it, and search it; nothing stops meanwhile (OpenSearch)."""
    with services_of(context) as services:
        made = rebuild(services, click.echo)
    click.echo(f"{made.name} is searched; `nafuda index rollback` goes back")


@index.command()
@click.argument("name", default="")
@click.pass_context
def rollback(context: click.Context, name: str) -> None:
    """Search the edition before again, or the one called NAME; it was kept up all the time (OpenSearch)."""
    with services_of(context) as services:
        chosen = roll_back(services, name)
    click.echo(f"{chosen.name} is searched")


@index.command(name="editions")
@json_option
@click.pass_context
def editions_command(context: click.Context, as_json: bool) -> None:
    """List the editions of the index (OpenSearch)."""
    with services_of(context) as services:
        found = editions(services)
    if as_json:
        print_json(found)
    else:
        marks = [(each.name, "yes" if each.read else "", "yes" if each.written else "") for each in found]
        table(marks, ("edition", "searched", "written"))


@index.command(name="drop")
@click.argument("name")
@click.pass_context
def drop_command(context: click.Context, name: str) -> None:
    """Remove the edition NAME, which is not searched (OpenSearch)."""
    with services_of(context) as services:
        drop(services, name)
    click.echo(f"{name} is removed")


COMMANDS = (index,)
