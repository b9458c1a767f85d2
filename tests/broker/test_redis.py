"""Redis as the broker (R72)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from kombu.connection import Connection

from infra.broker.transports import PREFIX
from infra.settings import Settings
from schemas.pipeline import INGEST
from tests.broker.apps import working
from tests.broker.contract import BrokerContract
from tests.stack.given import given

pytestmark = pytest.mark.stack


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Settings of a process on the test's broker, whose keys of ours are deleted before and after."""
    url = given("NAFUDA_TEST_REDIS_URL")
    delete_keys(url)
    yield Settings(data=tmp_path, broker_url=url)
    delete_keys(url)


def delete_keys(url: str) -> None:
    """All of ours."""
    with Connection(url) as connection:
        channel: Any = connection.default_channel
        for key in channel.client.scan_iter(f"{PREFIX}*"):
            channel.client.delete(key)


class TestRedis(BrokerContract):
    """The contract, kept by Redis."""

    def test_a_worker_does_what_a_hint_says_and_keeps_to_keys_of_ours(self, settings: Settings, sender: Celery) -> None:
        with working(settings) as one_more:
            sender.send_task(f"nafuda.{INGEST}", queue=INGEST, retry=False)
            one_more()
        with Connection(settings.broker_url) as connection:
            channel: Any = connection.default_channel
            assert [key for key in channel.client.scan_iter("*") if not key.startswith(PREFIX.encode())] == []
