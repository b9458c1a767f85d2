"""Commands about events: taking a recorded notification in, and what becomes of those that were not understood."""

from typing import TextIO

import click

from tasks.cli.shared import json_option, print_json, services_of, table
from tasks.notifications import replay as replay_letters
from tasks.notifications import take_notifications


@click.group()
def events() -> None:
    """Raw storage notifications and dead letters."""


@events.command()
@click.argument("file", type=click.File("r", encoding="utf-8"), default="-")
@json_option
@click.pass_context
def take(context: click.Context, file: TextIO, as_json: bool) -> int:
    """Take one notification in from FILE or standard input, as if its store had sent it."""
    with services_of(context) as services:
        taken = take_notifications(services, [file.read()], "cli")
    if as_json:
        print_json(taken)
    else:
        click.echo(f"{taken.events} hints written down, {taken.ignored} need none, {taken.dead} dead letters")
    return 1 if taken.dead else 0


@events.command()
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
@json_option
@click.pass_context
def dead(context: click.Context, limit: int, as_json: bool) -> None:
    """Messages that could not be understood, the latest first."""
    with services_of(context) as services:
        letters = services.letters.latest(limit)
    if as_json:
        print_json(letters)
    else:
        table([(each.id, each.at, each.source, each.reason) for each in letters], ("id", "at", "source", "reason"))


@events.command()
@click.argument("ids", type=int, nargs=-1)
@json_option
@click.pass_context
def replay(context: click.Context, ids: tuple[int, ...], as_json: bool) -> int:
    """Read dead letters again, all or IDS: those that are understood now become hints and are gone."""
    with services_of(context) as services:
        done = replay_letters(services, ids)
    if as_json:
        print_json(done)
    else:
        click.echo(f"{done.understood} understood, {done.events} hints written down, {done.left} left")
    return 1 if done.left else 0


@events.command()
@click.argument("ids", type=int, nargs=-1, required=True)
@json_option
@click.pass_context
def discard(context: click.Context, ids: tuple[int, ...], as_json: bool) -> None:
    """Forget dead letters for good."""
    with services_of(context) as services:
        removed = services.letters.discard(ids)
    if as_json:
        print_json({"removed": removed})
    else:
        click.echo(f"{removed} forgotten")


COMMANDS = (events,)
