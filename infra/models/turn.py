"""One pull of a model at a time on a models folder, however the last one ended."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def turn(folder: Path, model: str, say: Callable[[str], None]) -> Iterator[None]:
    """Wait, and say so, until no other process pulls this model here; the kernel lets go when a process dies.

    What lies in the folder may be another's work by then: read manifests inside. The file stays, because whoever
    removes it would let two in, one on the old file and one on a new one.
    """
    place = folder / ".partial" / f"{model.replace('/', '--')}.lock"
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another pull of {model} is running; waiting")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
