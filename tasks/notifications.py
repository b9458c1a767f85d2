"""Raw notifications, whoever sent them: parsed and written down as hints, or kept as dead letters and read again."""

from collections.abc import Sequence
from dataclasses import dataclass

from infra.events.parsing import parse
from schemas.errors import BadEventError, NotFoundError
from schemas.pipeline import INGEST
from tasks.services import Services


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one message: hints written down, records that need no look, dead letters."""

    events: int
    ignored: int
    dead: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of dead letters: understood now, the hints that they gave, and those that stay."""

    understood: int
    events: int
    left: int


def take_notification(services: Services, body: str, source: str) -> Taken:
    """Take one message in. Nothing of it is lost: it is a hint, known to need none, or a dead letter with a reason."""
    try:
        parsed = parse(body)
    except BadEventError as error:
        services.letters.bury(source, body, str(error))
        return Taken(0, 0, 1)
    noted = services.letters.admit(source, parsed)
    if noted:
        services.wake(INGEST)
    return Taken(noted, len(parsed.ignored), len(parsed.refused))


def replay(services: Services, numbers: Sequence[int] = ()) -> Replayed:
    """Read dead letters again, all or these, each in one transaction: after an upgrade, or once a source is mended.

    Those that somebody else replays at the same moment are passed over. NotFoundError names one that is not there.
    """
    given: list[int | None] = []
    for number in numbers or list(services.letters.numbers()):
        try:
            given.append(services.letters.replay(number, parse))
        except NotFoundError:
            if numbers:
                raise
    events = sum(each or 0 for each in given)
    if events:
        services.wake(INGEST)
    return Replayed(len(given) - given.count(None), events, given.count(None))
