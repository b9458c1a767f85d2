"""moto's server: S3 that tells SQS and SNS in AWS's shapes. It keeps everything in memory, and is slow and lenient."""

import sys
from pathlib import Path
from typing import ClassVar

import httpx2

from schemas.errors import TransientError
from tests.stack.places import LOOPBACK
from tests.stack.server import Server


class AWS(Server):
    """One process for all services; requests say which they mean by their signature."""

    name: ClassVar[str] = "aws"
    stands_for_it: ClassVar[str] = "NAFUDA_TEST_AWS_URL"

    @property
    def port(self) -> int:
        return self.place.port + 4

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{LOOPBACK}:{self.port}"

    def install(self) -> None:
        """Nothing: it is in the requirements of the tests."""

    def prepare(self) -> None:
        """Nothing: it is told everything by its clients."""

    def command(self) -> list[str | Path]:
        return [sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(self.port)]

    def ask(self) -> str:
        try:
            httpx2.get(f"{self.url}/moto-api/data.json", timeout=5).raise_for_status()
        except httpx2.HTTPError as error:
            raise TransientError(f"moto at {self.url}: {error!r}") from error
        return "moto"

    def environment(self) -> dict[str, str]:
        return {"NAFUDA_TEST_AWS_URL": self.url}
