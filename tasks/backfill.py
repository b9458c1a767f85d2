"""Backfill: what models in force have not said of older images is planned, page by page, below live work."""

from schemas.pipeline import GROUPS
from tasks.services import Services


def backfill(services: Services, collection: str) -> int:
    """Plan what is missing of a collection; again does no harm. Returns how much work was planned."""
    planned, after = 0, 0
    while True:
        after, more = services.objects.backfill(collection, after)
        planned += more
        if not after:
            break
    if planned:
        for group in GROUPS:
            services.wake(group.name)
    return planned
