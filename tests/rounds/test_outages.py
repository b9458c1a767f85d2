"""A store or a source of events that is away: said once, seen in the metrics until it answers again (R42, R72, R77)."""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer
from prometheus_client import generate_latest

from infra.settings import Settings
from schemas.errors import TransientError
from schemas.events import EventKind, ObjectEvent
from tasks.listen import take_in
from tasks.outage import Outage
from tasks.prepare import prepare
from tasks.roles import open_rounds
from tasks.services import Services
from tests.e2e.instance import wait_for
from tests.records.books import Books
from tests.rounds.following import books_of, listening, parts
from training.samples import draw

PATIENCE = timedelta(seconds=1)
KEYS = ("a.png", "b.png", "c.png")


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """Nobody listens there."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "nafuda")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def serving(port: int) -> Iterator[None]:
    """An S3 server, which keeps what it has for the next time."""
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    try:
        yield
    finally:
        server.stop()


@contextmanager
def worker(settings: Settings, role: str) -> Iterator[Services]:
    services = Services(settings, (role,))
    services.work.beat()
    yield services
    services.close()


def away(services: Services, server: str) -> bool:
    said = generate_latest(services.metrics.registry).decode()
    return f'nafuda_server_away{{server="{server}"}} 1.0' in said


def test_a_store_that_is_away_is_said_once_by_ingest_and_by_vision_and_its_return_too(
    tmp_path: Path, database: str, books: Books, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    bucket = f"outages-{port}"
    settings = Settings(
        data=tmp_path,
        database_url=database,
        broker_url="memory://",
        objects_url=f"s3+http://127.0.0.1:{port}",
        objects_timeout=PATIENCE,
        bucket=bucket,
        models=("nafuda/sample-tagger",),
    )

    def said(words: str) -> int:
        return sum(words in message for message in caplog.messages)

    with worker(settings, "ingest") as ingest, worker(settings, "vision") as vision:
        with serving(port):
            prepare(ingest)
            for number, key in enumerate(KEYS):
                file = BytesIO()
                draw(9_760_000 + number).image.save(file, "PNG")
                ingest.store.put(bucket, key, file.getvalue())
            assert take_in(ingest, [ObjectEvent(EventKind.CREATED, bucket, key) for key in KEYS]) == len(KEYS)
        with open_rounds(ingest) as rounds:
            for _ in range(2):
                books.due()
                rounds["ingest"]()
            assert said(f"the object store is away, what is meant for it waits: {bucket}/") == 1
            assert away(ingest, "objects")
            with serving(port):
                books.due()
                rounds["ingest"]()
            assert said("the object store is back") == 1
            assert not away(ingest, "objects")
        assert not away(vision, "objects")
        with open_rounds(vision) as rounds:
            books.due()
            rounds["vision"]()
            assert said("the object store is away") == 2
            assert away(vision, "objects")
            with serving(port):
                books.due()
                rounds["vision"]()
            assert said("the object store is back") == 2
            assert not away(vision, "objects")
    assert books.sql("SELECT count(*) FROM results") == [(len(KEYS),)]


def test_a_folder_whose_disk_went_away_is_a_store_that_is_away(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    buckets = services.settings.buckets_folder
    services.store.put("images", "a.png", b"x")
    buckets.rename(buckets.with_name("unmounted"))
    for _ in range(3):
        with pytest.raises(TransientError):
            services.store.head("images", "a.png")
    assert away(services, "objects")
    buckets.with_name("unmounted").rename(buckets)
    assert services.store.head("images", "a.png")
    assert not away(services, "objects")
    assert [message.split(",")[0] for message in caplog.messages if "the object store" in message] == [
        "the object store is away",
        "the object store is back",
    ]


def test_a_source_of_events_that_is_away_is_said_once_and_seen(
    tmp_path: Path, database: str, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    given = {"objects_url": f"s3+http://127.0.0.1:{port}", "events_url": f"amqp://127.0.0.1:{port}//"}
    with parts(tmp_path, database, **given, broker_timeout=PATIENCE, objects_timeout=PATIENCE) as services:
        books_of(services, "images")
        assert not away(services, "events")
        with listening(services):
            wait_for(lambda: away(services, "events"), 30)
            asked = services.events_outage.pause
            wait_for(lambda: services.events_outage.pause > asked, 30)  # and again, after a longer pause
    assert (
        len([message for message in caplog.messages if "the source of events is away, no events come" in message]) == 1
    )
    assert f"127.0.0.1:{port}" in caplog.text


def test_a_server_is_back_when_all_that_it_refused_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    """A store whose disk is full reads well and writes nothing, in turns: that is one outage, not many."""
    caplog.set_level(logging.INFO)
    outage = Outage("it")
    for _ in range(3):
        outage.began(TransientError("full"), "writing")
        outage.over("reading")
    assert outage.away
    outage.over("writing")
    assert not outage.away
    assert caplog.messages == ["it is away, what is meant for it waits: full", "it is back"]


def test_an_outage_may_last_for_days() -> None:
    outage = Outage("it", longest=timedelta(seconds=5))
    for _ in range(3_000):  # two to the power of so many is no number
        outage.began(TransientError("no"))
    assert 2 < outage.pause <= 5
    outage.over()
    assert not outage.paused()
