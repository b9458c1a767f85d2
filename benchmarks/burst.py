"""Many events at once: how fast the listener writes them down, and what one costs.

    python -m benchmarks.burst [--events 5000]

RabbitMQ, MinIO and PostgreSQL, and one listener on the same cores. It is halted while notifications are put into its
queue, each of another object; time runs from when it may go on until the ledger has a row of each.
"""

import argparse
import json
import signal
import tempfile
import time
from pathlib import Path

import psycopg

from benchmarks.on_stack import prepared, tree_seconds
from tests.e2e.instance import wait_for
from tests.events.recorded import message, record
from tests.faults.roles import Roles
from tests.stack.given import environment
from tests.stack.own import OwnStack, own_stack
from tests.stack.telling import own_queue

_BUCKET = "images"
_SERVERS = ("rabbitmq", "postgres", "minio")
_WARM_UP = 500


def run(events: int) -> tuple[float, dict[str, float]]:
    """Seconds for all, and CPU seconds in that time by process."""
    with tempfile.TemporaryDirectory() as name, own_stack(Path(name) / "stack") as stack:
        given = stack.up(*_SERVERS)
        with environment(given), own_queue() as queue:
            queue.queue_declare()
            ours = {
                "NAFUDA_DATA": name,
                "NAFUDA_BROKER_URL": given["NAFUDA_TEST_BROKER_URL"],
                "NAFUDA_OBJECTS_URL": f"s3+{given['NAFUDA_TEST_S3_URL']}",
                "NAFUDA_EVENTS_URL": given["NAFUDA_TEST_BROKER_URL"],
                "NAFUDA_EVENTS_QUEUE": queue.name,
                "NAFUDA_BUCKET": _BUCKET,
            }
            with environment(ours), prepared(), Roles([("listen",)], {}, Path(name)).running() as roles:
                wait_for(lambda: queue.queue_declare(passive=True).consumer_count == 1, 60, roles.tell)
                listener = _Listener(stack, roles, queue.name, given["NAFUDA_DATABASE_URL"])
                listener.takes(0, _WARM_UP)
                return listener.takes(_WARM_UP, events)


class _Listener:
    """One whose queue is filled while it stands still."""

    def __init__(self, stack: OwnStack, roles: Roles, queue: str, database: str) -> None:
        self._stack, self._roles, self._queue, self._database = stack, roles, queue, database

    def takes(self, known: int, events: int) -> tuple[float, dict[str, float]]:
        """Seconds, and CPU seconds by process, for so many events of objects beside those that are known."""
        self._roles.kill("listen", signal.SIGSTOP)
        try:
            self._send(range(known, known + events))
            spent = self._spent()
        finally:
            self._roles.kill("listen", signal.SIGCONT)
        started = time.perf_counter()
        with psycopg.connect(self._database, autocommit=True) as database:
            query = "SELECT count(*) = %s FROM objects"
            wait_for(lambda: database.execute(query, (known + events,)).fetchone() == (True,), 600, self._roles.tell)
        seconds = time.perf_counter() - started
        return seconds, {name: now - spent[name] for name, now in self._spent().items()}

    def _send(self, numbers: range) -> None:
        with own_queue() as told, told.channel.connection.client.Producer() as producer:
            for number in numbers:
                body = json.dumps(message(record(key=f"{number:08}.jpg", name=_BUCKET)))
                producer.publish(body.encode(), routing_key=self._queue, content_type="application/json")

    def _spent(self) -> dict[str, float]:
        roots = {"listener": self._roles.pid("listen"), **{name: self._stack.server(name).pid for name in _SERVERS}}
        return {name: tree_seconds(root) for name, root in roots.items()}


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=5000)
    options = parser.parse_args()
    seconds, spent = run(options.events)
    print(f"{options.events} events in {seconds:.1f} s: {options.events / seconds:.0f} a second")
    each = ", ".join(f"{name} {used / options.events * 1000:.2f}" for name, used in spent.items())
    print(f"CPU milliseconds an event: {each}")


if __name__ == "__main__":
    main()
