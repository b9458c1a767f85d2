"""The task of a group of stages: images in, raw results out."""

from schemas.ledger import Claim
from schemas.pipeline import MERGE, Group, group_of
from tasks.rounds import run_round
from tasks.services import Services
from workers.analysis.analysis import Analysis


def analyse(services: Services, group: Group, worker: Analysis) -> None:
    """One round of a group's stages."""

    def do(services: Services, claims: list[Claim]) -> None:
        results, failures = worker.run(claims)
        freed = services.results.store(results) | services.work.fail(failures)
        services.count(group.name, len(results), failures)
        for queue in {MERGE if stage == MERGE else group_of(stage).name for stage in freed}:
            services.wake(queue)

    run_round(services, group.name, group.chunks, do)
