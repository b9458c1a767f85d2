"""What waits in the queues for one person: escalated items are for admins only."""

from collections.abc import Sequence
from dataclasses import replace

from schemas.review import QueueCount, Role
from schemas.services import WebServices
from web.access import Visit


def queues_for(services: WebServices, visit: Visit) -> Sequence[QueueCount]:
    """The queues with the items that this person may take; `open` leaves out what they may not."""
    found = services.desk.queues()
    if visit.person.role.includes(Role.ADMIN):
        return found
    return [replace(queue, open=queue.open - queue.escalated) for queue in found]
