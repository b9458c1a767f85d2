"""Redis: Debian's server, with a log of what it was told."""

from pathlib import Path
from typing import Any, ClassVar

from kombu.connection import Connection
from kombu.exceptions import OperationalError

from schemas.errors import TransientError
from tests.stack import packages
from tests.stack.places import LOOPBACK
from tests.stack.server import Server

_CONFIGURATION = """\
bind {address}
port {port}
requirepass {password}
dir {folder}
appendonly yes
save ""
"""


class Redis(Server):
    """One node."""

    name: ClassVar[str] = "redis"
    stands_for_it: ClassVar[str] = "NAFUDA_TEST_REDIS_URL"

    @property
    def port(self) -> int:
        return self.place.port + 10

    @property
    def url(self) -> str:
        """Its address, with the password."""
        return f"redis://:{self.place.password}@{LOOPBACK}:{self.port}/0"

    def install(self) -> None:
        self._program()

    def prepare(self) -> None:
        self._settings.touch(mode=0o600)
        place = {"address": LOOPBACK, "port": self.port, "folder": self.folder, "password": self.place.password}
        self._settings.write_text(_CONFIGURATION.format(**place), "utf-8")

    def command(self) -> list[str | Path]:
        return [self._program(), self._settings]

    def ask(self) -> str:
        connection = Connection(self.url, transport_options={"socket_connect_timeout": 2, "socket_timeout": 2})
        try:
            with connection:
                channel: Any = connection.default_channel
                version = channel.client.info("server")["redis_version"]
        except (OperationalError, *connection.connection_errors) as error:
            raise TransientError(f"Redis at {LOOPBACK}:{self.port}: {error}") from error
        return f"Redis {version}"

    def environment(self) -> dict[str, str]:
        return {"NAFUDA_TEST_REDIS_URL": self.url}

    @property
    def _settings(self) -> Path:
        return self.folder / "redis.conf"

    @staticmethod
    def _program() -> Path:
        return packages.program("redis-server", "Redis", "redis-server")
