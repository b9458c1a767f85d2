"""Raw notifications, whoever sent them: parsed, written down as hints; what is not understood is kept."""

import json
from dataclasses import dataclass

from infra.events.parsing import parse
from infra.records.pool import session
from infra.records.sql import statement
from schemas.errors import BadEventError
from tasks.listen import take_in
from tasks.services import Services

_KEPT = 64 * 1024  # characters of a message that cannot be understood


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one message: hints written down, records that need no look, dead letters."""

    events: int
    ignored: int
    dead: int


def take_notification(services: Services, body: str, source: str) -> Taken:
    """Take one message in. Nothing of it is lost: it is a hint, known to need none, or a dead letter with a reason."""
    try:
        parsed = parse(body)
    except BadEventError as error:
        bury(services, source, body, str(error))
        return Taken(0, 0, 1)
    for refusal in parsed.refused:
        bury(services, source, json.dumps(refusal.body, default=str), refusal.reason)
    return Taken(take_in(services, parsed.events), len(parsed.ignored), len(parsed.refused))


def bury(services: Services, source: str, body: str, reason: str) -> None:
    """Keep a message that cannot be understood, with the reason."""
    values = {
        "source": source,
        "body": body[:_KEPT].replace("\0", "\\0"),
        "code": BadEventError.code,
        "reason": reason[:2000].replace("\0", "\\0"),
    }
    with session(services.pool) as connection:
        connection.execute(statement("rules", "dead_letter"), values)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be understood."""

    id: int
    source: str
    reason: str
    at: str
    body: str


def dead_letters(services: Services, limit: int = 100) -> list[DeadLetter]:
    """The latest ones first."""
    with session(services.pool) as connection:
        rows = connection.execute(statement("rules", "dead_letters"), {"limit": limit}).fetchall()
    return [DeadLetter(number, source, reason, at.isoformat(), body) for number, source, reason, at, body in rows]
