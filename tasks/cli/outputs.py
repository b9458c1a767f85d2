"""Commands that tell a record in another form: a character's attributes, tags for sale."""

import click

from schemas.characters import character_document
from schemas.record import Record
from tasks.cli.shared import json_option, print_json, services_of, table
from tasks.services import Services
from workers.merging.scores import market_tags


@click.command()
@click.argument("image")
@json_option
@click.pass_context
def character(context: click.Context, image: str, as_json: bool) -> None:
    """Tell the attributes of the character in IMAGE: age, gender, hair, eyes, dress, expression, accessories."""
    with services_of(context) as services:
        found = _record(services, image)
    if as_json:
        print_json(character_document(found.character))
        return
    table(
        [(each.attribute, each.value, f"{each.confidence:.2f}", each.source) for each in found.character.traits],
        ("attribute", "value", "confidence", "because of"),
    )


@click.command()
@click.argument("image")
@json_option
@click.pass_context
def market(context: click.Context, image: str, as_json: bool) -> None:
    """Tell which tags of IMAGE are for sale, by confidence and market weight, and why others are left out."""
    with services_of(context) as services:
        found = _record(services, image)
        choice = market_tags(found, services.rules.current().scoring)
    if as_json:
        print_json(choice)
        return
    rows = [(each.tag.name, f"{each.worth:.3f}", each.reason) for each in (*choice.kept, *choice.dropped)]
    table(rows, ("tag", "worth", "left out because"))


def _record(services: Services, image: str) -> Record:
    return services.records.record(services.records.find(image))


COMMANDS = (character, market)
