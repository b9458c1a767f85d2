"""Commands about rules: vocabulary, thresholds, policies and scoring, each in versions."""

import getpass
import tomllib
from pathlib import Path

import click

from schemas.errors import PermanentError
from schemas.pipeline import MERGE
from schemas.policies import parse_policies
from schemas.rules import RuleKind
from schemas.scoring import parse_scoring
from schemas.vocabulary import parse_vocabulary
from tasks.cli.shared import print_json, services_of

_KIND = click.Choice([kind.value for kind in RuleKind])


@click.group()
def rules() -> None:
    """Vocabulary, thresholds, policies and scoring; a new version is in force at once, for old images too."""


@rules.command()
@click.argument("kind", type=_KIND)
@click.pass_context
def show(context: click.Context, kind: str) -> None:
    """Print the version in force as JSON."""
    with services_of(context) as services:
        current = services.rules.fresh()
    print_json(getattr(current, kind))


@rules.command(name="set")
@click.argument("kind", type=_KIND)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def set_rules(context: click.Context, kind: str, file: Path) -> None:
    """Make FILE (TOML) the next version."""
    text, by = file.read_text("utf-8"), getpass.getuser()
    with services_of(context) as services:
        if kind == RuleKind.VOCABULARY:
            version = services.rules.set_vocabulary(parse_vocabulary(text, file.name), by)
        elif kind == RuleKind.POLICIES:
            version = services.rules.set_policies(parse_policies(text, file.name), by)
        elif kind == RuleKind.SCORING:
            version = services.rules.set_scoring(parse_scoring(text, file.name), by)
        else:
            version = services.rules.set_thresholds(_thresholds(text, file.name), by)
        services.wake(MERGE)
    click.echo(f"{kind} version {version} is in force")


def _thresholds(text: str, name: str) -> dict[str, float]:
    """`"general" = 0.4`, `"general:smile" = 0.6`, `"MODEL/general" = 0.3`: shares from 0 to 1."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PermanentError(f"{name}: not TOML: {error}") from None
    for key, value in document.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise PermanentError(f"{name}: {key} = {value!r}: a threshold is a number from 0 to 1")
    return {key: float(value) for key, value in document.items()}


COMMANDS = (rules,)
