"""Toxiproxy, built from its Go module: stands between us and a server, and does to the bytes what networks do."""

from pathlib import Path
from typing import ClassVar

import httpx2

from schemas.errors import TransientError
from tests.stack import packages
from tests.stack.places import LOOPBACK
from tests.stack.server import Server

_VERSION = "v2.12.0"
_MODULE = f"github.com/Shopify/toxiproxy/v2/cmd/server@{_VERSION}"


class Toxiproxy(Server):
    """One process for any number of proxies, which `tests.faults.network` makes; they take ports that are free."""

    name: ClassVar[str] = "toxiproxy"
    stands_for_it: ClassVar[str] = "NAFUDA_TEST_TOXIPROXY_URL"

    @property
    def port(self) -> int:
        return self.place.port + 11

    @property
    def url(self) -> str:
        """Its API's address."""
        return f"http://{LOOPBACK}:{self.port}"

    def install(self) -> None:
        self._program()

    def prepare(self) -> None:
        """Nothing is configured before it runs."""

    def command(self) -> list[str | Path]:
        return [self._program(), "-host", LOOPBACK, "-port", str(self.port)]

    def ask(self) -> str:
        try:
            httpx2.get(f"{self.url}/proxies", timeout=2).raise_for_status()
        except httpx2.HTTPError as error:
            raise TransientError(f"Toxiproxy at {self.url}: {error!r}") from error
        return f"Toxiproxy {_VERSION}"

    def environment(self) -> dict[str, str]:
        return {"NAFUDA_TEST_TOXIPROXY_URL": self.url}

    def _program(self) -> Path:
        return packages.go_program(self.place.cache, f"toxiproxy-{_VERSION}", _MODULE) / "server"
