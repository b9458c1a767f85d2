"""A queue of Amazon SQS, or of a server that speaks as it does: raw notifications, by long polling."""

import json
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent import futures
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any, cast

from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.aws import client
from schemas.errors import TransientError
from schemas.events import QueueState

_WAIT = 20  # seconds of a poll: the longest that SQS allows, so the fewest requests
_BATCH = 10  # messages of a poll: the most that SQS gives
_HIDDEN = 60  # seconds in which nobody else gets what we got; `hold` renews them
_RENEW = 20.0  # seconds between renewals
_SHOWN, _AT_WORK = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"
_RULE = "RedrivePolicy"
_REMEDIES = {
    "AWS.SimpleQueueService.NonExistentQueue": "make the queue, or set NAFUDA_EVENTS_QUEUE",
    "QueueDoesNotExist": "make the queue, or set NAFUDA_EVENTS_QUEUE",
    "AccessDenied": "allow the rights on the queue that docs/operation.md lists",
}


class SqsSource:
    """`schemas.ports.EventSource`. Credentials, profile and region come from where every AWS tool finds them."""

    def __init__(self, endpoint: str, queue: str, *, timeout: timedelta) -> None:
        """endpoint: the server's URL; "": AWS. timeout: for connecting, and for an answer beyond what a poll waits."""
        self.name = queue
        self.place = f"queue {queue} of {endpoint or 'AWS SQS'}"
        with errors(self.place):
            self._client = _client(endpoint, timeout.total_seconds())

    def arrivals(self) -> Generator["SqsArrival | None", None, None]:
        """What each poll brings. The first one waits for nothing: it shows that we may."""
        with errors(self.place):
            url = self._client.get_queue_url(QueueName=self.name)["QueueUrl"]
        wait = 0
        while True:
            messages = yield from self._poll(url, wait)
            wait = _WAIT
            yield None
            if messages:
                arrival = SqsArrival(self._client, url, messages, self.place)
                try:
                    yield arrival
                finally:
                    arrival.settle()

    def look(self) -> QueueState:
        """What waits, what is at work, and what its dead-letter queue holds, where it has one that we may look at."""
        with errors(self.place):
            asked = self._attributes(self.name, [_SHOWN, _AT_WORK, _RULE])
        given_up = None
        if rule := asked.get(_RULE):
            with suppress(ClientError):  # rights on that one are the operator's choice
                aside = str(json.loads(rule)["deadLetterTargetArn"]).rpartition(":")[2]
                given_up = int(self._attributes(aside, [_SHOWN])[_SHOWN])
        return QueueState(int(asked[_SHOWN]), taken=int(asked[_AT_WORK]), given_up=given_up)

    def _attributes(self, queue: str, names: Sequence[str]) -> Mapping[str, str]:
        url = self._client.get_queue_url(QueueName=queue)["QueueUrl"]
        found = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))
        return cast(Mapping[str, str], found.get("Attributes", {}))

    def _poll(self, url: str, wait: int) -> Generator[None, None, Sequence[Any]]:
        """One poll, on a thread of its own: whoever is told to stop does not wait for its end."""
        poll = _in_background(partial(self._receive, url, wait))
        try:
            while not futures.wait([poll], timeout=1).done:
                yield None
        except GeneratorExit:
            poll.add_done_callback(partial(self._give_back, url))
            raise
        return poll.result()

    def _receive(self, url: str, wait: int) -> Sequence[Any]:
        with errors(self.place):
            said = self._client.receive_message(
                QueueUrl=url, MaxNumberOfMessages=_BATCH, WaitTimeSeconds=wait, VisibilityTimeout=_HIDDEN
            )
        return cast(Sequence[Any], said.get("Messages", []))

    def _give_back(self, url: str, poll: "futures.Future[Sequence[Any]]") -> None:
        if not poll.exception() and poll.result():
            with suppress(TransientError):  # else they come again by time
                SqsArrival(self._client, url, poll.result(), self.place).settle()


class SqsArrival:
    """`schemas.ports.Arrival`: what one poll brought, hidden together and settled in one request."""

    def __init__(self, client: BaseClient, url: str, messages: Sequence[Any], place: str) -> None:
        self.bodies = [str(message["Body"]) for message in messages]
        self.place = place
        self._client, self._url = client, url
        self._entries = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(messages)]
        self._confirmed = False
        self._renewed = time.monotonic()

    def hold(self) -> None:
        """Keep them hidden for another while, if the last time was long ago."""
        if time.monotonic() - self._renewed >= _RENEW:
            self._show(_HIDDEN)
            self._renewed = time.monotonic()

    def confirm(self) -> None:
        """They are deleted when the next are asked for."""
        self._confirmed = True

    def settle(self) -> None:
        """Delete them once they are confirmed, or give them back, to come again at once."""
        if not self._confirmed:
            self._show(0)
            return
        with errors(self.place):
            said = self._client.delete_message_batch(QueueUrl=self._url, Entries=self._entries)
        self._check(said, "deleted")

    def _show(self, after: int) -> None:
        entries = [{**each, "VisibilityTimeout": after} for each in self._entries]
        with errors(self.place):
            said = self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
        self._check(said, "kept hidden" if after else "given back")

    def _check(self, said: Any, what: str) -> None:
        """A request that was done in part: the rest comes again by time."""
        if failed := said.get("Failed"):
            first = f"{failed[0].get('Code')}: {failed[0].get('Message', '')}"
            raise TransientError(f"{self.place}: {len(failed)} messages were not {what} ({first})", code="events-away")


@contextmanager
def errors(place: str) -> Iterator[None]:
    """Turns boto3's errors into ours, with what to do."""
    try:
        yield
    except ClientError as error:
        remedy = _REMEDIES.get(str(error.response.get("Error", {}).get("Code", "")), "check the server and its rights")
        raise TransientError(f"{place}: {error}; {remedy}", code="events-away") from error
    except BotoCoreError as error:  # connections, time-outs; also credentials that are not there
        remedy = "check NAFUDA_EVENTS_URL, the server, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        raise TransientError(f"{place}: {error}; {remedy}", code="events-away") from error


def _in_background(work: Callable[[], Sequence[Any]]) -> "futures.Future[Sequence[Any]]":
    """Unlike an executor's, the thread does not hold up the end of the process."""
    future: futures.Future[Sequence[Any]] = futures.Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 - whoever asks for the result gets it
            future.set_exception(error)

    threading.Thread(target=run, name="poll", daemon=True).start()
    return future


def _client(endpoint: str, timeout: float) -> BaseClient:
    config = Config(
        connect_timeout=timeout,
        read_timeout=_WAIT + timeout,
        retries={"mode": "standard", "total_max_attempts": 1},  # whoever listens tries again, and says so
        user_agent_extra="nafuda",
    )
    return client("sqs", endpoint, config)
