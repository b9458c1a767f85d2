"""What must be done however long a server is away: tried until it is done or the process stops, and said once."""

import logging
import random
import threading
from collections.abc import Callable

from schemas.errors import NafudaError

log = logging.getLogger(__name__)


def insist(
    do: Callable[[], object],
    waits: str,
    stop: threading.Event,
    *,
    pause: tuple[float, float] = (1, 1),
    meanwhile: Callable[[], None] = lambda: None,
) -> bool:
    """True once it is done, False when told to stop before.

    waits: what the log says of the first failure. pause: seconds between two attempts, by chance between these.
    meanwhile: called after each pause.
    """
    said = False
    while not stop.is_set():
        try:
            do()
            return True
        except NafudaError as error:
            if not said:
                log.warning("%s: %s", waits, error)
            said = True
        stop.wait(random.uniform(*pause))
        meanwhile()
    return False
