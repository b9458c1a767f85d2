"""OpenSearch: one node with k-NN, from Maven artifacts."""

from pathlib import Path
from typing import ClassVar

import httpx2

from schemas.errors import TransientError
from tests.stack import packages
from tests.stack.places import LOOPBACK
from tests.stack.server import Server

_POM = Path(__file__).with_name("opensearch.xml")
_RUNNER = "org.codelibs.opensearch.runner.OpenSearchRunner"
# A node that lives for minutes never earns back what the second compiler costs: for its first half minute it is at it
# with all cores. One that stays should have it.
_BRIEFLY = "-XX:TieredStopAtLevel=1"
_SETTINGS = """\
discovery.type: single-node
network.host: {address}
transport.port: {transport}
action.destructive_requires_name: true
cluster.routing.allocation.disk.threshold_enabled: false
node.resource.tracker.global_cpu_usage.window_duration: 10s
node.resource.tracker.global_jvmmp.window_duration: 10s
node.resource.tracker.global_io_usage.window_duration: 10s
"""  # the windows: two minutes otherwise, until a node that has started can turn documents away


class OpenSearch(Server):
    """One node over one folder, without TLS and users: loopback only."""

    name: ClassVar[str] = "opensearch"
    stands_for_it: ClassVar[str] = "NAFUDA_TEST_OPENSEARCH_URL"

    @property
    def port(self) -> int:
        return self.place.port

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{LOOPBACK}:{self.port}"

    def install(self) -> None:
        self._java()
        self._jars()

    def prepare(self) -> None:
        configuration = self.folder / "node_1" / "config"
        configuration.mkdir(parents=True, exist_ok=True)
        text = _SETTINGS.format(address=LOOPBACK, transport=self.place.port + 1)
        (configuration / "opensearch.yml").write_text(text, "ascii")

    def command(self) -> list[str | Path]:
        node: list[str | Path] = ["-basePath", self.folder, "-clusterName", "nafuda", "-numOfNode", "1"]
        port = ["-baseHttpPort", str(self.port - 1)]  # the first node takes the next one
        plugins = ["-pluginTypes", "org.opensearch.knn.plugin.KNNPlugin", "-printOnFailure"]
        java: list[str | Path] = [self._java(), "-Xms256m", "-Xmx1g", _BRIEFLY, "-cp", f"{self._jars()}/*"]
        return [*java, _RUNNER, *node, *port, *plugins]

    def ask(self) -> str:
        try:
            health = httpx2.get(f"{self.url}/_cluster/health", params={"wait_for_status": "yellow"}, timeout=5)
            health.raise_for_status()
            found = httpx2.get(self.url, timeout=5)
            found.raise_for_status()
        except httpx2.HTTPError as error:
            raise TransientError(f"OpenSearch at {self.url}: {error!r}") from error
        return f"OpenSearch {found.json()['version']['number']}"

    def environment(self) -> dict[str, str]:
        return {"NAFUDA_TEST_OPENSEARCH_URL": self.url}

    @staticmethod
    def _java() -> Path:
        return packages.program("java", "OpenSearch needs Java 17", "openjdk-17-jre-headless")

    def _jars(self) -> Path:
        return packages.jars(self.place.cache, _POM)
