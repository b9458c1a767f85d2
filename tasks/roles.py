"""Roles: what a worker process may be asked to be, and the parts that each role opens and closes."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from schemas.errors import ConfigurationError
from schemas.pipeline import GROUPS, INGEST, MERGE
from tasks.analyse import analyse
from tasks.ingest import ingest
from tasks.merge import merge_dirty
from tasks.models import Active, answering, load_active, programs, register, with_batchers
from tasks.services import Services
from tasks.watchdog import watched
from workers.analysis.analysis import Analysis, AnswerModel, LoadedModel
from workers.batching.turns import Turns
from workers.decode.limits import DecodeLimits
from workers.decode.pool import DecodePool
from workers.fetching import Several
from workers.ingest.ingest import Ingest

log = logging.getLogger(__name__)
COMPUTING = frozenset((INGEST, *(group.name for group in GROUPS)))
QUEUE_ROLES = (INGEST, *(group.name for group in GROUPS), MERGE)
LOOP_ROLES = ("listen", "sweep", "encode")
ROLES = (*QUEUE_ROLES, *LOOP_ROLES)


def check_roles(roles: tuple[str, ...]) -> None:
    """ConfigurationError for a role that does not exist."""
    for role in roles:
        if role not in ROLES:
            raise ConfigurationError(f"there is no role {role!r}; roles are {', '.join(ROLES)}")


@contextmanager
def open_rounds(services: Services) -> Iterator[dict[str, Callable[[], None]]]:
    """What each queue of this process's roles does; parts are closed, batchers drained, when this ends."""
    rounds: dict[str, Callable[[], None]] = {}
    with ExitStack() as stack:
        groups = [group for group in GROUPS if group.name in services.roles]
        services.inputs.takers = max(1, len(groups))
        stages = {stage for group in groups for stage in group.stages}
        registered: dict[int, Active] = register(services, load_active(services, stages)) if groups else {}
        if groups or INGEST in services.roles:
            decoder = DecodePool(services.settings.decoders, _limits(services))
            stack.callback(decoder.close)
            several = Several(1 if services.settings.s3_endpoint is None else services.settings.requests)
            stack.callback(several.close)
        if INGEST in services.roles:
            worker = Ingest(
                services.store,
                services.derived,
                services.objects,
                decoder,
                services.inputs,
                programs(registered),
                several,
                services.settings.max_bytes,
            )
            rounds[INGEST] = partial(ingest, services, worker)
        turns = Turns(max(1, (os.cpu_count() or 1) // services.settings.threads))
        for group in groups:
            models = _started(services, with_batchers(registered, group.stages, turns), stack)
            work = _analysis(services, models, answering(registered, group.stages), decoder, several)
            rounds[group.name] = partial(analyse, services, group, work)
        if MERGE in services.roles:
            rounds[MERGE] = partial(merge_dirty, services)
        yield rounds


def _started(services: Services, models: dict[int, LoadedModel], stack: ExitStack) -> dict[int, LoadedModel]:
    """The models, watched; `stack` ends their batchers."""
    for model in models.values():
        stack.callback(model.batcher.close)
    stack.enter_context(watched(models.values(), services.settings.model_timeout))
    return models


def _analysis(
    services: Services,
    models: dict[int, LoadedModel],
    answering: dict[int, AnswerModel],
    decoder: DecodePool,
    several: Several,
) -> Analysis:
    return Analysis(
        services.store,
        services.objects,
        decoder,
        services.inputs,
        models,
        several,
        services.settings.max_bytes,
        answering=answering,
        results=services.results,
    )


def _limits(services: Services) -> DecodeLimits:
    return DecodeLimits(max_bytes=services.settings.max_bytes, max_pixels=services.settings.max_pixels)
