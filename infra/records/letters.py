"""Dead letters on PostgreSQL: kept with the reason, read again, forgotten in the end."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from infra.events.notices import Parsed, Refusal
from infra.records.objects import note_in
from infra.records.pool import Connection, Pool, session, transaction
from infra.records.sql import statement
from schemas.errors import BadEventError, NotFoundError
from schemas.events import DeadLetter, ObjectEvent

MOST = 256 * 1024  # characters that are kept of one: no store sends longer ones by SQS, and a broken one is no loss
_REASON = 2000  # characters
_PAGE = 500


@dataclass(frozen=True, slots=True)
class PostgresLetters:
    """What could not be understood. Whatever is written is all there or not at all."""

    pool: Pool

    def admit(self, source: str, events: Sequence[ObjectEvent], refused: Sequence[Refusal]) -> int:
        """Write the hints of messages down, and keep what of them was refused; returns how many hints."""
        with transaction(self.pool) as connection:
            _bury(connection, source, refused)
            return note_in(connection, events)

    def latest(self, limit: int = 100) -> list[DeadLetter]:
        """The latest ones first."""
        with session(self.pool) as connection:
            return [DeadLetter(*row) for row in connection.execute(statement("letters", "latest"), {"limit": limit})]

    def count(self) -> int:
        """How many there are."""
        with session(self.pool) as connection:
            row = connection.execute(statement("letters", "count")).fetchone()
        return int(row[0]) if row else 0

    def numbers(self) -> Iterator[int]:
        """All that are there now and come meanwhile, the oldest first, in bounded memory."""
        after = 0
        while True:
            with session(self.pool) as connection:
                page = connection.execute(statement("letters", "next"), {"after": after, "limit": _PAGE}).fetchall()
            if not page:
                return
            yield from (int(row[0]) for row in page)
            after = int(page[-1][0])

    def replay(self, number: int, read: Callable[[str], Parsed]) -> int | None:
        """Read one again: hints are written down and it is gone; what of it is still refused stays, for itself.

        Returns how many hints it gave, None when it was not understood. NotFoundError when there is none such (now).
        """
        with transaction(self.pool) as connection:
            row = connection.execute(statement("letters", "take"), {"id": number}).fetchone()
            if row is None:
                raise NotFoundError(f"there is no dead letter {number}; `nafuda events dead` lists them")
            source, body = map(str, row)
            try:
                parsed = read(body)
            except BadEventError as error:
                connection.execute(statement("letters", "keep"), {"id": number, "reason": _reason(body, str(error))})
                return None
            noted = note_in(connection, parsed.events)
            _bury(connection, source, parsed.refused)
            connection.execute(statement("letters", "remove"), {"ids": [number]})
            return noted

    def discard(self, numbers: Sequence[int]) -> int:
        """Forget these; returns how many there were."""
        with session(self.pool) as connection:
            return connection.execute(statement("letters", "remove"), {"ids": list(numbers)}).rowcount

    def trim(self, kept: int, older: timedelta) -> int:
        """Forget all but the latest `kept`, and what is older than that; returns how many."""
        with session(self.pool) as connection:
            return connection.execute(statement("letters", "trim"), {"kept": kept, "older": older}).rowcount


def _bury(connection: Connection, source: str, refused: Sequence[Refusal]) -> None:
    for refusal in refused:
        kept, reason = refusal.body[:MOST].replace("\0", "\\0"), _reason(refusal.body, refusal.reason)
        values = {"source": source, "body": kept, "code": BadEventError.code, "reason": reason}
        connection.execute(statement("letters", "bury"), values)


def _reason(body: str, reason: str) -> str:
    cut = f" (only its first {MOST:,} characters are kept)" if len(body) >= MOST else ""
    return reason[:_REASON].replace("\0", "\\0") + cut
