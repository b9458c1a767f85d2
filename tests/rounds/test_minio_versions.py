"""What people do to objects on a real S3 server, told by real events: the ledger ends with what is there (R1, R71)."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from botocore.client import BaseClient

from tasks.erase import content_of, erase
from tasks.ingest import ingest
from tasks.services import Services
from tests.decode.pictures import noise, save
from tests.e2e.instance import wait_for
from tests.ingest.plant import picture
from tests.records.books import Books
from tests.rounds.following import books_of, listening, parts
from tests.stack.given import given
from tests.stack.telling import own_queue, telling_bucket
from workers.decode.pool import DecodePool
from workers.fetching import Several
from workers.ingest.ingest import Ingest

pytestmark = pytest.mark.stack

RED, GREEN, BLUE = (picture(colour) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255)))
KEY = "a.png"


@pytest.fixture
def bucket(s3: BaseClient, bucket: str) -> str:
    """A bucket with versions, that tells."""
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


@pytest.fixture
def other(s3: BaseClient) -> Iterator[str]:
    """Another one, without versions."""
    with telling_bucket(s3) as name:
        yield name


@pytest.fixture
def services(tmp_path: Path, database: str) -> Iterator[Services]:
    with own_queue() as queue:
        queue.declare()
        server, broker = f"s3+{given('NAFUDA_TEST_S3_URL')}", given("NAFUDA_TEST_BROKER_URL")
        places = {"objects_url": server, "events_url": broker, "events_queue": queue.name}
        with parts(tmp_path, database, "ingest", "listen", **places) as services:
            services.work.beat()
            yield services


@pytest.fixture
def books(services: Services, bucket: str) -> Books:
    return books_of(services, bucket)


@pytest.fixture
def at_work(services: Services, books: Books) -> Iterator[None]:
    """The roles listen and ingest."""
    with listening(services), ingesting(services):
        yield


@contextmanager
def ingesting(services: Services) -> Iterator[None]:
    """What a worker does on hints, without waiting for them."""
    stop = threading.Event()
    with DecodePool(1) as decoder, Several(2) as several:
        parts = (services.store, services.derived, services.objects, decoder, services.inputs, (), several)
        worker = Ingest(*parts, services.settings.max_bytes)

        def work() -> None:
            while not stop.wait(0.05):
                ingest(services, worker)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(20)


def holds(books: Books, bucket: str, contents: dict[str, bytes | None]) -> Callable[[], bool]:
    """Whether the ledger says of these keys that they hold these contents (None: nothing), and nothing is at work."""
    expected = {key: content and hashlib.sha256(content).hexdigest() for key, content in contents.items()}

    def look() -> bool:
        held = books.sql(
            "SELECT o.key, i.sha256 FROM objects o LEFT JOIN images i ON i.id = o.image WHERE o.bucket = %s", bucket
        )
        return dict(held) == expected and not books.sql("SELECT 1 FROM work WHERE stage = 'ingest'")

    return look


@pytest.mark.usefixtures("at_work")
def test_overwritten_twice_within_a_second_it_ends_with_the_last(s3: BaseClient, bucket: str, books: Books) -> None:
    for number in range(10):
        for content in (RED, GREEN, BLUE):
            s3.put_object(Bucket=bucket, Key=f"{number}.png", Body=content)
    wait_for(holds(books, bucket, {f"{number}.png": BLUE for number in range(10)}), 30)


@pytest.mark.usefixtures("at_work")
def test_a_delete_marker_hides_and_its_removal_brings_back(s3: BaseClient, bucket: str, books: Books) -> None:
    s3.put_object(Bucket=bucket, Key=KEY, Body=RED)
    wait_for(holds(books, bucket, {KEY: RED}), 30)
    marker = s3.delete_object(Bucket=bucket, Key=KEY)["VersionId"]
    wait_for(holds(books, bucket, {KEY: None}), 30)
    s3.delete_object(Bucket=bucket, Key=KEY, VersionId=marker)
    wait_for(holds(books, bucket, {KEY: RED}), 30)


@pytest.mark.usefixtures("at_work")
def test_the_version_below_a_removed_one_is_the_one_that_counts(s3: BaseClient, bucket: str, books: Books) -> None:
    first, second, third = (
        s3.put_object(Bucket=bucket, Key=KEY, Body=content)["VersionId"] for content in (RED, GREEN, BLUE)
    )
    wait_for(holds(books, bucket, {KEY: BLUE}), 30)
    s3.delete_object(Bucket=bucket, Key=KEY, VersionId=second)  # an old one: nothing changes
    s3.delete_object(Bucket=bucket, Key=KEY, VersionId=third)
    wait_for(holds(books, bucket, {KEY: RED}), 30)
    s3.delete_object(Bucket=bucket, Key=KEY, VersionId=first)
    wait_for(holds(books, bucket, {KEY: None}), 30)


@pytest.mark.usefixtures("at_work")
def test_an_erased_content_is_in_no_version_and_what_lay_below_it_counts(  # R76
    s3: BaseClient, bucket: str, services: Services, books: Books
) -> None:
    for key, contents in {KEY: (RED, GREEN, RED), "b.png": (BLUE, RED, BLUE), "c.png": (RED,)}.items():
        for content in contents:
            s3.put_object(Bucket=bucket, Key=key, Body=content)
    s3.delete_object(Bucket=bucket, Key="c.png")
    wait_for(holds(books, bucket, {KEY: RED, "b.png": BLUE, "c.png": None}), 30)
    removed = erase(services, content_of(services, f"{bucket}/{KEY}"))
    assert len(removed.objects) == 4
    wait_for(lambda: books.sql("SELECT i.sha256 FROM objects o JOIN images i ON i.id = o.image ORDER BY key")
             == [(hashlib.sha256(each).hexdigest(),) for each in (GREEN, BLUE)], 30)  # fmt: skip
    left = [(head.key, head.version) for head in services.store.versions(bucket)]
    bodies = [s3.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"].read() for key, version in left]
    assert sorted(bodies) == sorted([GREEN, BLUE, BLUE])
    assert books.sql("SELECT count(*) FROM images WHERE sha256 = %s", removed.sha256) == [(0,)]


@pytest.mark.usefixtures("at_work")
def test_parts_and_copies_are_objects_like_others(s3: BaseClient, bucket: str, books: Books) -> None:
    large, part = save(noise(1500, 1300), "PNG"), 5 * 2**20
    assert len(large) > part
    upload = {"Bucket": bucket, "Key": "large.png"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    parts = [
        {"PartNumber": n, "ETag": s3.upload_part(**upload, PartNumber=n, Body=body)["ETag"]}
        for n, body in ((1, large[:part]), (2, large[part:]))
    ]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    s3.copy_object(Bucket=bucket, Key="写真/copy +.png", CopySource={"Bucket": bucket, "Key": "large.png"})
    renamed = {"Metadata": {"by": "somebody"}, "MetadataDirective": "REPLACE"}
    s3.copy_object(Bucket=bucket, Key="large.png", CopySource={"Bucket": bucket, "Key": "large.png"}, **renamed)
    wait_for(holds(books, bucket, {"large.png": large, "写真/copy +.png": large}), 30)
    assert books.sql("SELECT count(*) FROM images") == [(1,)]


@pytest.mark.usefixtures("at_work")
def test_keys_of_any_length_and_script_arrive_as_they_are(s3: BaseClient, bucket: str, books: Books) -> None:
    long = "/".join(["名札" * 40] * 4) + "/" + "x" * 32 + ".png"
    keys = [
        long,
        "a b+c%41&d=e;f.png",
        "emoji 🏷️.png",
        "e\u0301.png",
        "\u00e9.png",
        "tab\there.png",
        "..a/…/~.png",
        "%2F.png",
    ]
    assert len(long.encode()) == 1000
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=RED)
    wait_for(holds(books, bucket, dict.fromkeys(keys, RED)), 30)


@pytest.mark.usefixtures("at_work")
def test_a_key_that_ends_in_a_slash_is_a_key(s3: BaseClient, bucket: str, books: Books) -> None:
    s3.put_object(Bucket=bucket, Key="folder/", Body=b"")  # what consoles call a folder
    s3.put_object(Bucket=bucket, Key="folder/a.png", Body=RED)
    s3.put_object(Bucket=bucket, Key="picture/", Body=GREEN)
    wait_for(holds(books, bucket, {"folder/": None, "folder/a.png": RED, "picture/": GREEN}), 30)
    assert books.sql("SELECT state FROM objects WHERE key = 'folder/'") == [("refused",)]


@pytest.mark.usefixtures("at_work")
def test_several_buckets_and_prefixes_are_collections_and_others_are_nothing(
    s3: BaseClient, bucket: str, other: str, books: Books
) -> None:
    books.collection(name="art", bucket=other, prefix="art/")
    with telling_bucket(s3) as foreign:
        for name in (foreign, other, bucket):
            for key in (KEY, "art/a.png"):
                s3.put_object(Bucket=name, Key=key, Body=RED)
        wait_for(holds(books, other, {"art/a.png": RED}), 30)
        wait_for(holds(books, bucket, {KEY: RED, "art/a.png": RED}), 30)
        assert holds(books, foreign, {})()
    names = "SELECT c.name, count(*) FROM objects o JOIN collections c ON c.id = o.collection GROUP BY 1 ORDER BY 1"
    assert books.sql(names) == [("art", 1), ("main", 2)]
