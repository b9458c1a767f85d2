"""A round: what a worker does on a hint. Claim, work, commit, wake whoever comes next."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from enum import Enum, auto
from functools import partial

from infra.telemetry.logs import logging_with
from schemas.errors import TransientError
from schemas.ledger import BACKFILL, LIVE, Claim
from schemas.pipeline import take_answers
from tasks.services import Services

log = logging.getLogger(__name__)
_AGAIN = timedelta(seconds=1)
_ALONE = timedelta(seconds=2)


class _Found(Enum):
    WORK = auto()
    NOTHING = auto()
    NO_ROOM = auto()


def run_round(
    services: Services, queue: str, chunks: Sequence[Sequence[str]], do: Callable[[Services, list[Claim]], None]
) -> None:
    """Work for a moment on subjects that a process died over, one alone at a time; then on a chunk of what is ready.

    chunks: stages that are claimed together; each gets one. What is wanted now has chunks of its own, whenever there
    is any; backfill takes the places that `Room` leaves it, but for what is done in a moment.
    """
    services.work.taken(queue)
    found = [_part(services, queue, stages, do) for stages in chunks]
    if _Found.WORK in found:
        # What came back meanwhile (a later hint on the same object) was not ready when its own hint arrived.
        if services.work.ready([stage for stages in chunks for stage in stages]):
            services.wake(queue)
    elif _Found.NO_ROOM not in found:
        services.work.drained(queue)


def _part(services: Services, queue: str, stages: Sequence[str], do: Callable[[Services, list[Claim]], None]) -> _Found:
    if services.work.suspects(stages):
        _suspects(services, queue, stages, do)
    with services.gate.together():
        latest = BACKFILL if take_answers(stages) else LIVE
        if claims := services.work.claim(stages, services.settings.chunk, latest):
            _chunk(services, queue, claims, services.settings.chunk, do)
            return _Found.WORK
        return _Found.NOTHING if latest == BACKFILL else _backfilled(services, queue, stages, do)


def _backfilled(
    services: Services, queue: str, stages: Sequence[str], do: Callable[[Services, list[Claim]], None]
) -> _Found:
    """Work on a share of a chunk that may wait, unless others are at as much as there may be."""
    with services.room.place(queue, stages) as place:
        if not place.share:
            return _Found.NO_ROOM
        claims = services.work.claim(stages, place.share, BACKFILL)
        place.taken = len({claim.subject for claim in claims})
        if claims:
            _chunk(services, queue, claims, place.share, do)
    for waiting in services.room.refused():
        services.wake(waiting)
    return _Found.WORK if claims else _Found.NOTHING


def _chunk(
    services: Services, queue: str, claims: list[Claim], most: int, do: Callable[[Services, list[Claim]], None]
) -> None:
    """When the chunk is full there may be more: the next hint is sent before the work starts, so that others join."""
    if len({claim.subject for claim in claims}) >= most:
        services.wake(queue)
    _timed(services, queue, claims, do)


def _suspects(
    services: Services, queue: str, stages: Sequence[str], do: Callable[[Services, list[Claim]], None]
) -> None:
    """One after the other with nothing beside them, but not so long that normal work starves."""
    until = time.monotonic() + _ALONE.total_seconds()
    with services.gate.alone():
        while time.monotonic() < until:
            alone = services.work.claim_suspect(stages)
            if not alone:
                return
            _timed(services, queue, alone, do)
    services.wake(queue)


def _timed(services: Services, queue: str, claims: list[Claim], do: Callable[[Services, list[Claim]], None]) -> None:
    """Nothing of a chunk stays claimed by a process that lives: it has ended, failed, or is given back."""
    started = time.perf_counter()
    subjects = ",".join(str(subject) for subject in sorted({claim.subject for claim in claims}))
    try:
        with logging_with(queue=queue, subjects=subjects):
            do(services, claims)
    except TransientError as error:
        log.warning("a chunk waits: %s", error, extra={"queue": queue, "subjects": subjects})
        _surely(partial(services.work.abandon, claims))
    except Exception as error:  # whatever it is, each image is tried alone and then named
        log.exception("a chunk failed", extra={"queue": queue, "subjects": subjects})
        _surely(partial(services.work.blame, claims, f"{type(error).__name__}: {error}"))
    finally:
        services.metrics.rounds.labels(queue).observe(time.perf_counter() - started)


def _surely(write: Callable[[], None]) -> None:
    """Write it, however long the ledger is away: nobody frees a claim whose worker lives."""
    waits = False
    while True:
        try:
            return write()
        except TransientError as error:
            if not waits:
                log.warning("claims wait to be given back: %s", error)
            waits = True
            time.sleep(_AGAIN.total_seconds())
