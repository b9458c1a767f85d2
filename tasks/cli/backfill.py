"""The command that lets the models in force speak of images that were there before them."""

from dataclasses import asdict

import click

from tasks.backfill import Asked, backfill
from tasks.cli.shared import json_option, print_json, services_of


@click.command(name="backfill")
@click.argument("where", required=False, default="")
@click.option("--missing", default="", metavar="MODEL", help="Only what this model in force has not said.")
@click.option("--collection", default="", help="Only its images; without WHERE by default the one that uploads go to.")
@click.option("--dry-run", "dry", is_flag=True, help="Say how much it would be.")
@click.option("--cancel", is_flag=True, help="Take back what only a backfill planned and nobody has begun.")
@json_option
@click.pass_context
def backfill_command(
    context: click.Context, where: str, missing: str, collection: str, dry: bool, cancel: bool, as_json: bool
) -> None:
    """Let the models in force speak of older images; live uploads go first.

    WHERE is a collection's bucket, BUCKET/PREFIX (objects there that nobody told of are taken in, too), or else a
    search query. Again does no harm. `nafuda status` shows how much waits.
    """
    if cancel and (where or missing or collection or dry):
        raise click.UsageError("--cancel takes everything back that waits; it goes with nothing else")
    with services_of(context) as services:
        if cancel:
            taken_back = services.backfill.cancel()
        else:
            name = collection or ("" if where else services.settings.collection)
            done = backfill(services, Asked(where, name, missing, dry))
    if cancel:
        _say({"cancelled": taken_back}, f"{taken_back:,} pieces of work were taken back", as_json)
        return
    would = "would be" if dry else "were"
    said = f"{done.scope}: {done.planned.work:,} pieces of work for {done.planned.images:,} images {would} planned"
    if done.objects:
        said += f"; {done.objects:,} objects that nobody had told of {would} taken in"
    _say({"scope": done.scope, **asdict(done.planned), "objects": done.objects, "dry": dry}, said, as_json)


def _say(answer: dict[str, object], text: str, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        click.echo(text)


COMMANDS = (backfill_command,)
