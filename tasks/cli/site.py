"""Commands about web sites that show our images."""

from pathlib import Path

import click

from infra.telemetry.logs import one_line
from tasks.alt_text import Site, Told, bases_of
from tasks.cli.shared import json_option, print_json, services_of

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(name="alt-text")
@click.argument("site", type=_FOLDER)
@click.option("--base", "given", multiple=True, metavar="ADDRESS=BUCKET/PREFIX", help="Where images of an address lie.")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 when a text is missing.")
@json_option
@click.pass_context
def alt_text(context: click.Context, site: Path, given: tuple[str, ...], check: bool, as_json: bool) -> int:
    """Fill missing alt attributes in the pages of SITE; `alt=""` is deliberate and stays."""
    bases = bases_of(given)
    with services_of(context) as services:
        told = Site(site, services.records, bases).fill(write=not check)
    if as_json:
        print_json(told)
    else:
        _tell(told, check)
    return 1 if check and (told.filled or told.unknown or told.skipped) else 0


def _tell(told: Told, check: bool) -> None:
    click.echo(
        f"{told.pages} pages: {told.filled} alt texts {'are missing and known' if check else 'filled in'} on "
        f"{told.changed} of them; {told.kept} were there, {told.silent} are silent on purpose, "
        f"{len(told.unknown)} are not known"
    )
    for each in told.unknown:
        click.echo(one_line(f"  {each.page}:{each.line} {each.src[:120]}: {each.reason}"))
    for line in told.skipped:
        click.echo(one_line(f"  skipped {line}"))


COMMANDS = (alt_text,)
