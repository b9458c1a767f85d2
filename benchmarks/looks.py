"""Looks at a run that cost the cores next to nothing, as they are measured meanwhile."""

import psycopg


def idle(database: psycopg.Connection) -> bool:
    """Whether no work is pending: one look at a partial index."""
    row = database.execute("SELECT NOT EXISTS (SELECT FROM work WHERE state = 'pending')").fetchone()
    assert row is not None
    return bool(row[0])


def searchable(database: psycopg.Connection) -> int:
    """How many complete images the search index has in their last revision. Reads all records: for an idle machine."""
    row = database.execute(
        "SELECT count(*) FROM records r JOIN index_state i ON i.record = r.id AND i.indexed = i.revision"
        " WHERE r.status = 'complete' AND r.dirty = r.merged"
    ).fetchone()
    assert row is not None
    return int(row[0])


def published(database: psycopg.Connection) -> bool:
    """Whether the search index has every record as the last merge left it. Reads all records: for an idle machine."""
    row = database.execute(
        "SELECT NOT EXISTS (SELECT FROM records r LEFT JOIN index_state i ON i.record = r.id"
        " WHERE r.dirty <> r.merged OR i.indexed IS DISTINCT FROM i.revision OR i.record IS NULL)"
    ).fetchone()
    assert row is not None
    return bool(row[0])
