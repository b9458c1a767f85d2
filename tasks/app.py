"""The Celery app of one process: a task a queue, each a thin call, registered for the roles it plays."""

from collections.abc import Callable, Mapping

from celery import Celery

from infra.broker.config import celery_config
from schemas.errors import TransientError
from tasks.outage import Outage
from tasks.services import Services

Rounds = Mapping[str, Callable[[], None]]


def build_app(services: Services, rounds: Rounds) -> Celery:
    """An app whose tasks `nafuda.<queue>` do one round each. Build one a process: two on one app leave queues unread.

    Tasks take no arguments: a message is a hint, the work is claimed from Postgres (docs/decisions/0001).
    """
    app = Celery("nafuda", set_as_current=False)
    app.conf.update(celery_config(services.settings, consumes=True))
    for queue, run in rounds.items():
        _register(app, queue, run)
    return app


def _register(app: Celery, queue: str, run: Callable[[], None]) -> None:
    outage = Outage(f"what {queue} needs")

    @app.task(name=f"nafuda.{queue}", acks_late=True, ignore_result=True, shared=False)  # type: ignore[untyped-decorator]
    def hint() -> None:
        try:
            run()
        except TransientError as error:  # nothing is lost with a hint: while there is work, the sweeper sends others
            outage.began(error)
        else:
            outage.over()
