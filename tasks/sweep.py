"""The sweeper: frees what dead workers held, and sends hints for work that nobody was told of."""

import contextlib
import logging
import threading
import time
from datetime import timedelta

from schemas.errors import ConfigurationError, ConflictError, NafudaError, TransientError
from tasks.index import prepare_index
from tasks.loops import keep
from tasks.reconcile import compare_by_schedule
from tasks.services import Services
from tasks.watch import Watch

log = logging.getLogger(__name__)
PERIOD = timedelta(seconds=1)
LONG_PERIOD = timedelta(seconds=5)  # for what looks at much
FORGETTING = timedelta(seconds=30)
LATE = timedelta(minutes=15)  # beside one request's time-out: how late a document of an erased record may be written
HELD = 5_000  # images at a time: a backfill of a library holds as many as there are
LETTERS = 10_000  # at most 2.5 GB
LETTERS_AGE = timedelta(days=30)


def sweep_once(services: Services) -> None:
    """Wake queues with ready work."""
    services.work.recount()
    for queue in services.work.overdue():
        services.send(queue)


def trim_letters(services: Services) -> None:
    """Dead letters are bounded: by number, should somebody send nothing else, and by age."""
    forgotten = services.letters.trim(LETTERS, LETTERS_AGE)
    if forgotten:
        log.warning("forgot %d dead letters: the latest %d of %s stay", forgotten, LETTERS, LETTERS_AGE)


def keep_index(services: Services) -> str:
    """Make a search index that is not there, and have it filled. Returns what only an operator can mend, or "".

    It asks the server although it is away: who writes fails while the index is lost, and begins the next pause as soon
    as one ends. After it, see `index_outage.pause` for how long it should be left alone.
    """
    try:
        prepare_index(services)
        services.index_outage.over()
    except TransientError as error:
        services.index_outage.began(error)
    except (ConfigurationError, ConflictError) as error:
        return str(error)
    return ""


def forget_erased(services: Services) -> None:
    """Have the index forget records again that were erased of late.

    Whoever had read them before, to index them or to fill a new index, may write their documents afterwards, and end
    before taking them back. An index that is away is left alone: they are kept until it has forgotten them.
    """
    erased = services.erasure.erased(LATE + services.settings.search_timeout)
    if not erased or services.index_outage.paused():
        return
    try:
        services.index.forget(list(erased))
    except TransientError as error:
        services.index_outage.began(error)
        return
    if old := [record for record, is_old in erased.items() if is_old]:
        services.erasure.let_go(old)


def run_sweeper(services: Services, stop: threading.Event) -> None:
    """Sweep until told to stop. Beside it buckets are compared, which takes minutes for a million keys, and the dead
    are looked for, whose claims must be freed however long a broker or an index takes to say nothing."""
    over = threading.Event()
    for name, loop in (("compare", compare_by_schedule), ("dead", free_the_dead)):
        threading.Thread(target=keep, args=(loop, services, over), name=name, daemon=True).start()
    try:
        _sweep(services, stop)
    finally:
        over.set()


def _sweep(services: Services, stop: threading.Event) -> None:
    """An outage is said once."""
    look, trouble, held = time.monotonic(), "", 0
    keeping = forgetting = look
    away = False
    while not stop.is_set():
        try:
            sweep_once(services)
            if time.monotonic() >= look:
                trim_letters(services)
                held = services.work.let_go(held, HELD)
                look = time.monotonic() + LONG_PERIOD.total_seconds()
            if time.monotonic() >= keeping:
                keeping = time.monotonic() + LONG_PERIOD.total_seconds()
                told, trouble = trouble, keep_index(services)
                keeping = max(keeping, time.monotonic() + services.index_outage.pause)
                if trouble and trouble != told:
                    log.error("the search index: %s", trouble)
            if time.monotonic() >= forgetting:
                forgetting = time.monotonic() + FORGETTING.total_seconds()
                forget_erased(services)
            away = False
        except NafudaError as error:
            if not away:
                log.warning("the sweeper waits: %s", error)
            away = True
        stop.wait(PERIOD.total_seconds())


def free_the_dead(services: Services, stop: threading.Event) -> None:
    """Free what dead workers held, until told to stop. An outage is told by the heartbeat."""
    watch = Watch(services.settings.silent)
    while not stop.is_set():
        with contextlib.suppress(TransientError):
            if freed := services.work.sweep(services.settings.silent, watch.judges):
                log.warning("freed %d claims of workers that ended", freed)
        stop.wait(PERIOD.total_seconds())


def run_heartbeat(services: Services, stop: threading.Event) -> None:
    """Say that this process lives, so that its claims hold."""
    outage = services.database_outage
    while not stop.is_set():
        try:
            services.work.beat()
            outage.over()
        except NafudaError as error:
            outage.began(error)
        stop.wait(services.settings.heartbeat.total_seconds())
