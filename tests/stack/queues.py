"""A queue of a test's own on a server that speaks SQS, gone in the end."""

import json
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import boto3
from botocore.client import BaseClient

from tests.stack.given import given


class OwnSqs:
    """One standard queue."""

    def __init__(self, client: BaseClient, endpoint: str) -> None:
        self.endpoint = endpoint
        self.name = f"test-events-{uuid.uuid4()}"
        self._client = client
        self.url = ""

    def make(self) -> None:
        """Make it; for S3 and SNS to send to."""
        self.url = self._client.create_queue(QueueName=self.name)["QueueUrl"]

    @property
    def arn(self) -> str:
        """By which others send to it."""
        asked = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
        return str(asked["Attributes"]["QueueArn"])

    def allow(self) -> None:
        """Let whoever knows it send to it, as S3 demands."""
        said = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": self.arn}
        self._client.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": json.dumps({"Statement": [said]})})

    def give_up_to(self, aside: "OwnSqs", after: int) -> None:
        """Put a message that was given out so often aside into another queue."""
        rule = {"deadLetterTargetArn": aside.arn, "maxReceiveCount": after}
        self._client.set_queue_attributes(QueueUrl=self.url, Attributes={"RedrivePolicy": json.dumps(rule)})

    def send(self, body: str) -> None:
        """Put a message in."""
        self._client.send_message(QueueUrl=self.url, MessageBody=body)

    def delete(self) -> None:
        """Remove it."""
        with suppress(self._client.exceptions.QueueDoesNotExist):
            self._client.delete_queue(QueueUrl=self.url)

    @property
    def left(self) -> int:
        """How many messages it holds, shown or hidden."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        asked = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(asked[name]) for name in names)


@contextmanager
def own_sqs(endpoint: str, *, made: bool = True) -> Iterator[OwnSqs]:
    """A queue, made already or not."""
    with closing(boto3.client("sqs", endpoint_url=endpoint)) as client:
        queue = OwnSqs(client, endpoint)
        if made:
            queue.make()
        yield queue
        queue.delete()


@contextmanager
def aws_s3() -> Iterator[BaseClient]:
    """AWS's S3, as moto plays it."""
    with closing(boto3.client("s3", endpoint_url=given("NAFUDA_TEST_AWS_URL"))) as s3:
        yield s3


def bucket_of(s3: BaseClient, queue: OwnSqs) -> str:
    """A bucket for what a queue is to hear of; nothing is told yet."""
    name = f"bucket-of-{queue.name}"
    s3.create_bucket(Bucket=name)
    return name


def tell(s3: BaseClient, bucket: str, **configuration: object) -> None:
    """Have S3 say what happens in a bucket."""
    ((kind, arn),) = configuration.items()
    name = {"QueueConfigurations": "QueueArn", "TopicConfigurations": "TopicArn"}[kind]
    told = [{name: arn, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}]
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={kind: told})
