"""SQS as the broker, on ElasticMQ (R72)."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import boto3
import pytest
from botocore.client import BaseClient
from celery import Celery
from kombu import pools
from kombu.exceptions import OperationalError

from infra.broker.transports import PREFIX
from infra.settings import Settings
from schemas.pipeline import INGEST, QUEUES
from tests.broker.apps import sender_of, working
from tests.broker.contract import BrokerContract
from tests.broker.refusing import way_to
from tests.e2e.instance import wait_for
from tests.stack.given import given

pytestmark = pytest.mark.stack


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Settings of a process on the test's broker, whose queues of ours are made anew and give hints back at once."""
    delete_queues()
    with queues() as (sqs, _):
        for name in QUEUES:
            sqs.create_queue(QueueName=PREFIX + name, Attributes={"VisibilityTimeout": "1"})
    yield Settings(data=tmp_path, broker_url=f"sqs+{given('NAFUDA_TEST_SQS_URL')}")
    delete_queues()


@contextmanager
def queues() -> Iterator[tuple[BaseClient, list[str]]]:
    """A client, and the addresses of all queues of ours."""
    with closing(boto3.client("sqs", endpoint_url=given("NAFUDA_TEST_SQS_URL"))) as sqs:
        yield sqs, sqs.list_queues(QueueNamePrefix=PREFIX).get("QueueUrls", [])


def delete_queues() -> None:
    """All of ours. Running processes that poll them find out late."""
    with queues() as (sqs, found):
        for url in found:
            sqs.delete_queue(QueueUrl=url)


def purge_queues() -> None:
    """Empty all of ours."""
    with queues() as (sqs, found):
        for url in found:
            sqs.purge_queue(QueueUrl=url)


class TestSqs(BrokerContract):
    """The contract, kept by SQS's protocol."""

    def test_a_worker_does_what_hints_say_and_makes_no_queue_but_ours(self, settings: Settings, sender: Celery) -> None:
        with working(settings) as one_more:
            for _ in range(20):
                sender.send_task(f"nafuda.{INGEST}", queue=INGEST, retry=False)
            for _ in range(20):
                one_more()
        with queues() as (_, found):
            names = {url.rsplit("/", 1)[1] for url in found}
            assert names <= {PREFIX + name for name in QUEUES}

    @pytest.mark.parametrize("status", [403, 503])
    def test_a_poll_that_is_refused_is_not_the_last_one(self, settings: Settings, sender: Celery, status: int) -> None:
        with way_to(given("NAFUDA_TEST_SQS_URL")) as way:
            mine = settings.model_copy(update={"broker_url": f"sqs+{way.url}"})
            with working(mine) as one_more:
                way.status = status
                wait_for(lambda: way.refused >= 2, 20)
                sender.send_task(f"nafuda.{INGEST}", queue=INGEST, retry=False)
                way.status = 0
                one_more()

    def test_a_refused_hint_is_an_outage_to_who_sends_it(self, settings: Settings) -> None:
        with way_to(given("NAFUDA_TEST_SQS_URL")) as way:
            impatient = {"broker_url": f"sqs+{way.url}", "broker_timeout": timedelta(seconds=1)}
            sender = sender_of(settings.model_copy(update=impatient))
            way.status = 403
            with pytest.raises(OperationalError):
                sender.send_task(f"nafuda.{INGEST}", queue=INGEST, retry=False)
        pools.reset()
