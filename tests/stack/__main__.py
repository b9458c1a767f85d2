"""The command line of the stack: `python -m tests.stack install|up|down|env|status [SERVER…]`."""

import argparse
import os
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from schemas.errors import NafudaError, TransientError
from tests.stack.aws import AWS
from tests.stack.elasticmq import ElasticMQ
from tests.stack.minio import MinIO
from tests.stack.opensearch import OpenSearch
from tests.stack.packages import alone
from tests.stack.places import Place, read_place
from tests.stack.postgres import Postgres, Postgres15
from tests.stack.processes import memory, tree
from tests.stack.rabbitmq import RabbitMQ
from tests.stack.redis import Redis
from tests.stack.server import Server
from tests.stack.toxiproxy import Toxiproxy

_DEFAULT: tuple[type[Server], ...] = (RabbitMQ, OpenSearch, Postgres, MinIO)
ON_REQUEST: tuple[type[Server], ...] = (ElasticMQ, AWS, Redis, Postgres15, Toxiproxy)
SERVERS = (*_DEFAULT, *ON_REQUEST)


def install(servers: Sequence[Server]) -> None:
    """Bring their programs onto this machine, where they are not there."""
    started = time.monotonic()
    for server in servers:
        server.install()
        _tell(f"{server.name}: installed, {time.monotonic() - started:.1f} s")


def up(servers: Sequence[Server]) -> None:
    """Install and start what does not run, then wait until each answers."""
    started = time.monotonic()
    for server in servers:
        server.up()
        _tell(f"{server.name}: process {server.pid}, {time.monotonic() - started:.1f} s")
    for server in servers:
        _tell(f"{server.name}: {server.wait()} answers, {time.monotonic() - started:.1f} s")


def down(servers: Sequence[Server]) -> None:
    """Stop, last started first."""
    for server in reversed(servers):
        server.down()


def status(servers: Sequence[Server]) -> None:
    """A line a server: whether it runs, what it says, its process, its memory."""
    for server in servers:
        pid = server.pid
        if pid is None:
            print(f"{server.name:<11} down")
            continue
        try:
            said = server.ask()
        except TransientError as error:
            said = f"does not answer: {error}"
        print(f"{server.name:<11} up    process {pid}, {memory(tree(pid)) >> 20} MiB, port {server.port}: {said}")


def env(servers: Sequence[Server]) -> None:
    """The variables, as a shell takes them: eval "$(python -m tests.stack env)"."""
    for server in servers:
        for name, value in server.environment().items():
            print(f"export {name}={shlex.quote(value)}")


def chosen(place: Place, names: Sequence[str], given: Mapping[str, str], *, starting: bool) -> list[Server]:
    """The servers of these names, in the order of their start; none of whose kind the environment names another."""
    wanted = [each for each in SERVERS if each.name in names or (not names and not (starting and each in ON_REQUEST))]
    servers = [each(place) for each in wanted]
    return [each for each in servers if not (starting and _another(each, given))]


def _another(server: Server, given: Mapping[str, str]) -> bool:
    """Whether the environment names a server in place of this one; a shell that took our own variables names itself."""
    named = given.get(server.stands_for_it)
    return bool(named) and named != server.environment()[server.stands_for_it]


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


_COMMANDS: Mapping[str, Callable[[Sequence[Server]], None]] = {
    "install": install,
    "up": up,
    "down": down,
    "env": env,
    "status": status,
}


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Do what the command line says; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.stack", description=__doc__)
    parser.add_argument("command", choices=list(_COMMANDS))
    names = [each.name for each in SERVERS]
    parser.add_argument("servers", nargs="*", metavar="SERVER", help=", ".join(names))
    asked = parser.parse_args(arguments)
    if unknown := sorted(set(asked.servers) - set(names)):
        parser.error(f"no such server: {', '.join(unknown)}; there are {', '.join(names)}")
    try:
        place = read_place(environment)
        servers = chosen(place, asked.servers, environment, starting=asked.command in {"install", "up", "env"})
        with alone(place.folder / "lock"):
            _COMMANDS[asked.command](servers)
            if asked.command == "up":
                env(servers)
    except NafudaError as error:
        _tell(f"stack: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
