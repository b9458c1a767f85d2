"""`nafuda run` on PostgreSQL 15 as Debian has it, without pgvector: all but vectors works, and it says so (R65)."""

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx2
import pytest

from tests.databases import own_database
from tests.e2e.instance import Instance, wait_for
from tests.e2e.test_run import field, sign_in
from tests.stack.given import given
from training.samples import draw

pytestmark = pytest.mark.stack

ABSENT = "no pgvector"


@pytest.fixture
def nafuda(tmp_path: Path) -> Iterator[Instance]:
    """Records, hints and search on that PostgreSQL."""
    with own_database(given("NAFUDA_TEST_POSTGRES15_URL"), f"test_{os.getpid()}_without") as database:
        environment = {"NAFUDA_DATABASE_URL": database, "NAFUDA_BROKER_URL": ""}
        instance = Instance(tmp_path / "data", "--no-samples", environment=environment).start()
        yield instance
        assert instance.stop() == 0


def test_an_upload_is_found_by_all_but_its_vector_and_start_doctor_and_pages_say_why(nafuda: Instance) -> None:
    picture = BytesIO()
    draw(9_400_000).image.save(picture, "PNG")
    with httpx2.Client(base_url=nafuda.note["address"], follow_redirects=True, timeout=60) as browser:
        sign_in(browser, nafuda.link)
        form = {"csrf": field(browser.get("/upload").text, "csrf")}
        sent = browser.post("/upload", data=form, files={"files": ("uploaded.png", picture.getvalue(), "image/png")})
        assert sent.status_code == 200, sent.text
        done = "SELECT count(*) FROM records WHERE status = 'complete'"
        wait_for(lambda: nafuda.sql(done) == [(1,)], 60, nafuda.logs)
        ((record,),) = nafuda.sql("SELECT id FROM records")
        shown = nafuda.json("show", str(record))
        wait_for(lambda: nafuda.json("search", shown["tags"][0]["name"])["hits"], 30, nafuda.logs)
        assert nafuda.sql("SELECT count(*) FROM embeddings") == [(1,)]  # kept, for when there is pgvector
        caption = max(shown["captions"][0]["text"].split(), key=len)
        told = browser.get("/api/v1/meaning", params={"q": f"with {caption}"}).json()
        assert ABSENT in told["note"] and [each["hit"]["record"] for each in told["hits"]] == [record]
        assert ABSENT in browser.get("/meaning", params={"q": caption}).text
        assert ABSENT in browser.get(f"/images/{record}").text
    wait_for(lambda: "search by meaning is off" in nafuda.said(), 30, nafuda.said)
    findings = {each["name"]: each for each in nafuda.json("doctor")}
    assert ABSENT in findings["vectors"]["detail"] and "PostgreSQL 15" in findings["database"]["detail"]
    assert [each for each in findings.values() if not each["ok"]] == []
