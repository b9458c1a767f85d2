"""Celery's consumer, less the step that hints have no use for."""

from typing import ClassVar

from celery.worker.consumer import Consumer


class HintConsumer(Consumer):  # type: ignore[misc]
    """Sets up no delayed delivery on RabbitMQ: hints are never sent for later.

    It would declare 28 quorum queues, and call it critical when another role's queue is not there yet.
    """

    class Blueprint(Consumer.Blueprint):  # type: ignore[misc]
        """The steps."""

        default_steps: ClassVar[list[str]] = [
            step for step in Consumer.Blueprint.default_steps if not step.endswith(":DelayedDelivery")
        ]
