"""RabbitMQ: a private node of Debian's package, its port mapper, and the queue that bucket notifications arrive in."""

import base64
import hashlib
import json
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from kombu.connection import Connection
from kombu.exceptions import OperationalError

from schemas.errors import ConfigurationError, TransientError
from tests.stack import packages, processes
from tests.stack.places import LOOPBACK, USER
from tests.stack.server import Server

VHOST = "nafuda"
EVENTS = "nafuda.events"  # the exchange that stores publish to, and the queue that is bound to it
UNROUTED = "nafuda.events.unrouted"  # where it goes when nothing is bound: an exchange and a queue
_SCRIPTS = "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin"
_CONFIGURATION = """\
listeners.tcp.1 = {address}:{port}
load_definitions = {definitions}
vm_memory_high_watermark.absolute = 1GiB
disk_free_limit.absolute = 200MB
raft.wal_max_size_bytes = 67108864
log.console = true
log.console.level = warning
log.file = false
"""


class RabbitMQ(Server):
    """One node. Its users, queues and policies are definitions that it reads at each start."""

    name: ClassVar[str] = "rabbitmq"
    stands_for_it: ClassVar[str] = "NAFUDA_TEST_BROKER_URL"

    @property
    def port(self) -> int:
        return self.place.port + 2

    @property
    def url(self) -> str:
        """Its address, with user and password."""
        return f"amqp://{USER}:{self.place.password}@{LOOPBACK}:{self.port}/{quote(VHOST, safe='')}"

    def install(self) -> None:
        if not self._scripts():
            packages.debian("RabbitMQ is missing", "rabbitmq-server")

    def prepare(self) -> None:
        definitions = self.folder / "definitions.json"
        definitions.touch(mode=0o600)
        definitions.write_text(json.dumps(_definitions(self.place.password), indent=1), "utf-8")
        (self.folder / "rabbitmq.conf").write_text(
            _CONFIGURATION.format(address=LOOPBACK, port=self.port, definitions=definitions), "utf-8"
        )
        (self.folder / "enabled_plugins").write_text("[].\n", "ascii")

    def command(self) -> list[str | Path]:
        return [self._scripts()[-1] / "rabbitmq-server"]

    def variables(self) -> Mapping[str, str]:
        files = {"MNESIA_BASE": "store", "LOG_BASE": "logs", "CONFIG_FILE": "rabbitmq.conf", "PID_FILE": "node.pid"}
        files |= {"ENABLED_PLUGINS_FILE": "enabled_plugins", "CONF_ENV_FILE": "rabbitmq-env.conf"}
        base = self.place.port
        return {
            **{f"RABBITMQ_{name}": str(self.folder / file) for name, file in files.items()},
            "RABBITMQ_NODENAME": f"{USER}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(base + 5),
            "RABBITMQ_CTL_DIST_PORT_MIN": str(base + 12),
            "RABBITMQ_CTL_DIST_PORT_MAX": str(base + 14),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2",
            "RUNNING_UNDER_SYSTEMD": "true",  # the script becomes the node instead of waiting for it
            "ERL_EPMD_PORT": str(base + 6),
            "ERL_EPMD_ADDRESS": LOOPBACK,
        }

    def launch(self) -> None:
        """The port mapper first: one that the node starts would outlive it, known to nobody."""
        if processes.noted(self._mapper) is None:
            processes.spawn(["epmd"], self.process_environment(), self.folder / "epmd.log", self._mapper)
        super().launch()

    def ask(self) -> str:
        connection = Connection(self.url, connect_timeout=2)
        try:
            with connection:
                channel = connection.default_channel
                for queue in (EVENTS, UNROUTED):
                    channel.queue_declare(queue, passive=True)
                told = connection.connection.server_properties
                return f"{told['product']} {told['version']}"
        except (OperationalError, *connection.connection_errors, *connection.channel_errors) as error:
            raise TransientError(f"RabbitMQ at {LOOPBACK}:{self.port}: {error}") from error

    def environment(self) -> dict[str, str]:
        return {
            "NAFUDA_BROKER_URL": self.url,
            "NAFUDA_TEST_BROKER_URL": self.url,
            "NAFUDA_TEST_EVENTS_QUEUE": EVENTS,
        }

    def down(self) -> None:
        super().down()
        processes.end(self._mapper, signal.SIGTERM)

    def control(self, *words: str) -> str:
        """Run `rabbitmqctl` on it; returns what it said."""
        command = [str(self._scripts()[-1] / "rabbitmqctl"), *words]
        done = subprocess.run(command, env=self.process_environment(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise ConfigurationError(f"rabbitmqctl {' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    @property
    def _mapper(self) -> Path:
        return self.folder / "epmd.process"

    @staticmethod
    def _scripts() -> list[Path]:
        """The folders of its scripts, newest last. /usr/sbin's would change to another user, with another cookie."""
        return sorted(path for path in Path("/").glob(_SCRIPTS.lstrip("/")) if (path / "rabbitmq-server").exists())


def _definitions(password: str) -> dict[str, object]:
    """The queue for notifications is bound, and what is published while it is not goes to another: nothing is dropped.

    The second exchange is set by a policy, because the store declares the first one without arguments.
    """
    salt = os.urandom(4)
    digest = base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
    hashed = {"password_hash": digest, "hashing_algorithm": "rabbit_password_hashing_sha256"}
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    quorum = {"vhost": VHOST, "durable": True, "auto_delete": False, "arguments": {"x-queue-type": "quorum"}}
    exchange = {"vhost": VHOST, "durable": True, "auto_delete": False, "internal": False, "arguments": {}}
    bound = {"vhost": VHOST, "destination_type": "queue", "arguments": {}}
    elsewhere = {"pattern": f"^{EVENTS}$".replace(".", r"\."), "apply-to": "exchanges", "priority": 0}
    return {
        "users": [{"name": USER, **hashed, "tags": ["administrator"], "limits": {}}],
        "vhosts": [{"name": VHOST}],
        "permissions": [{"user": USER, "vhost": VHOST, **everything}],
        "queues": [{"name": EVENTS, **quorum}, {"name": UNROUTED, **quorum}],
        "exchanges": [{"name": EVENTS, "type": "direct", **exchange}, {"name": UNROUTED, "type": "fanout", **exchange}],
        "bindings": [
            {"source": EVENTS, "destination": EVENTS, "routing_key": EVENTS, **bound},
            {"source": UNROUTED, "destination": UNROUTED, "routing_key": "", **bound},
        ],
        "policies": [
            {"vhost": VHOST, "name": "events", **elsewhere, "definition": {"alternate-exchange": UNROUTED}},
        ],
    }
