"""Raw notifications, whoever sent them: parsed and written down as hints, or kept as dead letters and read again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from infra.events.notices import Parsed, Refusal
from infra.events.parsing import parse
from schemas.errors import BadEventError, NotFoundError
from schemas.pipeline import INGEST
from tasks.services import Services


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of messages: hints written down, records that need no look, dead letters."""

    events: int
    ignored: int
    dead: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of dead letters: understood now, the hints that they gave, and those that stay."""

    understood: int
    events: int
    left: int


def take_notifications(services: Services, bodies: Iterable[str], source: str) -> Taken:
    """Take messages in, all of them in one transaction.

    Nothing of one is lost: it is hints, known to need none, or a dead letter with a reason.
    """
    parsed = [_read(body) for body in bodies]
    events = [event for each in parsed for event in each.events]
    refused = [refusal for each in parsed for refusal in each.refused]
    noted = services.letters.admit(source, events, refused)
    if noted:
        services.wake(INGEST)
    return Taken(noted, sum(len(each.ignored) for each in parsed), len(refused))


def _read(body: str) -> Parsed:
    try:
        return parse(body)
    except BadEventError as error:
        return Parsed(refused=(Refusal(0, str(error), body),))


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
