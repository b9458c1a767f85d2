"""Commands about people: accounts, roles, passwords, sign-in links."""

import getpass
from datetime import timedelta

import click

from infra.records.accounts import PostgresAccounts
from infra.settings import instance_note
from schemas.review import Role
from tasks.cli.shared import json_option, print_json, services_of, table

_ROLE = click.Choice([role.value for role in Role])


@click.group()
def users() -> None:
    """Who may sign in, and as what."""


@users.command(name="list")
@json_option
@click.pass_context
def list_users(context: click.Context, as_json: bool) -> None:
    """Everybody."""
    with services_of(context) as services:
        people = PostgresAccounts(services.pool).people()
    if as_json:
        print_json(people)
    else:
        table([(p.name, p.role.value, "disabled" if p.disabled else "") for p in people], ("name", "role", ""))


@users.command()
@click.argument("name")
@click.option("--role", type=_ROLE, default=Role.VIEWER.value, show_default=True)
@click.password_option()
@click.pass_context
def add(context: click.Context, name: str, role: str, password: str) -> None:
    """Make an account."""
    with services_of(context) as services:
        person = PostgresAccounts(services.pool).create(name, password, Role(role), by=_by())
    click.echo(f"{person.name} may sign in as {person.role.value}")


@users.command()
@click.argument("name")
@click.argument("role", type=_ROLE)
@click.pass_context
def role(context: click.Context, name: str, role: str) -> None:
    """Change what somebody may do; ends their sessions."""
    with services_of(context) as services:
        person = PostgresAccounts(services.pool).set_role(name, Role(role), by=_by())
    click.echo(f"{person.name} is {person.role.value} now")


@users.command()
@click.argument("name")
@click.password_option()
@click.pass_context
def password(context: click.Context, name: str, password: str) -> None:
    """Change a password; ends the person's sessions."""
    with services_of(context) as services:
        PostgresAccounts(services.pool).set_password(name, password, by=_by())
    click.echo("changed")


@users.command()
@click.argument("name")
@click.pass_context
def disable(context: click.Context, name: str) -> None:
    """Shut somebody out."""
    with services_of(context) as services:
        PostgresAccounts(services.pool).disable(name, by=_by())
    click.echo(f"{name} is shut out")


@users.command()
@click.argument("name")
@click.option("--minutes", default=60, show_default=True, type=click.IntRange(1, 1440))
@click.pass_context
def link(context: click.Context, name: str, minutes: int) -> None:
    """A link that signs NAME in once."""
    with services_of(context) as services:
        token = PostgresAccounts(services.pool).link(name, timedelta(minutes=minutes), by=_by())
        settings = services.settings
    address = instance_note(settings).get("address", f"http://{settings.web_host}:{settings.web_port}")
    click.echo(f"{address}/sign-in/link?token={token}")


def _by() -> str:
    """Who types, for the audit."""
    return f"command line ({getpass.getuser()})"


COMMANDS = (users,)
