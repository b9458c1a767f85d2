"""Notifications over SQS's protocol, on ElasticMQ (R71, R72)."""

import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest

from infra.arrivals.sqs import SqsSource
from schemas.errors import TransientError
from schemas.ports import EventSource
from tests.arrivals.contract import EventSourceContract, Send, arriving, nothing, taken
from tests.stack.given import given
from tests.stack.queues import OwnSqs, own_sqs

pytestmark = pytest.mark.stack

SECOND = timedelta(seconds=1)


@pytest.fixture
def queue() -> Iterator[OwnSqs]:
    with own_sqs(given("NAFUDA_TEST_SQS_URL")) as queue:
        yield queue


@pytest.fixture
def source(queue: OwnSqs) -> EventSource:
    return SqsSource(queue.endpoint, queue.name, timeout=SECOND)


@pytest.fixture
def send(queue: OwnSqs) -> Send:
    return queue.send


class TestSqs(EventSourceContract):
    """The contract, kept by a standard queue."""

    @pytest.fixture
    def nowhere(self) -> EventSource:
        return SqsSource(given("NAFUDA_TEST_SQS_URL"), "test-nowhere", timeout=SECOND)

    def test_a_poll_of_which_one_is_slow_is_hidden_from_others_as_a_whole(
        self, source: EventSource, queue: OwnSqs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("infra.arrivals.sqs._HIDDEN", 2)
        monkeypatch.setattr("infra.arrivals.sqs._RENEW", 0.5)
        for number in range(3):
            queue.send(str(number))
        other = SqsSource(queue.endpoint, queue.name, timeout=SECOND)
        with arriving(source) as arrivals, arriving(other) as others:
            slow = taken(arrivals)
            for _ in range(3):
                assert nothing(others, 1)
                slow.hold()

    def test_a_look_tells_what_is_at_work_and_what_the_queue_gave_up(
        self, source: EventSource, queue: OwnSqs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert source.look().given_up is None
        with own_sqs(queue.endpoint) as aside:
            queue.give_up_to(aside, after=1)
            assert source.look().given_up == 0
            queue.send("never confirmed")
            with arriving(source) as arrivals:
                taken(arrivals)
                assert source.look().taken == 1
            with arriving(source) as arrivals:
                assert nothing(arrivals)
            assert (source.look().waiting, source.look().given_up) == (0, 1)

    def test_a_queue_that_is_deleted_meanwhile_ends_the_arrivals(self, source: EventSource, queue: OwnSqs) -> None:
        with arriving(source) as arrivals, pytest.raises(TransientError, match="NAFUDA_EVENTS_QUEUE"):
            queue.delete()
            while True:
                next(arrivals)


def test_a_server_that_is_away_is_named_with_the_remedy() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        source = SqsSource(f"http://127.0.0.1:{closed.getsockname()[1]}", "events", timeout=SECOND)
        with pytest.raises(TransientError, match=r"127\.0\.0\.1.*NAFUDA_EVENTS_URL"):
            next(source.arrivals())
