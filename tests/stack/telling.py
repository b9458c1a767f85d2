"""A bucket that tells, and a queue that hears it: `python -m tests.stack.telling BUCKET` makes one that stays."""

import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import boto3
from botocore.client import BaseClient
from kombu.connection import Connection
from kombu.entity import Exchange, Queue

from tests.stack.given import given
from tests.stack.putting import how_to_put
from tests.stack.rabbitmq import EVENTS


@contextmanager
def client() -> Iterator[BaseClient]:
    """An S3 client with what the environment says."""
    with closing(boto3.client("s3", endpoint_url=given("NAFUDA_TEST_S3_URL"))) as s3:
        yield s3


@contextmanager
def own_queue() -> Iterator[Queue]:
    """A queue beside the common one, for `declare` to make: each gets every event."""
    exchange = Exchange(EVENTS, "direct", passive=True)
    with Connection(given("NAFUDA_TEST_BROKER_URL")) as connection:
        queue = Queue(f"test-events-{uuid.uuid4()}", exchange, EVENTS, durable=True).bind(connection.default_channel)
        yield queue
        queue.delete()


@contextmanager
def telling_bucket(s3: BaseClient, target: str = "NAFUDA_TEST_EVENTS_ARN") -> Iterator[str]:
    """A bucket whose events go to the broker, or to another target; emptied and removed at the end."""
    name = f"test-{uuid.uuid4()}"
    make_telling(s3, name, target)
    yield name
    remove(s3, name)


def remove(s3: BaseClient, bucket: str) -> None:
    """Delete a bucket with every version and delete marker in it."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for each in page.get("Versions", []) + page.get("DeleteMarkers", []):
            s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
    s3.delete_bucket(Bucket=bucket)


def make_telling(s3: BaseClient, bucket: str, target: str = "NAFUDA_TEST_EVENTS_ARN") -> None:
    """Make a bucket, unless it is there, and have its events published."""
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=bucket)
    told = {"QueueArn": given(target), "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [told]}, SkipDestinationValidation=True
    )


if __name__ == "__main__":
    with client() as here:
        make_telling(here, sys.argv[1])
    print(how_to_put(sys.argv[1], os.environ), flush=True)
