"""The ingest task: objects in, images with planned work out."""

from schemas.errors import PermanentError
from schemas.ledger import Claim
from schemas.pipeline import GROUPS, INGEST, MERGE
from schemas.results import Failure
from tasks.rounds import run_round
from tasks.services import Services
from workers.ingest.ingest import Ingest


def ingest(services: Services, worker: Ingest) -> None:
    """One round of ingest."""

    def do(services: Services, claims: list[Claim]) -> None:
        errors = worker.run([claim.subject for claim in claims])
        attempts = {claim.subject: claim.attempts for claim in claims}
        services.work.fail(
            [
                Failure(INGEST, id, 0, error.code, str(error), isinstance(error, PermanentError), attempts[id])
                for id, error in errors.items()
            ]
        )
        services.count(INGEST, len(claims) - len(errors), errors.values())
        for queue in (*(group.name for group in GROUPS), MERGE):
            services.wake(queue)

    run_round(services, INGEST, ((INGEST,),), do)
