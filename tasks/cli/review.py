"""Commands about review: the queues, what waits, deciding, and the audit."""

from datetime import timedelta

import click

from infra.records.accounts import PostgresAccounts
from infra.records.review import PostgresReviewDesk
from schemas.errors import NotFoundError
from schemas.review import Person, Verdict
from tasks.cli.shared import json_option, print_json, services_of, table
from tasks.merge import refresh
from tasks.services import Services


@click.group()
def review() -> None:
    """The moderators' queue from the command line."""


@review.command()
@json_option
@click.pass_context
def queues(context: click.Context, as_json: bool) -> None:
    """Open items by queue."""
    with services_of(context) as services:
        rows = PostgresReviewDesk(services.pool).queues()
    if as_json:
        print_json(rows)
    else:
        table([(each.queue, each.open, each.oldest or "-") for each in rows], ("queue", "open", "oldest"))


@review.command()
@click.argument("image")
@click.argument("verdict", type=click.Choice(["keep", "remove"]))
@click.option("--as", "name", required=True, help="The moderator who decides.")
@click.option("--reason", default="", help="Needed for remove.")
@click.pass_context
def decide(context: click.Context, image: str, verdict: str, name: str, reason: str) -> None:
    """Decide on what waits for IMAGE in every queue; search shows it at once."""
    with services_of(context) as services:
        person = _person(services, name)
        record = services.records.find(image)
        desk = PostgresReviewDesk(services.pool)
        items = desk.claim_record(person, record, timedelta(minutes=1))
        if not items:
            raise NotFoundError(f"nothing waits for image {record}; see `nafuda review queues`")
        for item in items:
            desk.decide(item.id, item.lease, person, Verdict(verdict), reason)
        refresh(services, [record])
    click.echo(f"image {record}: {verdict} in {', '.join(item.queue for item in items)}")


@review.command()
@click.argument("image")
@json_option
@click.pass_context
def history(context: click.Context, image: str, as_json: bool) -> None:
    """The audit of an IMAGE, oldest first."""
    with services_of(context) as services:
        events = PostgresReviewDesk(services.pool).history(services.records.find(image))
    if as_json:
        print_json(events)
    else:
        table([(e.at.isoformat(timespec="seconds"), e.actor, e.action, e.detail) for e in events],
              ("at", "who", "action", "detail"))  # fmt: skip


def _person(services: Services, name: str) -> Person:
    for person in PostgresAccounts(services.pool).people():
        if person.name == name:
            return person
    raise NotFoundError(f"nobody is called {name!r}; see `nafuda users list`")


COMMANDS = (review,)
