"""`nafuda run` over brokers of the second round: images become complete, also when the broker was emptied (R72)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.broker.test_redis import delete_keys
from tests.broker.test_sqs import delete_queues, purge_queues
from tests.e2e.instance import Instance
from tests.stack.given import given
from training.samples import draw

pytestmark = pytest.mark.stack

COUNT = 4


def redis() -> tuple[str, Callable[[], None]]:
    url = given("NAFUDA_TEST_REDIS_URL")
    return url, lambda: delete_keys(url)


def sqs() -> tuple[str, Callable[[], None]]:
    return f"sqs+{given('NAFUDA_TEST_SQS_URL')}", purge_queues


@pytest.mark.parametrize("broker", [redis, sqs])
def test_images_become_complete(broker: Callable[[], tuple[str, Callable[[], None]]], tmp_path: Path) -> None:
    url, empty = broker()
    delete_queues()
    empty()
    files = [tmp_path / f"{number}.png" for number in range(COUNT)]
    for number, file in enumerate(files):
        draw(9_300_000 + number).image.save(file)
    environment = {"NAFUDA_BROKER_URL": url, "NAFUDA_DATABASE_URL": "", "NAFUDA_MODELS": "nafuda/sample-tagger"}
    nafuda = Instance(tmp_path / "data", "--no-samples", environment=environment).start()
    try:
        for some in (files[:-1], files[-1:]):
            done = nafuda.json("ingest", "--wait", *map(str, some))
            outcomes = [each["outcome"] for each in (done if isinstance(done, list) else [done])]
            assert outcomes == ["complete"] * len(some), (done, nafuda.logs())
            empty()  # what is lost with a broker is sent again
    finally:
        code = nafuda.stop()
        empty()
        delete_queues()
    assert code == 0
