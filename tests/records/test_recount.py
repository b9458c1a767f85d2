"""The queue is empty as often as it is full: the planner must not take the one for the other for long (R61, R72)."""

from collections.abc import Iterator
from typing import Any

from infra.records.pool import session
from infra.records.sql import statement
from infra.records.work import PostgresWork
from schemas.pipeline import CAPTIONING, JUDGING
from tests.e2e.instance import wait_for
from tests.records.books import Books

MANY = 400


def filled(books: Books) -> PostgresWork:
    """The queue as it is when many images come after it was empty, and was vacuumed: its pages are still there."""
    fill = "INSERT INTO work (stage, subject, model, held) SELECT %s, n, 1, %s FROM generate_series(1, %s) AS n"
    books.sql("ALTER TABLE work SET (autovacuum_enabled = off)")  # or it is here first
    for stage, held in ((CAPTIONING, False), (JUDGING, True)):
        books.sql(fill, stage, held, MANY)
    books.sql("DELETE FROM work")
    books.sql("VACUUM (ANALYZE, TRUNCATE off) work")
    for stage, held in ((CAPTIONING, False), (JUDGING, True)):
        books.sql(fill, stage, held, MANY)
    return books.work()


def rows_expected(books: Books) -> float:
    ((count,),) = books.sql("SELECT reltuples FROM pg_class WHERE oid = 'work'::regclass")
    return float(count)


def test_statistics_of_the_empty_queue_are_replaced_once_it_is_full(books: Books) -> None:
    worker = filled(books)
    assert rows_expected(books) == 0
    wait_for(worker.recount, 20)  # sessions tell what they wrote after a while
    assert rows_expected(books) == 2 * MANY
    assert not worker.recount()


def test_what_is_let_go_is_found_once_even_by_statistics_of_the_empty_queue(books: Books) -> None:
    filled(books)
    values = {"images": list(range(1, MANY)), "holding": [JUDGING], "needed": [CAPTIONING]}
    with session(books.pool) as connection:
        plan = connection.execute(b"EXPLAIN (FORMAT JSON) " + statement("work", "release").encode(), values).fetchone()
    assert plan is not None
    found = [each for each in _nodes(plan[0][0]["Plan"]) if each.get("Subplan Name") == "CTE free"]
    assert len(found) == 1  # once for all rows; as a subquery it would be planned into the loop over them


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", []):
        yield from _nodes(below)
