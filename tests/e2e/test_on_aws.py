"""`nafuda run` as on AWS: objects in S3, which tells SQS, and Celery over SQS (R1, R64, R71, R72).

S3 and its notifications are moto's, Celery's queues ElasticMQ's: two servers, each addressed by its own setting.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from botocore.client import BaseClient

from tests.broker.test_sqs import delete_queues, purge_queues
from tests.e2e.instance import Instance, wait_for
from tests.stack.given import given
from tests.stack.queues import OwnSqs, aws_s3, bucket_of, own_sqs, tell
from training.samples import draw

pytestmark = pytest.mark.stack

KEYS = ("写真/a b+c%41.png", "a//b.png", "c.png")


@pytest.fixture
def s3() -> Iterator[BaseClient]:
    with aws_s3() as s3:
        yield s3


@pytest.fixture
def queue() -> Iterator[OwnSqs]:
    with own_sqs(given("NAFUDA_TEST_AWS_URL")) as queue:
        yield queue


@pytest.fixture
def bucket(s3: BaseClient, queue: OwnSqs) -> str:
    """A bucket that tells the queue."""
    name = bucket_of(s3, queue)
    queue.allow()
    tell(s3, name, QueueConfigurations=queue.arn)
    return name


@pytest.fixture
def nafuda(tmp_path: Path, bucket: str, queue: OwnSqs) -> Iterator[Instance]:
    delete_queues()
    environment = {
        "NAFUDA_OBJECTS_URL": f"s3+{given('NAFUDA_TEST_AWS_URL')}",
        "NAFUDA_EVENTS_URL": f"sqs+{given('NAFUDA_TEST_AWS_URL')}",
        "NAFUDA_EVENTS_QUEUE": queue.name,
        "NAFUDA_BROKER_URL": f"sqs+{given('NAFUDA_TEST_SQS_URL')}",
        "NAFUDA_BUCKET": bucket,
        "NAFUDA_RECONCILE_EVERY": "PT1H",  # only events tell
        "NAFUDA_DATABASE_URL": "",
        "NAFUDA_MODELS": "nafuda/sample-tagger",
    }
    instance = Instance(tmp_path / "data", "--no-samples", environment=environment).start()
    yield instance
    instance.stop()
    purge_queues()
    delete_queues()


def test_what_s3_tells_sqs_is_found_and_what_is_deleted_is_not(
    nafuda: Instance, s3: BaseClient, bucket: str, queue: OwnSqs
) -> None:
    for number, key in enumerate(KEYS):
        picture = BytesIO()
        draw(9_700_000 + number).image.save(picture, "png")
        s3.put_object(Bucket=bucket, Key=key, Body=picture.getvalue())
    whole = "SELECT count(*) FROM records WHERE status = 'complete' AND live"
    wait_for(lambda: nafuda.sql(whole) == [(len(KEYS),)], 120, nafuda.logs)
    tag = nafuda.json("show", KEYS[0])["tags"][0]["name"]
    wait_for(lambda: nafuda.json("search", tag)["hits"], 30, nafuda.logs)
    before = nafuda.json("search", tag)["total"]
    s3.delete_object(Bucket=bucket, Key=KEYS[0])
    wait_for(lambda: nafuda.json("search", tag)["total"] == before - 1, 60, nafuda.logs)
    wait_for(lambda: queue.left == 0, 30, nafuda.logs)  # each notification was taken, and S3's test event
