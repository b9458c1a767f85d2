"""What a message can make us fetch: objects of collections, from the store in the settings, and nothing else (R76)."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.settings import Settings
from schemas.pipeline import INGEST
from tasks.ingest import ingest
from tasks.notifications import take_notifications
from tasks.services import Services
from tests.records.books import Books
from tests.rounds.following import told
from workers.decode.pool import DecodePool
from workers.fetching import Several
from workers.ingest.ingest import Ingest


class Store(ThreadingHTTPServer):
    """An S3 server that has nothing and remembers what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Asked(BaseHTTPRequestHandler):
    """One request, whatever it asks."""

    def handle_one_request(self) -> None:
        super().handle_one_request()
        if getattr(self, "path", ""):
            assert isinstance(self.server, Store)
            self.server.asked.append(f"{self.command} {self.path}")

    def do_HEAD(self) -> None:
        self.send_error(404)

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture
def store() -> Iterator[Store]:
    with Store() as store:
        threading.Thread(target=store.serve_forever, daemon=True).start()
        yield store
        store.shutdown()


@pytest.fixture
def services(tmp_path: Path, database: str, store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "nafuda")
    settings = Settings(
        data=tmp_path, database_url=database, broker_url="memory://", objects_url=f"s3+{store.url}", bucket="ours"
    )
    services = Services(settings, ("ingest",))
    services.work.beat()
    yield services
    services.close()


def look(services: Services) -> None:
    """What the role ingest does with every hint."""
    with DecodePool(1) as decoder, Several(2) as several:
        worker = Ingest(
            services.store,
            services.derived,
            services.objects,
            decoder,
            services.inputs,
            (),
            several,
            services.settings.max_bytes,
        )
        while any(each.stage == INGEST and each.state == "ready" for each in services.work.counts()):
            ingest(services, worker)


@pytest.fixture
def books(services: Services) -> Books:
    books = Books(services.pool)
    books.collection(bucket="ours", prefix="art/")
    return books


def test_no_message_leads_to_another_bucket_or_address(services: Services, books: Books, store: Store) -> None:
    def record(bucket: str, key: str) -> object:
        said = told(bucket)["Records"][0]  # type: ignore[index]
        return {**said, "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}

    foreign = [
        record("theirs", "art/a.png"),
        record("ours", "a.png"),
        record("169.254.169.254", "latest/meta-data"),
        record("..", "ours/art/a.png"),
        record("ours@evil.example", "art/a.png"),
        record("ours/../theirs", "art/a.png"),
    ]
    take_notifications(services, [json.dumps({"Records": foreign})], "test")
    confirmation = {"Type": "SubscriptionConfirmation", "Message": "", "SubscribeURL": f"{store.url}/confirm"}
    take_notifications(services, [json.dumps(confirmation)], "test")
    look(services)
    assert store.asked == []
    take_notifications(services, [json.dumps({"Records": [record("ours", "art/../../theirs/a.png")]})], "test")
    take_notifications(services, [json.dumps({"Records": [record("ours", "art/http://evil.example/a.png")]})], "test")
    look(services)
    assert store.asked and all(asked.startswith("GET /ours/art/") for asked in store.asked)
