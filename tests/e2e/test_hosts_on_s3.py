"""Several hosts share no folder: everything in buckets, thumbnails too; files past the pages (R15, R71, R72, R76)."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from infra.objects.s3 import S3Store
from tests.e2e.instance import Instance, wait_for
from tests.e2e.test_run import field, sign_in
from tests.stack.given import given
from tests.stack.telling import client, remove
from training.samples import draw

pytestmark = pytest.mark.stack
COUNT = 3


@pytest.fixture
def buckets() -> Iterator[tuple[str, str]]:
    """Names for the images' bucket and the pictures'; `nafuda migrate` makes them."""
    names = (f"test-{uuid4().hex}", f"test-{uuid4().hex}")
    yield names
    with client() as s3:
        for name in names:
            remove(s3, name)


@pytest.fixture
def nafuda(tmp_path: Path, buckets: tuple[str, str]) -> Iterator[Instance]:
    """Everything that has a place outside of the data folder has one there."""
    server = f"s3+{given('NAFUDA_TEST_S3_URL')}"
    environment = {
        "NAFUDA_DIRECT_URL": given("NAFUDA_TEST_S3_URL"),
        "NAFUDA_OBJECTS_URL": server,
        "NAFUDA_DERIVED_URL": f"{server}/{buckets[1]}/made",
        "NAFUDA_BUCKET": buckets[0],
        "NAFUDA_DATABASE_URL": "",
        "NAFUDA_BROKER_URL": "",
    }
    instance = Instance(tmp_path / "data", "--no-samples", environment=environment).start()
    yield instance
    instance.stop()


def derived(bucket: str) -> list[str]:
    """Keys of the pictures that were kept."""
    store = S3Store(given("NAFUDA_TEST_S3_URL"))
    return [head.key for head in store.list(bucket)]


def test_pages_show_pictures_that_lie_in_a_bucket_and_lost_ones_are_made_again(
    nafuda: Instance, buckets: tuple[str, str], tmp_path: Path
) -> None:
    for seed in range(COUNT):
        draw(9_200_000 + seed).image.save(tmp_path / f"{seed}.png")
        nafuda.json("ingest", str(tmp_path / f"{seed}.png"), "--wait")
    records = [nafuda.json("show", f"{seed}.png") for seed in range(COUNT)]
    small = [f"made/thumbnails/{each['sha256'][:2]}/{each['sha256']}.jpg" for each in records]
    assert derived(buckets[1]) == sorted(small)
    with httpx2.Client(base_url=nafuda.note["address"], follow_redirects=True, timeout=60) as browser:
        sign_in(browser, nafuda.link)
        first = looked_at(browser, records)
        assert derived(buckets[1]) == sorted([*small, *(key.replace("thumbnails", "views") for key in small)])
        lose_all(buckets[1])
        assert looked_at(browser, records) == first
    assert len(derived(buckets[1])) == 2 * COUNT
    assert not (nafuda.folder / "derived").exists()
    assert {each["name"]: each["ok"] for each in nafuda.json("doctor")}["derived"]


def test_no_picture_is_taken_for_an_image_nor_a_wanted_one_for_garbage(
    nafuda: Instance, buckets: tuple[str, str], tmp_path: Path
) -> None:
    draw(9_200_009).image.save(tmp_path / "a.png")
    nafuda.json("ingest", str(tmp_path / "a.png"), "--wait")
    assert nafuda.json("reconcile") == {"unknown": 0, "changed": 0, "gone": 0}
    assert nafuda.json("gc") == {"pictures": 0, "tombstones": 0, "names": 0}
    assert nafuda.json("status")["objects"] == {"seen": 1, "settled": 1, "refused": 0}


def test_an_upload_and_an_original_pass_the_pages_by(nafuda: Instance, tmp_path: Path) -> None:
    draw(9_200_010).image.save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    with httpx2.Client(base_url=nafuda.note["address"], timeout=60) as browser:
        sign_in(browser, nafuda.link)
        token = {"X-CSRF-Token": field(browser.get("/upload").text, "csrf")}
        asked = {"name": "a.png", "size": len(content), "type": "image/png"}
        form = browser.post("/api/v1/uploads", data=asked, headers=token).json()
        assert httpx2.post(form["url"], data=form["fields"], files={"file": content}).status_code == 201
        assert browser.post("/api/v1/uploads/stored", data={"key": form["key"]}, headers=token).status_code == 202
        wait_for(lambda: outcome(browser, form["key"]) == "complete", 60, nafuda.logs)
        record = nafuda.json("show", form["key"])
        address = browser.get(f"/images/{record['id']}/original").headers["location"]
    assert address.startswith(given("NAFUDA_TEST_S3_URL"))
    assert httpx2.get(address).content == content


def outcome(browser: httpx2.Client, key: str) -> str:
    """What became of an upload so far."""
    return str(browser.get("/upload/outcomes", params={"key": key}).json()[0]["outcome"])


def looked_at(browser: httpx2.Client, records: list[dict[str, object]]) -> list[bytes]:
    """Thumbnail and view of each record."""
    paths = [f"/images/{each['id']}/{name}" for each in records for name in (f"thumbnail/{each['sha256']}", "view")]
    answers = [browser.get(path) for path in paths]
    assert [(answer.status_code, answer.headers["content-type"]) for answer in answers] == [(200, "image/jpeg")] * len(
        answers
    )
    return [answer.content for answer in answers]


def lose_all(bucket: str) -> None:
    """The bucket itself is gone, while the pages run."""
    with client() as s3:
        remove(s3, bucket)
