"""Images that are alike, on PostgreSQL: by tags and look everywhere, by vectors where pgvector is installed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import psycopg

from infra.records.patience import patience
from infra.records.pool import Pool, Row, session
from infra.records.sql import statement
from infra.search.postgres.paging import hit_of, surest
from infra.search.postgres.prepared import scope_of
from infra.search.postgres.tally import Tally
from schemas.errors import PermanentError
from schemas.results import Floats
from schemas.search import Viewer
from schemas.search.similar import Alike, QueryVector, above

CANDIDATES = 4_000  # documents that are compared by their tags
BITS = 10  # of 64 that may differ in near duplicates
_SPARE = 4  # times as many neighbours are fetched as are shown, and again: some are hidden from the viewer
_FARTHEST = 1_000  # neighbours; the index gives no more
_ABSENT = (
    "this PostgreSQL has no pgvector, so vectors are kept but not searched; install the extension `vector` on the "
    "server and run `nafuda migrate` again"
)
_FORBIDDEN = "the extension `vector` needs a superuser once: CREATE EXTENSION vector; then run `nafuda migrate`"


@dataclass
class PostgresSimilar:
    """`schemas.search.similar.SimilarImages`."""

    pool: Pool
    _tally: Tally = field(default_factory=Tally)
    _lacking: str | None = None

    def by_tags(self, record: int, limit: int, viewer: Viewer) -> tuple[Alike, ...]:
        """Rare tags count more; see the port."""
        return self._alike("alike_tags", viewer, {"record": record, "limit": limit, "candidates": CANDIDATES})

    def by_look(self, record: int, limit: int, viewer: Viewer) -> tuple[Alike, ...]:
        """Near duplicates; see the port."""
        return self._alike("alike_look", viewer, {"record": record, "limit": limit, "bits": BITS})

    def by_vector(self, record: int, limit: int, viewer: Viewer) -> tuple[Alike, ...]:
        """The nearest pictures of the newest space that this one is in, a sample's only for want of others."""
        if self.lacking():
            return ()
        with session(self.pool) as connection:
            row = connection.execute(statement("similar", "vector_of"), {"record": record}).fetchone()
        return self._near(row[0], row[1], limit, viewer, record) if row else ()

    def by_text(self, wanted: QueryVector, limit: int, viewer: Viewer) -> tuple[Alike, ...]:
        """Pictures close to a text. PermanentError when vectors cannot be searched here."""
        if self.lacking():
            raise PermanentError(self.lacking(), code="no-vectors")
        values = {"model": wanted.model, "revision": wanted.revision}
        with session(self.pool) as connection:
            row = connection.execute(statement("similar", "space_of"), values).fetchone()
        return self._near(row[0], wanted.vector.tolist(), limit, viewer, floor=wanted.floor) if row else ()

    def lacking(self) -> str:
        """Looked up once: an extension that is added later is seen after a restart."""
        if self._lacking is None:
            with session(self.pool) as connection:
                here, available = _vectors(connection.execute(statement("similar", "has_vectors")).fetchone())
            self._lacking = "" if here else _FORBIDDEN if available else _ABSENT
        return self._lacking

    def open_space(self, space: int, width: int) -> str:
        """Make the index of a model's vectors of this width; returns why it could not be done, or ""."""
        with session(self.pool) as connection:
            here, available = _vectors(connection.execute(statement("similar", "has_vectors")).fetchone())
            if not here and not available:
                return _ABSENT
            try:
                if not here:
                    connection.execute(statement("similar", "add_vectors"))
                with patience(connection), connection.transaction():
                    connection.execute(statement("similar", "take_time"))
                    connection.execute(statement("similar", "open_space"), {"space": space, "width": width})
            except psycopg.errors.InsufficientPrivilege:
                return _FORBIDDEN
        self._lacking = None
        return ""

    def _near(
        self,
        space: int,
        vector: Sequence[float] | Floats,
        limit: int,
        viewer: Viewer,
        record: int = 0,
        floor: float = -1.0,
    ) -> tuple[Alike, ...]:
        values = {"space": space, "vector": list(vector), "record": record, "limit": limit}
        reach = _SPARE * (limit + 1)
        while True:
            found = self._alike("alike_vector", viewer, {**values, "reach": min(reach, _FARTHEST)})
            close = above(floor, found)
            if len(found) >= limit or len(close) < len(found) or reach >= _FARTHEST:
                return close  # what lies behind is farther still
            reach *= _SPARE

    def _alike(self, query: str, viewer: Viewer, values: Mapping[str, object]) -> tuple[Alike, ...]:
        with session(self.pool) as connection:
            rows = connection.execute(statement("similar", query), {**values, **scope_of(viewer)}).fetchall()
            named = [surest(row[-2], row[-1], self._tally, connection) for row in rows]
        return tuple(Alike(hit_of(row, tags), round(float(row[0]), 4)) for row, tags in zip(rows, named, strict=True))


def _vectors(row: Row | None) -> tuple[bool, bool]:
    assert row is not None
    return bool(row[0]), bool(row[1])
