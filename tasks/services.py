"""The parts of a process, joined once from its settings; everything above takes them as one argument."""

import os
import secrets
import socket
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Protocol

from celery import Celery
from kombu.exceptions import OperationalError

from infra.broker.config import celery_config
from infra.objects.folder import FolderStore
from infra.objects.prefixed import PrefixedStore
from infra.objects.telling import TellingStore
from infra.records.backfill import PostgresBackfill
from infra.records.erasure import PostgresErasure
from infra.records.indexing import PostgresIndexing
from infra.records.letters import PostgresLetters
from infra.records.merging import PostgresMerging
from infra.records.objects import PostgresObjects
from infra.records.pool import Pool, open_pool
from infra.records.records import PostgresRecords
from infra.records.results import PostgresResults
from infra.records.rules import PostgresRules
from infra.records.work import PostgresWork
from infra.search.postgres import PostgresSearch, PostgresSimilar
from infra.settings import Settings
from infra.telemetry.metrics import WorkerMetrics
from schemas.errors import ConfigurationError, TransientError
from schemas.ports import ObjectStore
from schemas.search import SearchIndex
from schemas.search.similar import SimilarImages
from schemas.signing import Signer
from tasks.apart import check_apart
from tasks.gate import Gate
from tasks.outage import Outage
from tasks.room import Room
from workers.cache import InputCache
from workers.ingest.ingest import THUMBNAILS

if TYPE_CHECKING:
    from infra.objects.s3 import S3Store
    from infra.search.opensearch import OpenSearchIndex

VIEWS = "views"  # large renditions of images
DERIVED_BUCKETS = (THUMBNAILS, VIEWS, "doctor")


class HasCode(Protocol):
    """An error or a failure."""

    @property
    def code(self) -> str:
        """Short and stable."""


@dataclass
class Services:
    """Ports and their adapters for one process. Nothing is connected before it is used."""

    settings: Settings
    roles: tuple[str, ...] = ()
    gate: Gate = field(default_factory=Gate)
    metrics: WorkerMetrics = field(default_factory=WorkerMetrics)
    inputs: InputCache = field(default_factory=InputCache)
    index_turn: threading.Lock = field(default_factory=threading.Lock)
    index_outage: Outage = field(default_factory=partial(Outage, "the search index"))
    database_outage: Outage = field(default_factory=partial(Outage, "the database"))
    broker_outage: Outage = field(default_factory=partial(Outage, "the broker", longest=timedelta(seconds=5)))
    objects_outage: Outage = field(default_factory=partial(Outage, "the object store"))
    events_outage: Outage = field(default_factory=partial(Outage, "the source of events", so="no events come"))
    _servers: dict[str, "S3Store"] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        outages = {
            "database": self.database_outage,
            "broker": self.broker_outage,
            "search": self.index_outage,
            "objects": self.objects_outage,
            "events": self.events_outage,
        }
        for name, outage in outages.items():
            self.metrics.away.labels(name).set_function(partial(_away, outage))

    @cached_property
    def pool(self) -> Pool:
        """Connections to the records."""
        if not self.settings.database_url:
            raise ConfigurationError(
                f"no Nafuda runs on {self.settings.data.resolve()}: start it with `nafuda run`, or set "
                "NAFUDA_DATABASE_URL to a PostgreSQL server"
            )
        size = self.settings.concurrency + 5
        return open_pool(
            self.settings.database_url,
            size=size,
            name=",".join(self.roles) or "cli",
            statement_timeout=self.settings.database_timeout,
            silence=self.settings.database_silence,
        )

    @cached_property
    def worker(self) -> str:
        """The name that claims carry: host, place, life. A successor in the same place frees the claims.

        The token keeps lives apart: in a container every process is number 1.
        """
        place = self.settings.place or f"{'-'.join(self.roles) or 'cli'}.{os.getpid()}"
        return f"{socket.gethostname()}:{place}:{os.getpid()}-{secrets.token_hex(3)}"

    @cached_property
    def room(self) -> Room:
        """Places for what may wait."""
        return Room(self.settings.concurrency, self.settings.chunk)

    @cached_property
    def work(self) -> PostgresWork:
        """What is to be done."""
        return PostgresWork(self.pool, self.worker, ",".join(self.roles), self.backend)

    @cached_property
    def objects(self) -> PostgresObjects:
        """What is stored."""
        return PostgresObjects(self.pool, self.backend)

    @cached_property
    def letters(self) -> PostgresLetters:
        """What could not be understood."""
        return PostgresLetters(self.pool)

    @cached_property
    def backfill(self) -> PostgresBackfill:
        """What older images lack."""
        return PostgresBackfill(self.pool)

    @cached_property
    def erasure(self) -> PostgresErasure:
        """What is to be forgotten."""
        return PostgresErasure(self.pool)

    @cached_property
    def results(self) -> PostgresResults:
        """What models said."""
        return PostgresResults(self.pool)

    @cached_property
    def rules(self) -> PostgresRules:
        """Collections, plans, models, vocabulary, thresholds, policies."""
        return PostgresRules(self.pool)

    @cached_property
    def records(self) -> PostgresRecords:
        """What was merged."""
        return PostgresRecords(self.pool, self.rules)

    @cached_property
    def merging(self) -> PostgresMerging:
        """Merge rounds."""
        return PostgresMerging(self.pool)

    @property
    def backend(self) -> str:
        """The kind of search index in force."""
        return "opensearch" if self.settings.search_url else "postgres"

    @cached_property
    def indexing(self) -> PostgresIndexing:
        """What the search index has got."""
        return PostgresIndexing(self.pool, self.backend)

    @cached_property
    def store(self) -> ObjectStore:
        """The buckets."""
        endpoint = self.settings.s3_endpoint
        return self._telling(self.folder if endpoint is None else self._s3(endpoint))

    @cached_property
    def folder(self) -> FolderStore:
        """The same where they are folders."""
        return FolderStore(self.settings.buckets_folder, create=not self.settings.objects_url)

    def _telling(self, store: ObjectStore) -> ObjectStore:
        return TellingStore(store, self.objects_outage.began, self.objects_outage.over)

    @cached_property
    def derived(self) -> ObjectStore:
        """What we made from images: thumbnails and views, all of which can be made again.

        ConfigurationError when they would lie where a collection's images do.
        """
        check_apart(self.settings, [(bucket, prefix) for bucket, prefix, _ in self.objects.sources()])
        address = self.settings.derived_address
        if address is None:
            store = FolderStore(self.settings.derived_folder, create=True)
            for bucket in DERIVED_BUCKETS:
                store.make_bucket(bucket)
            return self._telling(store)
        server = self._s3(address.endpoint)
        return self._telling(PrefixedStore(server, address.bucket, address.prefix, DERIVED_BUCKETS))

    def _s3(self, endpoint: str) -> "S3Store":
        """A server's store, one for each server; nothing is connected yet."""
        if endpoint not in self._servers:
            from infra.objects.s3 import S3Store  # boto3 takes a fifth of a second to load

            self._servers[endpoint] = S3Store(endpoint, timeout=self.settings.objects_timeout)
        return self._servers[endpoint]

    @cached_property
    def signer(self) -> Signer | None:
        """What signs uploads and downloads past us; None where files pass through us."""
        settings = self.settings
        if not settings.direct_url:
            return None
        if settings.s3_endpoint is None:
            raise ConfigurationError("NAFUDA_DIRECT_URL: folders are reached through us only; unset it")
        from infra.objects.s3_signing import S3Signer

        endpoint = "" if settings.direct_url.startswith("s3:") else settings.direct_url
        return S3Signer(endpoint, lasting=settings.signed_for)

    @cached_property
    def index(self) -> SearchIndex:
        """The search index."""
        return self.opensearch or PostgresSearch(self.pool, self._canonical)

    @cached_property
    def opensearch(self) -> "OpenSearchIndex | None":
        """The same where it is on OpenSearch."""
        settings = self.settings
        if not settings.search_url:
            return None
        from infra.search.opensearch import Editions, OpenSearchIndex, connect  # its client takes long to load

        client = connect(settings.search_url, timeout=settings.search_timeout, connections=settings.concurrency + 5)
        editions = Editions(client, settings.search_index, settings.search_shards, settings.search_replicas)
        return OpenSearchIndex(client, editions, self._canonical)

    def _canonical(self, name: str) -> str:
        return self.rules.current().vocabulary.aliases.get(name, name)

    @cached_property
    def similar(self) -> SimilarImages:
        """What is alike."""
        if self.opensearch is None:
            return PostgresSimilar(self.pool)
        from infra.search.opensearch import OpenSearchSimilar

        return OpenSearchSimilar(self.opensearch, self.pool)

    @cached_property
    def sender(self) -> Celery:
        """An app that only sends."""
        app = Celery("nafuda", set_as_current=False)
        app.conf.update(celery_config(self.settings, consumes=False))
        return app

    def wake(self, queue: str) -> None:
        """Send a hint after a commit, unless enough are under way. The sweeper mends a broker that is away."""
        if self.work.announce(queue):
            self.send(queue)

    def send(self, queue: str) -> None:
        """Send a hint now. A broker that is away loses nothing but time, and is waited for only once in a while."""
        if self.broker_outage.paused():
            return
        try:
            self.hint(queue)
            self.broker_outage.over()
        except TransientError as error:
            self.broker_outage.began(error)

    def hint(self, queue: str) -> None:
        """Send a hint and wait until the broker has it.

        TransientError whatever the broker answers: one that cannot write its queues refuses as if for good.
        """
        with self.sender.producer_pool.acquire(block=True) as producer:
            connection = producer.connection
            refusals = (OperationalError, *connection.connection_errors, *connection.channel_errors)
            try:
                self.sender.send_task(f"nafuda.{queue}", queue=queue, retry=False, producer=producer)
            except refusals as error:
                connection.collect()  # a late answer must not be taken for the next hint's
                said = str(error) or str(error.__cause__ or "") or "no answer in time"
                refused = f"queue {queue} takes no hint: {said}; check NAFUDA_BROKER_URL"
                raise TransientError(refused, code="broker-away") from error

    def count(self, stage: str, done: int, failed: Iterable[HasCode]) -> None:
        """Count what a chunk came to."""
        self.metrics.done.labels(stage).inc(done)
        for each in failed:
            self.metrics.failed.labels(stage, each.code).inc()

    def close(self) -> None:
        """Let connections go that were made."""
        if "sender" in self.__dict__:
            with suppress(OSError):
                self.sender.close()
        for server in self._servers.values():
            server.close()
        if self.__dict__.get("opensearch"):
            self.__dict__["opensearch"].close()
        if "pool" in self.__dict__:
            self.pool.close()


def _away(outage: Outage) -> float:
    return float(outage.away)
