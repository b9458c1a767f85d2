"""What the ledgers know of a content, and forgetting all of it in one transaction, on PostgreSQL."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from infra.records.pool import Connection, Pool, session, transaction
from infra.records.sql import statement
from schemas.errors import NotFoundError

Places = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class KnownContent:
    """A content as the ledgers know it. places, beside: (bucket, key) of its objects, of tag files beside only them."""

    image: int
    sha256: str
    bytes: int
    records: tuple[int, ...]
    places: Places
    beside: Places


@dataclass(frozen=True, slots=True)
class PostgresErasure:
    """Forgets contents."""

    pool: Pool

    def content(self, record: int) -> KnownContent:
        """What is to be forgotten with a record. NotFoundError when there is no such record."""
        with session(self.pool) as connection:
            row = connection.execute(statement("erasure", "content"), {"record": record}).fetchone()
            if row is None:
                raise NotFoundError(f"there is no record {record}")
            which = {"image": row[0]}
            records = connection.execute(statement("erasure", "records"), which).fetchall()
            places = _places(connection, "places", row[0])
            beside = _places(connection, "beside", row[0])
        return KnownContent(
            int(row[0]), str(row[1]), int(row[2]), tuple(int(each[0]) for each in records), places, beside
        )

    def forget(self, image: int, emptied: Sequence[tuple[str, str]], index: Callable[[Sequence[int]], None]) -> int:
        """Forget an image, its records, and the rows of places that hold nothing now; returns how many results went.

        index: forgets records in the search index, before this is committed: a failure there undoes everything here, so
        that the image can still be named when it is tried again.
        """
        values: dict[str, object] = {
            "image": image,
            "buckets": [bucket for bucket, _ in emptied],
            "keys": [key for _, key in emptied],
        }
        with transaction(self.pool) as connection:
            # Objects, image, work, records: the order of ingest and of those who store results.
            rows = connection.execute(statement("erasure", "lock_objects"), values).fetchall()
            values["objects"] = [row[0] for row in rows]
            connection.execute(statement("erasure", "lock_image"), values)
            connection.execute(statement("erasure", "drop_work"), values)
            records = [
                int(row[0]) for row in connection.execute(statement("erasure", "drop_records"), values).fetchall()
            ]
            connection.execute(statement("erasure", "drop_objects"), values)
            gone = connection.execute(statement("erasure", "drop_image"), values).fetchone()
            connection.execute(statement("erasure", "tell"), {"records": records})
            connection.execute(statement("erasure", "erased_now"), {"records": records})
            index(records)
        return int(gone[0]) if gone else 0

    def erased(self, older: timedelta) -> dict[int, bool]:
        """Records that were erased of late → whether that was longer ago than `older`."""
        with session(self.pool) as connection:
            rows = connection.execute(statement("erasure", "erased"), {"older": older}).fetchall()
        return {int(record): bool(old) for record, old in rows}

    def let_go(self, records: Sequence[int]) -> None:
        """Know no more that these were erased."""
        with session(self.pool) as connection:
            connection.execute(statement("erasure", "let_go"), {"records": list(records)})


def _places(connection: Connection, query: str, image: int) -> Places:
    rows = connection.execute(statement("erasure", query), {"image": image}).fetchall()
    return tuple((str(bucket), str(key)) for bucket, key in rows)
