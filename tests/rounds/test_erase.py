"""An image is forgotten for good: everywhere, whatever is at work on it, and again after a break (R76)."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import numpy as np
import pytest

from infra.records.accounts import PostgresAccounts
from infra.records.flags import raise_flags
from infra.records.pool import transaction
from infra.records.review import PostgresReviewDesk
from infra.search.postgres import PostgresSearch
from schemas.document import Document
from schemas.errors import ConflictError, NotFoundError, TransientError
from schemas.images import ObjectHead
from schemas.pipeline import EMBEDDING, TAGGING
from schemas.ports import ObjectStore
from schemas.results import ModelOutput, StageResult
from schemas.review import Role, Verdict
from schemas.search import WriteOutcome
from tasks import erase as erasing
from tasks.erase import Removed, content_of, erase
from tasks.gc import collect
from tasks.index import index_behind
from tasks.merge import refresh
from tasks.services import VIEWS, Services
from tasks.sweep import forget_erased
from tests.ingest.plant import picture
from tests.records.books import Books, output
from tests.review.conftest import finding
from workers.decode.pool import DecodePool
from workers.fetching import Several
from workers.ingest.ingest import THUMBNAILS, Ingest, thumbnail_key

RED, BLUE = picture((255, 0, 0)), picture((0, 0, 255))
AUDIT = {"flags", "review_decisions", "review_events", "account_events"}
Put = Callable[..., int]


@pytest.fixture
def put(services: Services, books: Books) -> Iterator[Put]:
    """Put objects of one content and have them ingested, tagged and indexed; returns the record of the first."""
    with DecodePool(1) as decoder, Several(2) as several:
        parts = (services.store, services.derived, services.objects, decoder, services.inputs, (), several)
        worker = Ingest(*parts, services.settings.max_bytes)

        def put(content: bytes, *keys: str) -> int:
            for key in keys:
                services.store.put("images", key, content)
            assert worker.run([row.id for row in books.note(*keys)]) == {}
            record = services.records.find(f"images/{keys[0]}")
            ((image,),) = books.sql("SELECT image FROM records WHERE id = %s", record)
            books.say(books.model("tagger"), image, sword=0.9)
            refresh(services, [record])
            return record

        yield put


def gone(services: Services, name: str) -> Removed:
    """Erase it."""
    return erase(services, content_of(services, name))


def tables_that_say(books: Books, text: str) -> set[str]:
    """Tables with this text in any column of any row."""
    names = books.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    query = "SELECT count(*) FROM {0} AS line WHERE line::text LIKE '%%' || %s || '%%'"
    return {name for (name,) in names if books.sql(query.format(name), text) != [(0,)]}


def of_image(books: Books, image: int, record: int) -> dict[str, int]:
    """How many rows of it there are by table."""
    counted = {"results": "image", "embeddings": "image", "edits": "record", "index_state": "record"}
    counted |= {"search_document": "record", "standing_flags": "record", "review_items": "record"}
    which = {"image": image, "record": record}
    query = "SELECT count(*) FROM {0} WHERE {1} = %s"
    rows = {name: books.sql(query.format(name, column), which[column]) for name, column in counted.items()}
    return {name: count for name, ((count,),) in rows.items()}


def reviewed(services: Services, record: int) -> None:
    """It was flagged, and a moderator removed it."""
    with transaction(services.pool) as connection:
        raise_flags(connection, {record: (finding(),)})
    mia = PostgresAccounts(services.pool).create("mia", None, Role.MODERATOR)
    desk = PostgresReviewDesk(services.pool)
    item = desk.claim(mia, None, timedelta(minutes=1))
    assert item is not None
    desk.decide(item.id, item.lease, mia, Verdict.REMOVE, "demanded")


def test_no_byte_picture_row_or_document_of_it_is_left_and_others_stay(
    services: Services, books: Books, put: Put
) -> None:
    other, record = put(BLUE, "blue.png"), put(RED, "mia smith.png", "again/mia smith.png")
    ((image,),) = books.sql("SELECT image FROM records WHERE id = %s", record)
    sha256 = hashlib.sha256(RED).hexdigest()
    services.store.put("images", "mia smith.txt", b"mia_smith")
    books.put_sidecar("mia smith.txt", "mia_smith")
    services.records.edit(record, "ada", "cat", "general", True)
    embedder = books.model("embedder", EMBEDDING)
    vector = ModelOutput(np.empty(0, np.int16), np.empty(0, np.float32), vector=np.array([1, 0], np.float32))
    services.results.store([StageResult(image, embedder, EMBEDDING, vector, 1, 1)])
    services.derived.put(VIEWS, thumbnail_key(sha256), b"view")
    refresh(services, [record])
    reviewed(services, record)
    assert 0 not in of_image(books, image, record).values()
    removed = gone(services, "mia smith.png")
    assert removed.objects == ("images/again/mia smith.png", "images/mia smith.png")
    assert (removed.sidecars, removed.records, removed.results) == (("images/mia smith.txt",), (record,), 2)
    assert removed.pictures == 2
    assert [head.key for head in services.store.list("images")] == ["blue.png"]
    for bucket in (THUMBNAILS, VIEWS):
        assert services.derived.head(bucket, thumbnail_key(sha256)) is None
    assert set(of_image(books, image, record).values()) == {0}
    assert tables_that_say(books, sha256) == set() and tables_that_say(books, "smith") == {"search_term"}
    assert services.records.record(other).places and services.index.count() == 1


def test_every_collection_forgets_it(services: Services, books: Books, put: Put) -> None:
    books.collection(books.model("tagger"), name="art", bucket="images", prefix="art/")
    put(RED, "a.png", "art/a.png")
    assert len(books.sql("SELECT id FROM records")) == 2
    assert len(gone(services, "images/art/a.png").records) == 2
    assert books.sql("SELECT id FROM records") == []
    assert list(services.store.list("images")) == []


def test_the_audit_stays_and_says_that_it_was_erased(services: Services, books: Books, put: Put) -> None:  # R75
    record = put(RED, "a.png")
    reviewed(services, record)
    before = {name: books.sql(f"SELECT count(*) FROM {name}") for name in sorted(AUDIT - {"review_events"})}
    gone(services, "a.png")
    assert {name: books.sql(f"SELECT count(*) FROM {name}") for name in before} == before
    history = [event.action for event in PostgresReviewDesk(services.pool).history(record)]
    assert history == ["opened", "claimed", "remove", "erased"]


def test_put_again_it_is_a_new_image_that_is_analysed_anew(services: Services, books: Books, put: Put) -> None:
    record = put(RED, "a.png")
    gone(services, str(record))
    with pytest.raises(NotFoundError, match="no image is known"):
        content_of(services, str(record))
    again = put(RED, "a.png")
    assert again != record and books.outcome("a.png").outcome == "complete"
    assert books.sql("SELECT known FROM objects") == [(False,)]


def test_a_copy_that_nobody_told_of_goes_too(services: Services, put: Put) -> None:
    put(RED, "a.png")
    services.store.put("images", "unknown.png", RED)
    services.store.put("images", "other.png", BLUE)
    gone(services, "a.png")
    assert [head.key for head in services.store.list("images")] == ["other.png"]


def test_tags_that_stand_beside_another_image_too_stay(services: Services, books: Books, put: Put) -> None:
    put(BLUE, "a.jpg")
    put(RED, "a.png")
    services.store.put("images", "a.txt", b"1girl")
    books.put_sidecar("a.txt", "1girl")
    assert gone(services, "a.png").sidecars == ()
    assert [head.key for head in services.store.list("images")] == ["a.jpg", "a.txt"]


def test_what_lies_under_its_name_by_now_is_looked_at(services: Services, books: Books, put: Put) -> None:
    put(RED, "a.png")
    services.store.put("images", "a.png", BLUE)
    assert gone(services, "a.png").objects == ()
    assert books.sql("SELECT o.key, o.state FROM objects o JOIN work w ON w.subject = o.id") == [("a.png", "new")]


def test_what_comes_under_its_names_while_it_is_erased_stays_and_is_looked_at(
    services: Services, books: Books, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(RED, "a.png", "b.png")
    services.store.put("images", "a.txt", b"1girl")
    books.put_sidecar("a.txt", "1girl")
    looked: list[str] = []

    def hashed(store: ObjectStore, head: ObjectHead) -> str:
        """The last one is hashed, then somebody else puts other files."""
        digest = sha256_of(store, head)
        looked.append(head.key)
        if head.key == "b.png":
            store.put("images", "a.png", BLUE)
            store.put("images", "a.txt", b"2girls")
        return digest

    sha256_of = erasing._sha256
    monkeypatch.setattr(erasing, "_sha256", hashed)
    removed = gone(services, "a.png")
    assert (removed.objects, removed.sidecars, looked) == (("images/b.png",), (), ["a.png", "b.png"])
    contents = {}
    for head in services.store.list("images"):
        contents[head.key] = services.store.read(head, 1 << 20)
    assert contents == {"a.png": BLUE, "a.txt": b"2girls"}
    waiting = books.sql("SELECT o.key, o.state FROM objects o JOIN work w ON w.subject = o.id ORDER BY o.key")
    assert waiting == [("a.png", "new"), ("a.txt", "new")]


def test_a_picture_that_is_made_anew_meanwhile_goes_too(
    services: Services, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(RED, "a.png")
    key, listed = thumbnail_key(hashlib.sha256(RED).hexdigest()), services.derived.versions

    def meanwhile(bucket: str, prefix: str = "") -> Iterator[ObjectHead]:
        monkeypatch.setattr(services.derived, "versions", listed)
        heads = list(listed(bucket, prefix))
        services.derived.put(THUMBNAILS, key, b"anew")
        yield from heads

    monkeypatch.setattr(services.derived, "versions", meanwhile)
    assert gone(services, "a.png").pictures == 1
    assert services.derived.head(THUMBNAILS, key) is None


def test_a_break_leaves_it_known_so_that_it_can_be_repeated(
    services: Services, books: Books, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = put(RED, "a.png", "b.png", "c.png")
    told: list[ObjectHead] = []

    def break_off(head: ObjectHead) -> bool:
        told.append(head)
        if len(told) == 2:
            raise TransientError("the store went away")
        services.store.delete(head.bucket, head.key)
        return True

    with monkeypatch.context() as patch, pytest.raises(TransientError, match="store went away"):
        patch.setattr(services.store, "erase", break_off)
        gone(services, "a.png")
    books.delete("a.png")  # its event comes in between

    def away(records: Sequence[int]) -> None:
        raise TransientError("the index is away")

    with monkeypatch.context() as patch, pytest.raises(TransientError, match="index is away"):
        patch.setattr(type(services.index), "forget", lambda self, records: away(records))
        gone(services, str(record))
    assert services.index.count() == 1
    gone(services, str(record))
    assert services.index.count() == 0
    assert books.sql("SELECT id FROM images") == books.sql("SELECT id FROM records") == []
    assert list(services.store.list("images")) == []


def test_where_the_bucket_of_a_copy_is_not_there_it_is_refused_before_anything_goes(
    services: Services, put: Put
) -> None:
    record = put(RED, "a.png")
    bucket = services.settings.buckets_folder / "images"
    away = bucket.rename(bucket.with_name("elsewhere"))
    with pytest.raises(ConflictError, match=r"bucket images.*NAFUDA_OBJECTS_URL.*--lost images"):
        gone(services, "a.png")
    assert services.records.record(record).places and services.index.count() == 1
    assert services.derived.head(THUMBNAILS, thumbnail_key(hashlib.sha256(RED).hexdigest())) is not None
    removed = erase(services, content_of(services, "a.png"), lost=["images"])
    assert (removed.objects, removed.records, services.index.count()) == ((), (record,), 0)
    assert (away / "a.png").exists()


def test_an_answer_that_comes_while_it_goes_is_dropped_and_its_neighbours_are_kept(
    services: Services, books: Books, put: Put
) -> None:
    put(BLUE, "blue.png")
    record = put(RED, "red.png")
    content = content_of(services, str(record))
    ((neighbour,),) = books.sql("SELECT id FROM images WHERE id <> %s", content.image)
    late = books.model("late")
    answers = [StageResult(image, late, TAGGING, output(cat=0.9), 1, 2) for image in (content.image, neighbour)]
    with ThreadPoolExecutor(1) as other:
        storing: list[Future[set[str]]] = []
        services.erasure.forget(
            content.image, content.places, lambda _: storing.append(other.submit(services.results.store, answers))
        )
        storing[0].result(30)
    assert books.sql("SELECT image FROM results WHERE model = %s", late) == [(neighbour,)]


def test_a_document_that_is_written_while_it_goes_is_taken_back(services: Services, put: Put, books: Books) -> None:
    record = put(RED, "a.png")
    books.say(books.model("tagger"), content_of(services, str(record)).image, cat=0.9)
    books.merge()

    class Late(PostgresSearch):
        def write(self, documents: Sequence[Document], *, at_once: bool = True) -> list[WriteOutcome]:
            services.__dict__["index"] = index
            gone(services, str(record))
            return index.write(documents, at_once=at_once)

    index = services.index
    services.__dict__["index"] = Late(services.pool)
    index_behind(services, now=True)
    assert services.index is index and services.index.count() == 0
    assert list(services.index.revisions(0, 10)) == []


def test_a_document_that_nobody_took_back_is_gone_after_the_next_sweep(
    services: Services, put: Put, books: Books
) -> None:
    record = put(RED, "a.png")
    other = put(BLUE, "blue.png")
    books.say(books.model("tagger"), content_of(services, str(record)).image, cat=0.9)
    books.merge()

    class Breaking(PostgresSearch):
        """Somebody else erases while it writes; then it goes away, until that is over."""

        away = False

        def write(self, documents: Sequence[Document], *, at_once: bool = True) -> list[WriteOutcome]:
            gone(services, str(record))
            self.away = True
            return super().write(documents, at_once=at_once)

        def forget(self, records: Sequence[int]) -> None:
            if self.away:
                raise TransientError("the index is away")
            super().forget(records)

    services.__dict__["index"] = index = Breaking(services.pool)
    with pytest.raises(TransientError, match="index is away"):
        index_behind(services, now=True)
    assert record in dict(index.revisions(0, 10))
    books.sql("UPDATE erased_records SET at = now() - interval '1 hour'")
    forget_erased(services)
    assert services.index_outage.away and books.sql("SELECT record FROM erased_records") == [(record,)]
    services.index_outage.over()
    index.away = False
    forget_erased(services)
    assert list(dict(index.revisions(0, 10))) == [other] and index.count() == 1
    assert books.sql("SELECT record FROM erased_records") == []


def test_what_was_erased_of_late_is_forgotten_again_and_again_and_then_no_more(
    services: Services, put: Put, books: Books
) -> None:
    record = put(RED, "a.png")
    gone(services, str(record))
    forgotten: list[Sequence[int]] = []

    class Noting(PostgresSearch):
        def forget(self, records: Sequence[int]) -> None:
            forgotten.append(records)

    services.__dict__["index"] = Noting(services.pool)
    for minutes in (0, 14, 16):
        books.sql("UPDATE erased_records SET at = now() - make_interval(mins => %s)", minutes)
        forget_erased(services)
    assert books.sql("SELECT record FROM erased_records") == []
    forget_erased(services)
    assert forgotten == [[record]] * 3


def test_names_of_objects_that_went_long_ago_are_forgotten(services: Services, books: Books, put: Put) -> None:
    put(RED, "a.png")
    books.delete("a.png")
    books.note("b.png")
    assert collect(services, timedelta(days=1)).names == 0
    books.sql("UPDATE objects SET seen_at = now() - interval '2 days'")
    assert collect(services, timedelta(days=1)).names == 1
    assert books.sql("SELECT key FROM objects") == [("b.png",)]


def test_what_lies_in_a_prefix_within_another_is_named_once(services: Services, books: Books, put: Put) -> None:
    books.collection(*(row[0] for row in books.sql("SELECT id FROM models")), name="inner", prefix="inner/")
    put(RED, "inner/a.png")
    assert gone(services, "images/inner/a.png").objects == ("images/inner/a.png",)
