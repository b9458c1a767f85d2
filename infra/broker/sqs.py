"""kombu's SQS transport, mended where a poll that fails would have been the last one of its queue."""

import logging
import random
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError
from kombu.asynchronous.aws.sqs.connection import AsyncSQSConnection
from kombu.transport import SQS

log = logging.getLogger(__name__)
_LONGEST = 30.0  # seconds between polls that fail
_Connection: Any = AsyncSQSConnection  # none of them is typed
_Channel: Any = SQS.Channel
_Transport: Any = SQS.Transport


class PatientConnection(_Connection):  # type: ignore[misc]
    """A poll that fails brings nothing, instead of an error that nobody catches."""

    failed = 0  # polls, one after another

    def _on_list_ready(self, parent: object, markers: object, operation: str, response: Any) -> Mapping[str, Any]:
        try:
            found = super()._on_list_ready(parent, markers, operation, response)
            reason = f"HTTP {response.status}"
        except Exception as error:  # noqa: BLE001 - kombu raises nothing narrower
            found, reason = None, str(error)
        if isinstance(found, Mapping):
            self.failed = 0
            return found
        if not self.failed:
            log.warning("no hints come from SQS; trying again: %s", reason)
        self.failed += 1
        return {}


class Channel(_Channel):  # type: ignore[misc]
    """Asks again after a failure, less and less often."""

    _asynsqs: Any = None

    def asynsqs(self, queue: str | None = None) -> Any:
        """The one connection that polls."""
        if self._asynsqs is None:
            self._asynsqs = PatientConnection(sqs_connection=self.sqs(queue=queue), region=self.region)
        return self._asynsqs

    def _loop1(self, queue: str, messages_fetched: int | None = None) -> None:
        failed = self._asynsqs.failed if self._asynsqs else 0
        if not failed:
            super()._loop1(queue, messages_fetched)
            return
        pause = random.uniform(0.5, 1) * min(_LONGEST, 2.0 ** min(failed, 5))
        self.hub.call_later(pause, self._schedule_queue, queue)


class Transport(_Transport):  # type: ignore[misc]
    """The same with that channel. A refusal is an outage too: it is waited for, instead of ending the worker."""

    Channel = Channel
    connection_errors = (*_Transport.connection_errors, ClientError)
