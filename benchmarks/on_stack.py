"""The whole path on the real stack: RabbitMQ, MinIO, PostgreSQL and OpenSearch on the same cores as the workers.

Three processes work, as in `nafuda run` but for the pages: ingest and models; merge, index and sweep; the listener,
which is halted while the pictures of a round are put into the bucket, until RabbitMQ has an event of each; then it goes
on, and time runs until search finds the last of them, complete. Thumbnails lie in a folder. A round's ceiling is the
mean of one that was measured before and one after it.

far: all that passes between the workers and MinIO takes so many milliseconds each way (Toxiproxy), as in another town.

With a timed device, inference takes no CPU, so that two rates bound the path: the device's, images a batch / time of a
batch, and that at which all cores could do the decoding, were nothing else to be done. The lower one is *its rate*.
"""

import os
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from botocore.client import BaseClient
from kombu.entity import Queue

from benchmarks.ceiling import Ceiling, mean, measure_ceiling, megapixels, pictures
from benchmarks.looks import idle
from benchmarks.timed import MOST, VARIABLE
from infra.settings import read_settings
from schemas.search import SearchRequest, Viewer, parse
from tasks.prepare import prepare
from tasks.services import Services
from tests.e2e.instance import wait_for
from tests.faults.network import Network
from tests.faults.roles import Roles
from tests.stack.given import environment
from tests.stack.own import OwnStack, own_stack
from tests.stack.processes import tree
from tests.stack.telling import client, make_telling, own_queue

_BUCKET = "images"
_SERVERS = ("rabbitmq", "opensearch", "postgres", "minio")
_COMMANDS = (("ingest", "vision", "language"), ("merge", "sweep"), ("listen",))
_WARM_UP = 64
_CEILING_OF = 100  # pictures, at most
_TICK = os.sysconf("SC_CLK_TCK")
_FIXED = {
    "NAFUDA_BUCKET": _BUCKET,
    "NAFUDA_SILENT": "PT5M",  # a halted listener is not dead
    "NAFUDA_RECONCILE_EVERY": "PT1H",  # only events tell
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
_TIMED = {"NAFUDA_MODELS": "nafuda/sample-tagger"}


@dataclass(frozen=True, slots=True)
class Measured:
    """Rates are images a second, cpu is milliseconds an image by kind of process. batch: a timed device's, or None.

    load: the machine's load average before and at the end.
    """

    images: int
    megapixels: float
    ceiling: Ceiling
    batch: float | None
    rate: float
    cpu: dict[str, float]
    load: tuple[float, float]

    @property
    def device(self) -> float | None:
        """The timed device's own rate."""
        return None if self.batch is None else MOST * 1000 / self.batch

    @property
    def bound(self) -> float:
        """The lowest of the rates that nothing can exceed."""
        ceiling = self.ceiling.images_per_second
        return ceiling if self.device is None else min(ceiling, self.device)

    @property
    def share(self) -> float:
        """Of the CPU ceiling."""
        return self.rate / self.ceiling.images_per_second

    @property
    def busy(self) -> float:
        """Share of the cores that all these processes used together."""
        return sum(self.cpu.values()) * self.rate / 1000 / self.ceiling.cores

    @property
    def unavoidable(self) -> float:
        """Share of the CPU time that decoding and inference take: of the ceiling, no more can be reached here."""
        return (self.ceiling.decode + self.ceiling.inference) / sum(self.cpu.values())

    def lines(self) -> Iterator[str]:
        """What is printed."""
        c = self.ceiling
        before, after = self.load
        yield f"{self.images} JPEG of {self.megapixels} MP on {c.cores} cores, load {before:.1f} to {after:.1f}"
        yield f"CPU ms an image: decode and inputs {c.decode:.1f}, inference {c.inference:.1f}; facts {c.facts:.1f}"
        yield "  in the run: " + ", ".join(f"{kind} {spent:.1f}" for kind, spent in self.cpu.items())
        yield f"end to end {self.rate:.1f} images/s; CPU, putting included, {self.busy:.0%} of the cores"
        yield f"CPU ceiling {c.images_per_second:.1f} images/s: {self.share:.0%}; on idle cores {self.unavoidable:.0%}"
        if self.device is not None:
            yield f"the device, {self.batch:g} ms a batch, {self.device:.1f} images/s: {self.rate / self.device:.0%}"
            yield f"its rate, the lower of both, {self.bound:.1f} images/s: {self.rate / self.bound:.0%}"


def run(images: int, longest: int, rounds: int, batch: float | None, far: int = 0) -> list[Measured]:
    """Measure rounds of so many images in one run. batch: milliseconds of the timed device; None: the sample models."""
    models = {} if batch is None else {**_TIMED, VARIABLE: str(batch)}
    with tempfile.TemporaryDirectory() as name, environment(models):
        folder = Path(name)
        paths = pictures(images * rounds + _WARM_UP, folder, longest)
        with own_stack(folder / "stack") as stack, _reached(stack, far) as objects:
            program = "nafuda" if batch is None else "benchmarks.timed"
            with _path(stack, folder, program, objects) as path:
                path.measured(paths[:_WARM_UP])
                measured = paths[_WARM_UP:]
                each = [measured[at * images : (at + 1) * images] for at in range(rounds)]
                return list(_rounds(path, each, batch))


def _rounds(path: "_Path", rounds: Sequence[Sequence[Path]], batch: float | None) -> Iterator[Measured]:
    """The ceiling and the path in turns: shared machines are slower at one moment than at the next."""
    some = rounds[0][:_CEILING_OF]
    last = measure_ceiling(some)
    for paths in rounds:
        load = os.getloadavg()[0]
        rate, cpu = path.measured(paths)
        earlier, last = last, measure_ceiling(some)
        ceiling = mean(earlier, last)
        if batch is not None:
            ceiling = replace(ceiling, models={})
        yield Measured(len(paths), megapixels(paths), ceiling, batch, rate, cpu, (load, os.getloadavg()[0]))


@contextmanager
def _reached(stack: OwnStack, far: int) -> Iterator[str]:
    """MinIO's address for the workers."""
    if not far:
        yield stack.up("minio")["NAFUDA_TEST_S3_URL"]
        return
    given = stack.up("minio", "toxiproxy")
    network = Network(given["NAFUDA_TEST_TOXIPROXY_URL"])
    port = network.proxy("minio", stack.server("minio").port)
    with network.toxic("minio", "latency", latency=far):
        yield f"http://127.0.0.1:{port}"
    network.close()


@contextmanager
def _path(stack: OwnStack, folder: Path, program: str, objects: str) -> Iterator["_Path"]:
    """Servers and workers run. objects: MinIO's address for the workers."""
    given = stack.up(*_SERVERS)
    ours = {
        "NAFUDA_DATA": str(folder / "data"),
        "NAFUDA_BROKER_URL": given["NAFUDA_TEST_BROKER_URL"],
        "NAFUDA_OBJECTS_URL": f"s3+{objects}",
        "NAFUDA_EVENTS_URL": given["NAFUDA_TEST_BROKER_URL"],
        "NAFUDA_SEARCH_URL": given["NAFUDA_TEST_OPENSEARCH_URL"],
    }
    with environment({**given, **ours, **_FIXED}), prepared() as services, client() as s3, own_queue() as queue:
        queue.declare()
        make_telling(s3, _BUCKET)
        with Roles(_COMMANDS, {}, folder, program=program).running() as roles:
            yield _Path(services, roles, stack, s3, queue)


@contextmanager
def prepared() -> Iterator[Services]:
    """Tables, rules and models for what the environment says."""
    settings = read_settings(os.environ)
    settings.data.mkdir(exist_ok=True)
    services = Services(settings)
    prepare(services)
    yield services
    services.close()


@dataclass(frozen=True, slots=True)
class _Path:
    """From the bucket to the search. queue: a second one that gets every event."""

    services: Services
    roles: Roles
    stack: OwnStack
    s3: BaseClient
    queue: Queue

    def measured(self, paths: Sequence[Path]) -> tuple[float, dict[str, float]]:
        """Images a second, and CPU milliseconds an image by kind of process.

        Both from the moment in which the listener may take the events until everything is found, complete.
        """
        before = self._found()
        self.roles.kill("listen", signal.SIGSTOP)
        try:
            self.queue.purge()
            for path in paths:
                self.s3.put_object(Bucket=_BUCKET, Key=path.name, Body=path.read_bytes(), ContentType="image/jpeg")
            wait_for(lambda: self._told() >= len(paths), 30, self.roles.tell)
            spent = self._spent()
        finally:
            self.roles.kill("listen", signal.SIGCONT)
        started = time.perf_counter()
        # Ten searches a second would cost the cores what is measured: search is asked once all work is done.
        with psycopg.connect(self.services.settings.database_url, autocommit=True) as database:
            wait_for(lambda: idle(database) and self._found() >= before + len(paths), 900, self.roles.tell)
        seconds = time.perf_counter() - started
        return len(paths) / seconds, {
            kind: (now - spent[kind]) * 1000 / len(paths) for kind, now in self._spent().items()
        }

    def _told(self) -> int:
        return int(self.queue.queue_declare(passive=True).message_count)

    def _found(self) -> int:
        return self.services.index.hits(SearchRequest(parse("status:complete"), Viewer())).total

    def _spent(self) -> dict[str, float]:
        """CPU seconds so far by kind of process, with those of children that ended."""
        spent = {"decoders": 0.0, "python": 0.0}
        for pid in (each for name in self.roles.children for each in tree(self.roles.pid(name))):
            decoder = "workers.decode.child" in Path(f"/proc/{pid}/cmdline").read_text()
            spent["decoders" if decoder else "python"] += cpu_seconds(pid)
        for name in _SERVERS:
            spent[name] = tree_seconds(self.stack.server(name).pid)
        return spent


def tree_seconds(root: int | None) -> float:
    """CPU seconds that a process and all below it have used so far; none where it does not run."""
    return 0.0 if root is None else sum(map(cpu_seconds, tree(root)))


def cpu_seconds(pid: int) -> float:
    """What a process and its children that ended have used so far."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it ended meanwhile: its parent has its time
        return 0.0
    return sum(map(int, fields[11:15])) / _TICK
