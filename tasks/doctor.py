"""The doctor: looks at every part and connection, says what is wrong and how to mend it."""

import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata

import psycopg
from kombu.exceptions import OperationalError

from infra.models.catalogue import open_catalogue
from infra.records.migrate import applied, migrations
from infra.records.pool import session
from schemas.errors import NafudaError
from schemas.events import QueueState
from schemas.pipeline import INGEST, MERGE, QUEUES, group_of
from tasks.follow import source_of
from tasks.services import Services

_ENOUGH_DISK = 2 * 2**30  # bytes
_ONNXRUNTIMES = ("onnxruntime", "onnxruntime-gpu")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. remedy: what to do when it is not well."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def examine(services: Services) -> Iterator[Finding]:
    """Look at everything; one broken part does not hide the others."""
    for look in (
        _disk,
        _database,
        _broker,
        _buckets,
        _events,
        _derived,
        _search,
        _vectors,
        _models,
        _runtime,
        _workers,
    ):
        yield _safely(look, services)


def _safely(look: Callable[[Services], Finding], services: Services) -> Finding:
    name = look.__name__.removeprefix("_")
    try:
        return look(services)
    except NafudaError as error:
        return Finding(name, False, str(error), _REMEDIES.get(name, "see the message"))
    except (OSError, psycopg.Error, OperationalError) as error:
        return Finding(name, False, f"{type(error).__name__}: {error}", _REMEDIES.get(name, "see the message"))


_REMEDIES = {
    "database": "start Nafuda with `nafuda run`, or check NAFUDA_DATABASE_URL and that the server accepts us",
    "broker": "check NAFUDA_BROKER_URL and the broker's queues; without it the broker lives in the database",
    "buckets": "check NAFUDA_OBJECTS_URL, the rights on it and, for S3, the credentials",
    "events": "make the queue and let the store send to it, or check NAFUDA_EVENTS_URL and NAFUDA_EVENTS_QUEUE",
    "derived": "check NAFUDA_DERIVED_URL and the rights to write, read and delete there; `nafuda migrate` makes it",
    "search": "run `nafuda migrate`, then look at the database's log",
    "models": "get the files named above, or change NAFUDA_MODELS",
}


def _disk(services: Services) -> Finding:
    folder = services.settings.data
    if not folder.exists():
        return Finding("disk", False, f"{folder} does not exist", "give --data DIR, or start `nafuda run`")
    free = shutil.disk_usage(folder).free
    detail = f"{free / 2**30:.1f} GiB free at {folder.resolve()}"
    return Finding("disk", free >= _ENOUGH_DISK, detail, "" if free >= _ENOUGH_DISK else "make room: 2 GiB at least")


def _database(services: Services) -> Finding:
    with session(services.pool) as connection:
        version, known = applied(connection), migrations()[-1].version
        server = connection.info.server_version // 10000
    if version != known:
        remedy = "run `nafuda migrate`" if version < known else "start the newer Nafuda that migrated it"
        return Finding("database", False, f"schema {version}, this Nafuda knows {known}", remedy)
    if not 15 <= server <= 18:
        return Finding("database", False, f"PostgreSQL {server}", "use PostgreSQL 15 to 18")
    return Finding("database", True, f"PostgreSQL {server}, schema {version}")


def _broker(services: Services) -> Finding:
    """It must take hints, too: one whose disk was full may answer and pass its own checks with queues that are down."""
    with services.sender.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, timeout=5)
        place = connection.as_uri()
    played = _played(services)
    queues = [queue for queue in QUEUES if queue in played]  # where nobody is, nobody would take them out again
    for queue in queues:
        services.hint(queue)
    return Finding("broker", True, f"{place} takes hints: {', '.join(queues)}" if queues else place)


def _played(services: Services) -> set[str]:
    """Roles of the workers that are heard of; none while the database is away, which is said where it is looked at."""
    try:
        return _roles(services.work.alive(services.settings.silent))
    except NafudaError:
        return set()


def _roles(heard: Iterable[tuple[str, str]]) -> set[str]:
    return {role for _, own in heard for role in own.split(",")}


def _buckets(services: Services) -> Finding:
    bucket = services.settings.bucket
    if bucket not in services.store.buckets():
        return Finding("buckets", False, f"there is no bucket {bucket!r}", "run `nafuda migrate`, which makes it")
    return Finding("buckets", True, f"{services.store.place}: {', '.join(services.store.buckets())}")


def _events(services: Services) -> Finding:
    """Dead letters are no fault here, and lose nothing: buckets and records are compared all the same."""
    told = services.letters.count()
    letters = f"; dead letters: {told:,}" if told else ""
    remedy = "`nafuda events dead` says why they were not understood; then `events replay` or `discard`" if told else ""
    settings = services.settings
    if settings.s3_endpoint is None:
        return Finding("events", True, "folders are watched" + letters, remedy)
    if not settings.events_url:
        way = "by the webhook only" if settings.events_secret else "nowhere"
        every = f"; buckets are compared every {settings.reconcile_every}"
        return Finding("events", True, f"they arrive {way}{every}{letters}", remedy)
    source = source_of(settings)
    state = source.look()
    if state.consumers == 0:
        detail = f"{source.place}: nobody listens, {state.waiting:,} wait{letters}"
        return Finding("events", False, detail, "start `nafuda worker listen`; its log says what hinders it")
    if state.given_up:
        remedy = "a listener could not confirm what the queue gave up: see its log, and move the messages back"
    return Finding("events", True, f"{source.place}: {_told(state)}{letters}", remedy)


def _told(state: QueueState) -> str:
    parts = [f"{state.waiting:,} wait"]
    parts += [f"{state.taken:,} at work"] if state.taken is not None else []
    parts += [f"{state.consumers} listen"] if state.consumers is not None else []
    parts += [f"{state.given_up:,} given up"] if state.given_up else []
    return ", ".join(parts)


def _derived(services: Services) -> Finding:
    """Thumbnails and views must take writes, and give back what was written."""
    probe = f"probe-{secrets.token_hex(8)}"
    services.derived.put("doctor", probe, probe.encode())
    with services.derived.open("doctor", probe) as file:
        same = file.read() == probe.encode()
    services.derived.delete("doctor", probe)
    detail = f"thumbnails and views: {services.derived.place}"
    return Finding("derived", same, detail, "" if same else "it gave back other bytes than were put there")


def _search(services: Services) -> Finding:
    documents = services.index.count()
    records = sum(n for name, n in services.records.summary().items() if name in ("pending", "partial", "complete"))
    detail = f"{documents:,} documents for {records:,} live records"
    return Finding("search", True, detail)


def _vectors(services: Services) -> Finding:
    """Without pgvector everything else works, so it is no fault to be without; the detail says what to install."""
    lacking = services.similar.lacking()
    return Finding("vectors", True, f"off: {lacking}" if lacking else "searched")


def _models(services: Services) -> Finding:
    catalogue = open_catalogue(services.settings.models_folder)
    installed = [catalogue.install(name) for name in services.settings.models]
    return Finding("models", True, ", ".join(f"{each.manifest.id} {each.revision[:12]}" for each in installed))


def _runtime(services: Services) -> Finding:
    found = []
    for name in _ONNXRUNTIMES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    if len(found) != 1:
        detail = " and ".join(found) or "ONNX Runtime is not installed"
        return Finding("runtime", False, detail, "install exactly one of the extras cpu, cuda, tensorrt")
    return Finding("runtime", True, found[0])


def _needed(services: Services) -> set[str]:
    """The roles without which something stays undone: groups only where a model in force belongs to one."""
    known = open_catalogue(services.settings.models_folder)
    manifests = [known.manifest(name) for name in services.settings.models]
    groups = {group_of(each.stage).name for each in manifests}
    encodes = {"encode" for each in manifests if each.runner == "embedder" and each.output.params["text"]}
    return {INGEST, MERGE, "listen", "sweep", *groups, *encodes}


def _workers(services: Services) -> Finding:
    heard = services.work.alive(services.settings.silent)
    missing = sorted(_needed(services) - _roles(heard))
    if missing:
        return Finding(
            "workers", False, f"nobody plays {', '.join(missing)}", f"start `nafuda worker {' '.join(missing)}`"
        )
    return Finding("workers", True, ", ".join(f"{name} ({own})" for name, own in heard))
