"""The connection pool, and the translation of PostgreSQL's errors into our two kinds."""

import contextlib
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolTimeout

from infra.records.patience import PatientConnection, patience
from schemas.errors import PermanentError, TransientError

Connection = psycopg.Connection[TupleRow]
Pool = ConnectionPool[PatientConnection]
Row = tuple[Any, ...]
# Seconds for a connection. So long the pool doubles its pauses between attempts (1, 2, 4), then begins anew with who
# asks next. With its own 5 minutes a server that came back was noticed a minute later; with less, nobody tries while
# those who asked wait.
_WAITED = 10.0
_RETRY = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.LockNotAvailable,
)
_CHECK = timedelta(seconds=10)  # for a connection to answer before it is used again
_FRESH = timedelta(seconds=1)  # so long after an answer it may be used without


def given_up_after(silence: timedelta) -> dict[str, int]:
    """Parameters of a connection that the kernel gives up once the server was not heard of for so long.

    A server that a network swallows neither answers nor ends the connection. One that is there and stands still does
    not count: its kernel answers for it.
    """
    seconds = int(silence.total_seconds())
    each = max(1, seconds // 4)
    probes = {"keepalives_idle": each, "keepalives_interval": each, "keepalives_count": 3}
    return {**probes, "tcp_user_timeout": seconds * 1000}


def open_pool(
    conninfo: str,
    *,
    size: int,
    name: str,
    statement_timeout: timedelta = timedelta(seconds=30),
    silence: timedelta = timedelta(seconds=20),
) -> Pool:
    """A pool whose sessions speak UTC and give up on a statement, or on a silent server, after a while.

    Connections open on demand. silence: until the kernel gives a server up; one that says nothing for twice the time of
    a statement, as behind a proxy that holds the connection, is given up by us.
    """
    silent = 2 * statement_timeout.total_seconds()
    millis = int(statement_timeout.total_seconds() * 1000)
    pool: Pool = ConnectionPool(
        conninfo,
        connection_class=PatientConnection,
        min_size=0,
        max_size=size,
        kwargs={
            "autocommit": True,
            "application_name": f"nafuda {name}",
            "connect_timeout": 5,
            **given_up_after(silence),
            "options": f"-c TimeZone=UTC -c statement_timeout={millis} -c lock_timeout={millis // 2}"
            " -c idle_in_transaction_session_timeout=60000",
        },
        timeout=_WAITED,
        reconnect_timeout=_WAITED,
        max_idle=300,
        configure=lambda connection: connection.be_patient(silent),
        check=_check,
        open=False,
        name=name,
    )
    pool.open(wait=False)
    return pool


def _check(connection: PatientConnection) -> None:
    """Raises where the server does not answer. One that answered just now is not asked: that is a trip for each use."""
    if time.monotonic() - connection.heard < _FRESH.total_seconds():
        return
    with patience(connection, min(_CHECK.total_seconds(), connection.silence)):
        ConnectionPool.check_connection(connection)


@contextlib.contextmanager
def session(pool: Pool) -> Iterator[Connection]:
    """A connection in autocommit mode; use `connection.transaction()` for more than one statement.

    Raises TransientError when the server is away, restarts, or a lock or deadlock got in the way; PermanentError
    (code "bad-value") for a value that it cannot hold, as a text with a NUL.
    """
    try:
        with pool.connection() as connection:
            yield connection
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, *_RETRY) as error:
        raise TransientError(f"PostgreSQL: {error}", code="database") from error
    except psycopg.DataError as error:
        said = str(error).partition("\n")[0]
        raise PermanentError(f"a value that cannot be stored or compared: {said}", code="bad-value") from error


@contextlib.contextmanager
def transaction(pool: Pool) -> Iterator[Connection]:
    """One transaction: all of it or nothing."""
    with session(pool) as connection, connection.transaction():
        yield connection


@contextlib.contextmanager
def long_transaction(pool: Pool) -> Iterator[Connection]:
    """One whose statements are waited for however long they take, once it has lifted the server's own limits, too."""
    with session(pool) as connection, patience(connection), connection.transaction():
        yield connection
