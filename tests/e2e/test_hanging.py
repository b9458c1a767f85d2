"""A model that hangs on one picture: its worker is replaced, the picture quarantined, the others go on (R42, R72)."""

import hashlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from infra.records.pool import Pool
from infra.settings import Settings
from schemas.events import EventKind, ObjectEvent
from tasks.listen import take_in
from tasks.prepare import prepare
from tasks.services import Services
from tests.e2e.instance import wait_for
from tests.faults.roles import Roles
from tests.runners.graphs import hanging_tagger
from training.samples import draw

ROLES = (("ingest",), ("vision",), ("merge", "sweep"))
HANGING, TAGGER = "test/hanging", "nafuda/sample-tagger"
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
def workers(services: Services) -> Iterator[Roles]:
    environment = {
        "NAFUDA_DATA": str(services.settings.data),
        "NAFUDA_DATABASE_URL": services.settings.database_url,
        "NAFUDA_MODELS": f"{TAGGER},{HANGING}",
        "NAFUDA_MODEL_TIMEOUT": "PT2S",
        "NAFUDA_SILENT": "PT3S",
    }
    with Roles(ROLES, environment, services.settings.data).running() as workers:
        yield workers


def put(services: Services, key: str, picture: Image.Image) -> None:
    file = BytesIO()
    picture.save(file, "PNG")
    services.store.put("images", key, file.getvalue())


def test_only_the_picture_that_a_model_hangs_on_is_quarantined(services: Services, workers: Roles, pool: Pool) -> None:
    pictures = {f"{number}.png": draw(9_750_000 + number).image for number in range(6)}
    pictures["white.png"] = Image.new("RGB", (64, 64), "white")
    for key, picture in pictures.items():
        put(services, key, picture)
    take_in(services, [ObjectEvent(EventKind.CREATED, "images", key, source="test") for key in pictures])

    def rows(query: str) -> list[tuple[object, ...]]:
        with pool.connection() as connection:
            return connection.execute(query.encode()).fetchall()

    def quarantined() -> bool:
        return rows("SELECT count(*) FROM work WHERE state = 'quarantined'") == [(1,)]

    wait_for(quarantined, 120, workers.tell)
    wait_for(lambda: rows("SELECT count(*) FROM work WHERE state = 'pending'") == [(0,)], 60, workers.tell)
    left = "SELECT o.key, w.stage, w.code FROM work w JOIN objects o ON o.image = w.subject"
    assert rows(left) == [("white.png", "tagging", "process-death")]
    assert rows("SELECT count(*) FROM results") == [(len(pictures) * 2 - 1,)]  # the other model answered for it too
    assert "this process ends" in (services.settings.data / "vision.log").read_text()
