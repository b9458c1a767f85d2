"""Each role in a process of its own, as on several machines: whichever is killed, nothing is lost (R42, R72)."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from infra.records.pool import Pool
from infra.settings import SAMPLES, Settings
from schemas.events import EventKind, ObjectEvent
from tasks.listen import take_in
from tasks.prepare import prepare
from tasks.services import Services
from tests.e2e.instance import wait_for
from tests.faults.roles import Roles
from training.samples import draw

ROLES = (("ingest",), ("vision",), ("language",), ("merge", "sweep"))
COUNT = 48


@pytest.fixture
def services(tmp_path: Path, database: str) -> Iterator[Services]:
    services = Services(Settings(data=tmp_path / "data", database_url=database))
    services.settings.data.mkdir()
    prepare(services)
    yield services
    services.close()


@pytest.fixture
def workers(services: Services) -> Iterator[Roles]:
    """A supervised process a role."""
    settings = services.settings
    environment = {
        "NAFUDA_DATA": str(settings.data),
        "NAFUDA_DATABASE_URL": settings.database_url,
        "NAFUDA_SILENT": "PT3S",
    }
    with Roles(ROLES, environment, settings.data).running() as workers:
        yield workers


def put(services: Services, first: int, count: int) -> None:
    events = []
    for number in range(first, first + count):
        file = BytesIO()
        draw(9_700_000 + number).image.save(file, "JPEG")
        services.store.put("images", f"{number}.jpg", file.getvalue())
        events.append(ObjectEvent(EventKind.CREATED, "images", f"{number}.jpg", source="test"))
    take_in(services, events)


def test_any_worker_may_be_killed_and_every_stage_still_speaks_of_every_image(
    services: Services, workers: Roles, pool: Pool
) -> None:
    def one(query: str) -> int:
        with pool.connection() as connection:
            row = connection.execute(query.encode()).fetchone()
        return int(row[0]) if row else 0

    share = COUNT // len(ROLES)
    for number, name in enumerate(workers.children):
        put(services, number * share, share)
        wait_for(lambda done=number * share: one("SELECT count(*) FROM results") > done, 60, workers.tell)  # type: ignore[misc]
        workers.kill(name)
    complete = "SELECT count(*) FROM records WHERE live AND status = 'complete'"
    wait_for(lambda: one(complete) == COUNT and one("SELECT count(*) FROM work") == 0, 90, workers.tell)
    assert one("SELECT count(*) FROM results") == COUNT * len(SAMPLES)
    assert one("SELECT count(*) FROM images") == COUNT
    indexed = "SELECT count(*) FROM index_state WHERE indexed = revision"
    wait_for(lambda: one(indexed) == COUNT, 30, workers.tell)  # it follows the merge
    assert all(child.deaths for child in workers.children.values())
