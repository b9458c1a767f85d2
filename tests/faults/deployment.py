"""A whole deployment to be broken: four servers behind a network of our making, a process for each role, uploads."""

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from infra.settings import read_settings
from schemas.errors import NafudaError
from tasks.prepare import prepare
from tasks.services import Services
from tests.faults.counting import pending
from tests.faults.network import Network
from tests.faults.roles import Roles
from tests.faults.uploads import Uploads
from tests.stack import packages
from tests.stack.given import environment
from tests.stack.own import OwnStack, own_stack
from tests.stack.places import USER
from tests.stack.telling import make_telling

BUCKET = "images"
DERIVED = "data/derived"  # in the deployment's folder: thumbnails and views
_DISK = 3 * 2**30  # bytes of a small disk: 10,000 thumbnails fit
ON_DISKS = ("postgres", "opensearch", "rabbitmq", "minio")
ROLES = (("ingest",), ("vision",), ("language",), ("encode",), ("merge",), ("listen",), ("sweep",), ("web",))
SERVERS = ("rabbitmq", "opensearch", "postgres", "minio", "toxiproxy")
THROUGH = {  # our settings, by the proxy and the variable of the stack that they come from
    "NAFUDA_DATABASE_URL": ("postgres", "NAFUDA_TEST_DATABASE_URL"),
    "NAFUDA_BROKER_URL": ("rabbitmq", "NAFUDA_TEST_BROKER_URL"),
    "NAFUDA_EVENTS_URL": ("rabbitmq", "NAFUDA_TEST_BROKER_URL"),
    "NAFUDA_OBJECTS_URL": ("minio", "NAFUDA_TEST_S3_URL"),
    "NAFUDA_SEARCH_URL": ("opensearch", "NAFUDA_TEST_OPENSEARCH_URL"),
}
_FIXED = {
    "NAFUDA_SILENT": "PT5S",
    "NAFUDA_RECONCILE_EVERY": "PT20S",
    "NAFUDA_DECODERS": "1",
    "NAFUDA_CONCURRENCY": "2",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


@dataclass(frozen=True, slots=True)
class Deployment:
    """Its parts. services: a look at the truth, past the network that is broken. ports: of the proxies, by variable.
    guests: what a fault brought along, and what belongs to the system until all has settled."""

    folder: Path
    stack: OwnStack
    network: Network
    roles: Roles
    services: Services
    uploads: Uploads
    ports: Mapping[str, tuple[str, int]]
    guests: ExitStack = field(default_factory=ExitStack)

    def pending(self) -> int:
        """What is still to be done; everything, while the database recovers."""
        try:
            return pending(self.services, self.uploads)
        except NafudaError:
            return len(self.uploads.stored)

    def settle(self, limit: float) -> float:
        """Wait until nothing is pending; returns the seconds that it took. TimeoutError tells what is left."""
        begun = time.monotonic()
        while True:
            left = self.pending()
            if left == 0:
                return time.monotonic() - begun
            if time.monotonic() - begun > limit:
                raise TimeoutError(f"{left} pending after {limit} s\n{self.roles.tell()}")
            time.sleep(0.1)


@contextmanager
def deployment(folder: Path, *, small_disks: bool = False) -> Iterator[Deployment]:
    """One that runs, from nothing; gone in the end. small_disks: what is derived, and the stores, have their own; needs
    root."""
    disks = _small_disks(folder) if small_disks else nullcontext()
    with disks, own_stack(folder / "stack") as stack:
        given = stack.up(*SERVERS)
        network = Network(given["NAFUDA_TEST_TOXIPROXY_URL"])
        ports = {name: network.proxy(name, stack.server(name).port) for name in SERVERS[:-1]}
        straight = {ours: _address(ours, given[theirs]) for ours, (_, theirs) in THROUGH.items()}
        broken = {ours: _moved(straight[ours], ports[name]) for ours, (name, _) in THROUGH.items()}
        common = {**_FIXED, "NAFUDA_DATA": str(folder / "data"), "NAFUDA_BUCKET": BUCKET, **_credentials(given)}
        with environment({**given, **common}):
            uploads = Uploads(given["NAFUDA_TEST_S3_URL"], USER, given["AWS_SECRET_ACCESS_KEY"], BUCKET)
            services = _prepared({**common, **straight}, uploads)
            with Roles(ROLES, {**common, **broken, **_own_ports()}, folder).running() as roles:
                placed = {ours: (name, ports[name]) for ours, (name, _) in THROUGH.items()}
                site = Deployment(folder, stack, network, roles, services, uploads, placed)
                uploads.put(1)
                site.settle(60)
                yield site
            services.close()
        network.close()


def _prepared(variables: Mapping[str, str], uploads: Uploads) -> Services:
    """Tables, rules, models and a bucket that tells."""
    settings = read_settings(variables)
    settings.data.mkdir(exist_ok=True)
    services = Services(settings)
    prepare(services)
    make_telling(uploads.s3, BUCKET)
    return services


@contextmanager
def _small_disks(folder: Path) -> Iterator[None]:
    with ExitStack() as disks:
        for place in (folder / DERIVED, *(folder / "stack" / name for name in ON_DISKS)):
            disks.enter_context(_small_disk(place))
        yield


@contextmanager
def _small_disk(folder: Path) -> Iterator[None]:
    """A file system that is a sparse file beside the folder: it takes no memory."""
    image = folder.with_name(f"{folder.name}.disk")
    folder.mkdir(parents=True)
    with image.open("wb") as file:
        file.truncate(_DISK)
    packages.run([packages.program("mkfs.ext4", "a disk is made", "e2fsprogs"), "-q", image], "see what it said")
    packages.run(["mount", "-o", "loop", image, folder], "a disk needs root, and a loop device")
    try:
        yield
    finally:
        packages.run(["umount", "-l", folder], "unmount it by hand")


def _own_ports() -> dict[str, str]:
    """Of the pages, and of whom they ask for the vector of a text."""
    port = str(_free_port())
    encoder = {"NAFUDA_ENCODER_PORT": port, "NAFUDA_ENCODER_URL": f"http://127.0.0.1:{port}"}
    return {"NAFUDA_WEB_PORT": str(_free_port()), **encoder}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
    return found


def _address(variable: str, url: str) -> str:
    return f"s3+{url}" if variable == "NAFUDA_OBJECTS_URL" else url


def _moved(url: str, port: int) -> str:
    return url.replace(f":{urlsplit(url).port}", f":{port}", 1)


def _credentials(given: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in given.items() if name.startswith("AWS_")}
