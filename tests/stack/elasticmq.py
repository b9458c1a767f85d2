"""ElasticMQ: queues as SQS has them, from Maven artifacts. They are in memory: no proof of durability."""

from pathlib import Path
from typing import ClassVar

import httpx2

from schemas.errors import TransientError
from tests.stack import packages
from tests.stack.places import LOOPBACK
from tests.stack.server import Server

_POM = Path(__file__).with_name("elasticmq.xml")
_CONFIGURATION = """\
include classpath("application.conf")
node-address {{ protocol = http, host = "{address}", port = {port}, context-path = "" }}
rest-sqs {{ enabled = true, bind-hostname = "{address}", bind-port = {port}, sqs-limits = strict }}
rest-stats.enabled = false
"""


class ElasticMQ(Server):
    """One process; any credentials are good."""

    name: ClassVar[str] = "elasticmq"
    stands_for_it: ClassVar[str] = "NAFUDA_TEST_SQS_URL"

    @property
    def port(self) -> int:
        return self.place.port + 3

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{LOOPBACK}:{self.port}"

    def install(self) -> None:
        self._java()
        self._jars()

    def prepare(self) -> None:
        text = _CONFIGURATION.format(address=LOOPBACK, port=self.port)
        self._settings.write_text(text, "ascii")

    def command(self) -> list[str | Path]:
        options: list[str | Path] = ["-Xmx128m", f"-Dconfig.file={self._settings}", "-cp", f"{self._jars()}/*"]
        return [self._java(), *options, "org.elasticmq.server.Main"]

    def ask(self) -> str:
        try:
            asked = httpx2.get(self.url, params={"Action": "ListQueues"}, timeout=5)
            asked.raise_for_status()
        except httpx2.HTTPError as error:
            raise TransientError(f"ElasticMQ at {self.url}: {error!r}") from error
        return "ElasticMQ 1.7.1"

    def environment(self) -> dict[str, str]:
        return {"NAFUDA_TEST_SQS_URL": self.url}

    @property
    def _settings(self) -> Path:
        return self.folder / "elasticmq.conf"

    @staticmethod
    def _java() -> Path:
        return packages.program("java", "ElasticMQ needs Java", "openjdk-17-jre-headless")

    def _jars(self) -> Path:
        return packages.jars(self.place.cache, _POM)
