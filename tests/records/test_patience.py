"""A server that is there and says nothing is given up by us; nobody else would (R71)."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest

from infra.records.patience import PatientConnection
from infra.records.pool import Pool, long_transaction, open_pool, session
from schemas.errors import TransientError


@pytest.fixture
def impatient(database: str) -> Iterator[Pool]:
    """A pool of one, whose connection is given up after a second of silence."""
    pool = open_pool(database, size=1, name="test", statement_timeout=timedelta(seconds=0.5))
    yield pool
    pool.close()


@contextmanager
def stopped(process: int) -> Iterator[None]:
    """The process that serves a connection stands still: the kernel takes what is sent, and nobody answers."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def test_a_statement_that_nobody_answers_ends_as_an_outage_and_the_pool_goes_on(impatient: Pool) -> None:
    with (
        pytest.raises(TransientError, match="says nothing, 1 s"),
        session(impatient) as connection,
        stopped(connection.info.backend_pid),
    ):
        connection.execute("SELECT 1")
    with session(impatient) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_connection_that_fell_silent_while_nobody_used_it_is_replaced(impatient: Pool) -> None:
    with session(impatient) as connection:
        first = connection.info.backend_pid
        assert isinstance(connection, PatientConnection)
    connection.heard -= 2  # seconds
    with stopped(first), session(impatient) as connection:
        assert connection.info.backend_pid != first


def test_a_connection_that_answered_just_now_is_used_without_asking(impatient: Pool, database: str) -> None:
    asked = "SELECT query FROM pg_stat_activity WHERE pid = %s"
    with session(impatient) as connection:
        connection.execute("SELECT 'mine'")
        mine = connection.info.backend_pid
    with session(impatient), psycopg.connect(database) as other:  # it is the pool's only one
        assert other.execute(asked, (mine,)).fetchone() == ("SELECT 'mine'",)


def test_what_takes_its_time_is_waited_for(impatient: Pool) -> None:
    with long_transaction(impatient) as connection:
        connection.execute("SET LOCAL statement_timeout = 0")
        assert connection.execute("SELECT pg_sleep(1.5)").fetchone() == ("",)
    with session(impatient) as connection:
        assert isinstance(connection, PatientConnection) and connection.silence == 1.0
