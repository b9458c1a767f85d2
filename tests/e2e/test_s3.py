"""`nafuda run` on the whole stack: what any S3 client puts there is found, and nothing is lost (R1, R64, R71, R72)."""

import os
import signal
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from tests.e2e.instance import Instance, wait_for
from tests.stack.given import given
from tests.stack.searching import own_index
from tests.stack.telling import client, own_queue
from training.samples import draw

pytestmark = pytest.mark.stack

COUNT = 40


@pytest.fixture
def nafuda(tmp_path: Path, bucket: str) -> Iterator[Instance]:
    """An instance with its buckets on the server, its events from the broker, its search on OpenSearch."""
    with own_queue() as queue, own_index() as index:
        queue.declare()
        environment = {
            "NAFUDA_OBJECTS_URL": f"s3+{given('NAFUDA_TEST_S3_URL')}",
            "NAFUDA_EVENTS_URL": given("NAFUDA_TEST_BROKER_URL"),
            "NAFUDA_EVENTS_QUEUE": queue.name,
            "NAFUDA_BUCKET": bucket,
            "NAFUDA_SEARCH_URL": given("NAFUDA_TEST_OPENSEARCH_URL"),
            "NAFUDA_SEARCH_INDEX": index,
            "NAFUDA_DATABASE_URL": "",
            "NAFUDA_BROKER_URL": "",
        }
        instance = Instance(tmp_path / "data", "--no-samples", environment=environment).start()
        yield instance
        instance.stop()


def put(bucket: str, key: str, seed: int) -> None:
    """As another program would."""
    picture = BytesIO()
    draw(9_100_000 + seed).image.save(picture, "png")
    with client() as s3:
        s3.put_object(Bucket=bucket, Key=key, Body=picture.getvalue())


def complete(nafuda: Instance) -> int:
    """Records that lack nothing."""
    return int(nafuda.sql("SELECT count(*) FROM records WHERE status = 'complete'")[0][0])


def test_what_is_put_into_the_bucket_is_found_and_what_is_deleted_is_not(nafuda: Instance, bucket: str) -> None:
    put(bucket, "写真/a b+c%41.png", 0)
    wait_for(lambda: complete(nafuda) == 1, 60, nafuda.logs)
    shown = nafuda.json("show", "写真/a b+c%41.png")
    tag = shown["tags"][0]["name"]
    wait_for(lambda: nafuda.json("search", tag)["hits"], 30, nafuda.logs)
    with client() as s3:
        s3.delete_object(Bucket=bucket, Key="写真/a b+c%41.png")
    wait_for(lambda: not nafuda.json("search", tag)["hits"], 30, nafuda.logs)


def test_nothing_is_lost_when_the_listener_dies_while_people_upload(nafuda: Instance, bucket: str) -> None:
    for seed in range(COUNT):
        put(bucket, f"{seed:02}.png", seed)
        if seed % 10 == 5:
            os.kill(nafuda.children()["records"], signal.SIGKILL)
    wait_for(lambda: complete(nafuda) == COUNT, 120, nafuda.logs)
