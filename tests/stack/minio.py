"""MinIO, built from its Go module: an S3 store that tells RabbitMQ or a webhook, through spools on disk or at once."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import boto3
import httpx2
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from schemas.errors import TransientError
from tests.stack import packages
from tests.stack.places import LOOPBACK, USER, Place
from tests.stack.rabbitmq import EVENTS, RabbitMQ
from tests.stack.server import Server

_VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"
_MODULE = f"github.com/minio/minio@{_VERSION}"
_REGION = "us-east-1"
_TARGET = "NAFUDA"
_PAGES = 15  # where a Nafuda of a test's own may listen for the webhook: MinIO must know it when it starts
ARN = f"arn:minio:sqs::{_TARGET}:amqp"
WEBHOOK_ARN = f"arn:minio:sqs::{_TARGET}:webhook"


class MinIO(Server):
    """One node over one folder. RabbitMQ may be away: notifications wait in the spool, if there is one."""

    name: ClassVar[str] = "minio"
    stands_for_it: ClassVar[str] = "NAFUDA_TEST_S3_URL"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._broker = RabbitMQ(place)

    @property
    def port(self) -> int:
        return self.place.port + 7

    @property
    def url(self) -> str:
        """Its endpoint."""
        return f"http://{LOOPBACK}:{self.port}"

    def install(self) -> None:
        self._program()

    def prepare(self) -> None:
        for spool in ("spool", "webhook"):
            (self.folder / spool).mkdir(exist_ok=True)

    def command(self) -> list[str | Path]:
        return [self._program(), "server", "--quiet", "--address", f"{LOOPBACK}:{self.port}", self.folder / "store"]

    def variables(self) -> Mapping[str, str]:
        target = {
            "ENABLE": "on",
            "URL": self._broker.url,
            "EXCHANGE": EVENTS,
            "EXCHANGE_TYPE": "direct",
            "ROUTING_KEY": EVENTS,
            "DURABLE": "on",
            "DELIVERY_MODE": "2",
            "PUBLISHING_CONFIRMS": "on",
        }
        if self.place.spool:
            target |= {"QUEUE_DIR": str(self.folder / "spool"), "QUEUE_LIMIT": "1000000"}
        webhook = {
            "ENABLE": "on",
            "ENDPOINT": f"http://{LOOPBACK}:{self.place.port + _PAGES}/api/v1/events",
            "AUTH_TOKEN": self.place.password,
            "QUEUE_DIR": str(self.folder / "webhook"),
        }
        return {
            **{f"MINIO_NOTIFY_AMQP_{key}_{_TARGET}": value for key, value in target.items()},
            **{f"MINIO_NOTIFY_WEBHOOK_{key}_{_TARGET}": value for key, value in webhook.items()},
            "MINIO_ROOT_USER": USER,
            "MINIO_ROOT_PASSWORD": self.place.password,
            "MINIO_BROWSER": "off",
            "MINIO_API_CORS_ALLOW_ORIGIN": "http://127.0.0.1:*,http://localhost:*",  # pages on any port of this machine
            "MINIO_UPDATE": "off",
        }

    def ask(self) -> str:
        """Its health first: for a moment after a start it stores objects and tells nobody."""
        try:
            healthy = httpx2.get(f"{self.url}/minio/health/cluster", timeout=2)
            healthy.raise_for_status()
            self._list_buckets()
        except (httpx2.HTTPError, BotoCoreError, ClientError) as error:
            raise TransientError(f"MinIO at {self.url}: {error}") from error
        return f"MinIO {_VERSION.split('-')[1]}"

    def environment(self) -> dict[str, str]:
        return {
            "NAFUDA_TEST_S3_URL": self.url,
            "NAFUDA_TEST_EVENTS_ARN": ARN,
            "NAFUDA_TEST_WEBHOOK_ARN": WEBHOOK_ARN,
            "NAFUDA_TEST_WEBHOOK_PORT": str(self.place.port + _PAGES),
            "NAFUDA_TEST_WEBHOOK_SECRET": self.place.password,
            "AWS_ACCESS_KEY_ID": USER,
            "AWS_SECRET_ACCESS_KEY": self.place.password,
            "AWS_DEFAULT_REGION": _REGION,
        }

    def _list_buckets(self) -> None:
        client = boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name=_REGION,
            aws_access_key_id=USER,
            aws_secret_access_key=self.place.password,
            config=Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1}),
        )
        client.list_buckets()
        client.close()

    def _program(self) -> Path:
        return packages.go_program(self.place.cache, f"minio-{_VERSION}", _MODULE) / "minio"
