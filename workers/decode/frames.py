"""Length-prefixed messages over a pipe, with a deadline on the reading side."""

import os
import select
import time

_HEADER = 4


def send(descriptor: int, message: bytes) -> None:
    """Write one message. BrokenPipeError when nobody reads any more."""
    rest = memoryview(len(message).to_bytes(_HEADER, "big") + message)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def receive(descriptor: int, most: int, deadline: float | None = None) -> bytes:
    """Read one message of at most `most` bytes; deadline is on the monotonic clock.

    EOFError when the other side is gone, TimeoutError after the deadline, ValueError for a message too long.
    """
    length = int.from_bytes(_exactly(descriptor, _HEADER, deadline), "big")
    if length > most:
        raise ValueError(f"a message of {length:,} bytes where at most {most:,} are allowed")
    return _exactly(descriptor, length, deadline)


def _exactly(descriptor: int, count: int, deadline: float | None) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        if deadline is not None:
            _wait(descriptor, deadline)
        part = os.read(descriptor, count - len(parts))
        if not part:
            raise EOFError("the other side closed the pipe")
        parts += part
    return bytes(parts)


def _wait(descriptor: int, deadline: float) -> None:
    left = deadline - time.monotonic()
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if left <= 0 or not poll.poll(left * 1000):
        raise TimeoutError("no answer in time")
