"""Planning backfill on PostgreSQL: pages of records, short transactions, below live work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infra.records.objects import plan
from infra.records.pool import Pool, Row, session
from infra.records.sql import statement
from schemas.backfill import Planned, Scope
from schemas.ledger import BACKFILL


@dataclass(frozen=True, slots=True)
class PostgresBackfill:
    """`schemas.backfill.BackfillLedger`."""

    pool: Pool

    def page(self, scope: Scope, after: int, limit: int = 500) -> tuple[int, Planned]:
        """Plan for the images of the next records; see the port."""
        asked = {"bucket": scope.bucket, "prefix": scope.prefix, "after": after, "limit": limit}
        rows, planned = self._planned("backfill_page", scope, asked)
        return (int(rows[-1][0]) if rows else 0), planned

    def records(self, scope: Scope, records: Sequence[int]) -> Planned:
        """Plan for certain records."""
        asked = {"bucket": scope.bucket, "prefix": scope.prefix, "records": list(records)}
        return self._planned("backfill_records", scope, asked)[1]

    def _planned(self, query: str, scope: Scope, asked: Mapping[str, object]) -> tuple[list[Row], Planned]:
        """A dry run does the same and takes it back, so that it counts what would be planned, not a guess at it."""
        with session(self.pool) as connection, connection.transaction(force_rollback=scope.dry):
            rows = connection.execute(statement("objects", query), {**asked, "collection": scope.collection}).fetchall()
            pairs = [(int(collection), int(image)) for _, image, collection, wanted in rows if wanted]
            work = plan(connection, pairs, [BACKFILL] * len(pairs), scope.models) if pairs else []
        return rows, Planned(len(set(work)), len(work))

    def cancel(self) -> int:
        """Take back what only a backfill planned; held work that waited for it is let go by the sweeper."""
        with session(self.pool) as connection:
            return len(connection.execute(statement("work", "cancel_backfill")).fetchall())

    def waiting(self) -> Mapping[str, int]:
        """What waits below live work."""
        with session(self.pool) as connection:
            return {str(stage): int(count) for stage, count in connection.execute(statement("work", "waiting"))}
