"""How long a connection waits for a server that says nothing: a proxy can hold a connection whose server is gone."""

import contextlib
import math
import time
from collections.abc import Generator, Iterator
from typing import TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.rows import TupleRow
from psycopg.waiting import Ready, Wait

_Result = TypeVar("_Result")
_LOOK = 0.1  # seconds between two looks at the clock


class PatientConnection(psycopg.Connection[TupleRow]):
    """One that ends over a server's silence, with OperationalError. Until told otherwise it waits for ever."""

    silence = math.inf  # seconds
    heard = -math.inf  # `time.monotonic()` when the server answered last

    def be_patient(self, seconds: float) -> None:
        """Wait so long for anything that the server says, and not longer."""
        self.silence = seconds

    def wait(self, gen: PQGen[_Result], interval: float = _LOOK, timeout: float | None = None) -> _Result:
        """See psycopg. What was asked may still be done: the connection is closed, and nothing is taken back."""
        try:
            found = super().wait(_heard(gen, self.silence), interval, timeout)
        except SilenceError:
            self.close()
            raise
        self.heard = time.monotonic()
        return found


class SilenceError(psycopg.OperationalError):
    """The server said nothing for too long."""


@contextlib.contextmanager
def patience(connection: psycopg.Connection[TupleRow], seconds: float = math.inf) -> Iterator[None]:
    """For a while, wait so long for an answer; without a number, however long it takes."""
    if not isinstance(connection, PatientConnection):
        yield
        return
    before = connection.silence
    connection.be_patient(seconds)
    try:
        yield
    finally:
        connection.be_patient(before)


def _heard(gen: PQGen[_Result], seconds: float) -> Generator[Wait, Ready | int, _Result]:
    """The same steps; SilenceError when the socket was not ready for so long."""
    last = time.monotonic()
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if ready:
                last = time.monotonic()
            elif time.monotonic() - last > seconds:
                raise SilenceError(f"the server says nothing, {seconds:.0f} s after it was asked")
            wanted = gen.send(ready)
    except StopIteration as end:
        result: _Result = end.value
        return result
