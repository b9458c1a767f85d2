"""People who upload: drawings, some of them twice under other names, put into the bucket until the server says yes."""

import hashlib
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.e2e.drawings import drawn, remarked

_SEED = 8_400_000
_KINDS = 40  # different drawings; each upload has bytes of its own
_COPY = 10  # every tenth is the picture before, under another name
_AGAIN = 0.2  # seconds


class Uploads:
    """What was stored, by key, as the SHA-256 of its bytes. Only what the server confirmed is in it."""

    def __init__(self, url: str, key: str, secret: str, bucket: str) -> None:
        config = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})
        self.s3: BaseClient = boto3.client(
            "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret,
            config=config,
        )  # fmt: skip
        self.bucket = bucket
        self.stored: dict[str, str] = {}
        self.refused = 0  # attempts
        self._numbers = itertools.count()

    def put(self, count: int, over: float = 0.0) -> None:
        """Store so many more, spread over so many seconds."""
        for _ in range(count):
            number = next(self._numbers)
            self._insist(f"{number:06}.jpg", _picture(number - 1 if number % _COPY == _COPY - 1 else number))
            time.sleep(over / count)

    @contextmanager
    def meanwhile(self, count: int, over: float) -> Iterator[None]:
        """Store so many more while something else happens; all are stored when this ends."""
        thread = threading.Thread(target=self.put, args=(count, over), name="uploads")
        thread.start()
        try:
            yield
        finally:
            thread.join()

    def _insist(self, key: str, content: bytes) -> None:
        while True:
            try:
                self.s3.put_object(Bucket=self.bucket, Key=key, Body=content, ContentType="image/jpeg")
            except (BotoCoreError, ClientError):  # as a person who tries again
                self.refused += 1
                time.sleep(_AGAIN)
            else:
                self.stored[key] = hashlib.sha256(content).hexdigest()
                return


def _picture(number: int) -> bytes:
    return remarked(drawn(_SEED + number % _KINDS), f"upload {number}")
