"""How a worker ends: replaced when a model hangs, drained or given back when asked once, at once when asked twice."""

import hashlib
import signal
from collections.abc import Iterator, Mapping
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from queue import SimpleQueue
from subprocess import TimeoutExpired

import pytest
from PIL import Image

from infra.records.pool import Pool
from infra.settings import Settings
from schemas.events import EventKind, ObjectEvent
from schemas.retry import DEATHS_ALONE
from tasks.ending import Ending
from tasks.listen import take_in
from tasks.prepare import prepare
from tasks.services import Services
from tests.e2e.instance import Instance, wait_for
from tests.faults.roles import Roles
from tests.runners.graphs import hanging_tagger
from training.samples import draw

HANGING, TAGGER = "test/hanging", "nafuda/sample-tagger"
WHITE = Image.new("RGB", (64, 64), "white")
COUNT = 64
MANIFEST = """
id = "test/hanging"
title = "A tagger that hangs on white pictures"
stage = "tagging"
runner = "tagger"
licence = "Apache-2.0"
[source]
kind = "package"
name = "hanging"
[source.files]
"model.onnx" = "{graph}"
"labels.csv" = "{labels}"
[input]
name = "image"
layout = "NHWC"
dtype = "uint8"
[[image_steps]]
op = "letterbox"
[output]
name = "scores"
decode = "probabilities"
[labels]
source = "csv"
file = "labels.csv"
[thresholds]
default = 0.4
"""


@pytest.fixture
def services(tmp_path: Path, database: str) -> Iterator[Services]:
    own = tmp_path / "data" / "models"
    folder = own / HANGING
    folder.mkdir(parents=True)
    graph = hanging_tagger(folder / "model.onnx")
    labels = folder / "labels.csv"
    labels.write_text("tag_id,name,category,count\n0,here,0,1\n")
    digests = {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in (graph, labels)}
    (own / "hanging.toml").write_text(MANIFEST.format(graph=digests["model"], labels=digests["labels"]))
    services = Services(Settings(data=tmp_path / "data", database_url=database, models=(TAGGER, HANGING)))
    prepare(services)
    yield services
    services.close()


@pytest.fixture
def own_signals() -> Iterator[None]:
    """What the test says of SIGTERM and SIGINT ends with it."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, each in zip(numbers, before, strict=True):
        signal.signal(number, each)


def roles(services: Services, *commands: tuple[str, ...], patience: str, grace: str = "PT20S") -> Roles:
    """Worker processes on the same database, whose models may take so long for a batch."""
    environment = {
        "NAFUDA_DATA": str(services.settings.data),
        "NAFUDA_DATABASE_URL": services.settings.database_url,
        "NAFUDA_MODELS": f"{TAGGER},{HANGING}",
        "NAFUDA_MODEL_TIMEOUT": patience,
        "NAFUDA_SILENT": "PT3S",
        "NAFUDA_GRACE": grace,
    }
    return Roles(commands, environment, services.settings.data)


def put(services: Services, pictures: Mapping[str, Image.Image]) -> None:
    for key, picture in pictures.items():
        file = BytesIO()
        picture.save(file, "PNG")
        services.store.put("images", key, file.getvalue())
    take_in(services, [ObjectEvent(EventKind.CREATED, "images", key, source="test") for key in pictures])


def drawings(count: int) -> dict[str, Image.Image]:
    return {f"{number}.png": draw(9_750_000 + number).image for number in range(count)}


def rows(pool: Pool, query: str) -> list[tuple[object, ...]]:
    with pool.connection() as connection:
        return connection.execute(query.encode()).fetchall()


def claimed(pool: Pool) -> bool:
    return rows(pool, "SELECT count(*) FROM work WHERE stage = 'tagging' AND claimed_by IS NOT NULL") != [(0,)]


def test_only_the_picture_that_a_model_hangs_on_is_quarantined(services: Services, pool: Pool) -> None:
    pictures = {**drawings(6), "white.png": WHITE}
    put(services, pictures)
    with roles(services, ("ingest",), ("vision",), ("merge", "sweep"), patience="PT2S").running() as workers:
        quarantined = "SELECT count(*) FROM work WHERE state = 'quarantined'"
        wait_for(lambda: rows(pool, quarantined) == [(1,)], 120, workers.tell)
        pending = "SELECT count(*) FROM work WHERE state = 'pending'"
        wait_for(lambda: rows(pool, pending) == [(0,)], 60, workers.tell)
    left = "SELECT o.key, w.stage, w.code FROM work w JOIN objects o ON o.image = w.subject"
    assert rows(pool, left) == [("white.png", "tagging", "process-death")]
    assert rows(pool, "SELECT count(*) FROM results") == [(len(pictures) * 2 - 1,)]  # the other model answered for it
    assert "this process ends" in (services.settings.data / "vision.log").read_text()


def test_a_worker_that_is_asked_to_end_finishes_what_it_holds_and_takes_no_more(services: Services, pool: Pool) -> None:
    put(services, drawings(COUNT))
    with roles(services, ("ingest",), patience="PT1M").running() as workers:
        planned = f"SELECT count(*) = {COUNT * 2} FROM work WHERE stage = 'tagging'"
        wait_for(lambda: rows(pool, planned) == [(True,)], 60, workers.tell)
    vision = roles(services, ("vision",), patience="PT1M").children["vision"]
    vision.start()
    services.wake("vision")
    wait_for(lambda: claimed(pool), 60)
    assert vision.process is not None
    vision.process.send_signal(signal.SIGTERM)
    assert vision.process.wait(60) == 0
    assert not claimed(pool)
    assert rows(pool, "SELECT count(*) FROM work WHERE attempts > 0 OR deaths > 0") == [(0,)]  # no attempt was in vain


def test_what_is_not_done_within_the_grace_time_is_given_back_and_counts_neither_as_attempt_nor_as_death(  # R42, R72
    services: Services, pool: Pool
) -> None:
    put(services, {"white.png": WHITE})
    with roles(services, ("ingest",), patience="PT10M").running() as workers:
        planned = "SELECT count(*) FROM work WHERE stage = 'tagging'"
        wait_for(lambda: rows(pool, planned) == [(2,)], 60, workers.tell)
    vision = roles(services, ("vision",), patience="PT10M", grace="PT1S").children["vision"]
    for _ in range(DEATHS_ALONE + 1):  # as often as would quarantine it
        vision.start()
        services.wake("vision")
        wait_for(lambda: claimed(pool), 60)
        assert vision.process is not None
        vision.process.send_signal(signal.SIGTERM)
        assert vision.process.wait(30) == 0
        hung = "SELECT state, attempts, deaths, claimed_by, next_attempt_at <= now() FROM work WHERE stage = 'tagging'"
        assert ("pending", 0, 0, None, True) in rows(pool, hung)
        assert not claimed(pool)
        services.work.drained("vision")  # its own hint was not answered, so another is sent
    assert "claims are given back" in vision.log.read_text()


def test_nafuda_run_waits_until_its_workers_gave_back_what_hangs_and_kills_none(services: Services, pool: Pool) -> None:
    settings = services.settings
    environment = {
        "NAFUDA_DATABASE_URL": settings.database_url,
        "NAFUDA_MODELS": f"{TAGGER},{HANGING}",
        "NAFUDA_GRACE": "PT1S",
    }
    instance = Instance(settings.data, "--no-samples", environment=environment).start()
    put(services, {"white.png": WHITE})
    wait_for(lambda: claimed(pool), 60, instance.logs)
    assert instance.stop() == 0
    assert not claimed(pool)
    assert rows(pool, "SELECT count(*) FROM work WHERE attempts > 0 OR deaths > 0") == [(0,)]
    assert "is killed" not in instance.said()


def test_a_worker_whose_database_is_away_ends_within_its_grace_time_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, own_signals: None
) -> None:
    away = Settings(data=tmp_path, database_url="postgresql://127.0.0.1:9/nobody", grace=timedelta(0))
    services, ended = Services(away), SimpleQueue[int]()
    Ending(services, ended.put).ask()
    assert ended.get(timeout=60) == 0
    assert [said for said in caplog.messages if "cannot be given back; it is freed as after a death" in said]
    services.close()


def test_a_worker_that_is_asked_twice_ends_at_once(services: Services, pool: Pool) -> None:
    put(services, {"white.png": WHITE})
    with roles(services, ("ingest",), ("sweep",), patience="PT10M").running():
        vision = roles(services, ("vision",), patience="PT10M").children["vision"]
        vision.start()
        assert vision.process is not None
        wait_for(lambda: claimed(pool), 60)
        vision.process.send_signal(signal.SIGTERM)
        with pytest.raises(TimeoutExpired):  # it hangs, so it never drains
            vision.process.wait(5)
        vision.process.send_signal(signal.SIGTERM)
        assert vision.process.wait(10) != 0
        wait_for(lambda: not claimed(pool), 60)  # the sweeper frees what it held
