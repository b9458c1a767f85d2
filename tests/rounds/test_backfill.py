"""Backfill plans what older images lack, wherever it is told to look, and never in front of anybody (R72)."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import pytest

from infra.telemetry.metrics import ledger_metrics
from schemas.backfill import Planned
from schemas.errors import NotFoundError, PermanentError, QueryError
from schemas.ledger import BACKFILL, LIVE, Claim
from schemas.pipeline import CAPTIONING, DETECTION, EMBEDDING, INGEST, JUDGING, LANGUAGE, TAGGING
from tasks.backfill import Asked, backfill
from tasks.merge import merge_dirty
from tasks.rounds import run_round
from tasks.services import Services
from tests.records.books import STAGES, Books
from tests.rounds.conftest import CHUNK

MAIN = Asked(collection="main")


@pytest.fixture
def old(services: Services, books: Books) -> dict[str, int]:
    """Images of which every model in force has spoken, by key; then another model comes into force."""
    tagger = books.rules.plan(1)[0]
    images = {key: books.put(key) for key in ("art/a.png", "art/b.png", "c.png")}
    for key in images:
        services.store.put("images", key, key.encode())
    books.say(tagger, images["art/a.png"], images["c.png"], sword=0.9)
    books.say(tagger, images["art/b.png"], cat=0.9)
    books.sql("UPDATE records SET dirty_at = now()")
    merge_dirty(services)
    books.collection(tagger, books.model("finder", DETECTION))
    return images


def no_lag() -> tuple[int, timedelta]:
    return 0, timedelta()


def planned(books: Books) -> list[tuple[str, int, int]]:
    """(stage, image, priority) of the work there is."""
    return [
        tuple(row)
        for row in books.sql("SELECT stage, subject, priority FROM work WHERE stage <> 'ingest' ORDER BY 1, 2")
    ]


def found(*images: int) -> list[tuple[str, int, int]]:
    return [(DETECTION, image, BACKFILL) for image in sorted(images)]


def test_a_collection_is_planned_once_behind_live_work(services: Services, books: Books, old: dict[str, int]) -> None:
    assert backfill(services, MAIN).planned == Planned(3, 3)
    assert planned(books) == found(*old.values())
    assert backfill(services, MAIN).planned == Planned()
    assert books.sql("SELECT queue FROM hints WHERE waiting > 0 AND queue = 'vision'")


def test_a_dry_run_says_the_same_and_writes_nothing(services: Services, books: Books, old: dict[str, int]) -> None:
    services.store.put("images", "art/new.png", b"new")
    for asked in (MAIN, Asked("images", dry=True), Asked("images/art/", dry=True), Asked("sword", dry=True)):
        dry = backfill(services, Asked(asked.where, asked.collection, dry=True))
        assert dry.planned.work == {"": 3, "images": 3, "images/art/": 2, "sword": 2}[asked.where]
        assert dry.objects == (1 if asked.where.startswith("images") else 0)
        assert planned(books) == [] and books.sql("SELECT 1 FROM work WHERE stage = %s", INGEST) == []


def test_a_prefix_is_text_and_takes_in_what_nobody_told_of(
    services: Services, books: Books, old: dict[str, int]
) -> None:
    for key in ("art/new.png", "new.png"):
        services.store.put("images", key, b"new")
    done = backfill(services, Asked("images/art"))
    assert (done.planned, done.objects) == (Planned(2, 2), 1)
    assert planned(books) == found(old["art/a.png"], old["art/b.png"])
    rows = books.sql("SELECT o.key, w.priority FROM work w JOIN objects o ON o.id = w.subject WHERE w.stage = 'ingest'")
    assert ("art/new.png", BACKFILL) in rows and "new.png" not in dict(rows)


def test_a_query_finds_what_is_planned(services: Services, books: Books, old: dict[str, int]) -> None:
    done = backfill(services, Asked("sword"))
    assert done.scope == "query sword" and done.planned == Planned(2, 2)
    assert planned(books) == found(old["art/a.png"], old["c.png"])
    with pytest.raises(QueryError):
        backfill(services, Asked('width:"'))


def test_a_missing_model_is_asked_alone_but_with_what_it_needs(
    services: Services, books: Books, old: dict[str, int]
) -> None:
    stages = {"finder": DETECTION, "speaker": CAPTIONING, "placer": EMBEDDING, "judge": JUDGING, "again": TAGGING}
    numbers = {name: books.model(name, stage) for name, stage in stages.items()}
    books.collection(*books.rules.plan(1), *numbers.values())
    assert backfill(services, Asked("images/art/a.png", missing="judge", dry=True)).planned == Planned(1, 3)
    backfill(services, Asked("images/c.png", missing="again"))
    assert planned(books) == [(TAGGING, old["c.png"], BACKFILL)]


def test_what_is_not_known_is_named_with_what_is(services: Services, books: Books, old: dict[str, int]) -> None:
    with pytest.raises(PermanentError, match=r"finder.*models use"):
        backfill(services, Asked(collection="main", missing="stranger"))
    books.collection(name="other", bucket="shop", prefix="art/")
    with pytest.raises(NotFoundError, match="shop/art/"):
        backfill(services, Asked("shop/music/"))


def test_what_only_a_backfill_planned_can_be_taken_back(services: Services, books: Books, old: dict[str, int]) -> None:
    backfill(services, MAIN)
    begun = services.work.claim([DETECTION], 1)
    late = books.put("late.png", priority=BACKFILL)  # found by a comparison: without its work it would stay incomplete
    assert services.backfill.waiting() == {DETECTION: 4, TAGGING: 1}
    metrics = ledger_metrics(services.work.counts, services.backfill.waiting, services.records.summary, no_lag)
    assert b'nafuda_backfill_waiting{stage="detection"} 4.0' in metrics()
    assert services.backfill.cancel() == 2
    assert [(stage, image) for stage, image, _ in planned(books)] == sorted(
        [(DETECTION, begun[0].subject), (DETECTION, late), (TAGGING, late)]
    )


def test_live_work_has_chunks_of_its_own(services: Services, books: Books, old: dict[str, int]) -> None:
    """An image that somebody waits for does not wait for others of its chunk that could."""
    backfill(services, MAIN)
    live = books.put("live.png")
    chunks: list[set[int]] = []

    def do(services: Services, claims: list[Claim]) -> None:
        chunks.append({claim.subject for claim in claims})
        services.work.fail([])
        services.results.store([])
        for claim in claims:
            books.say(claim.model, claim.subject, stage=claim.stage, sword=0.9)

    for _ in range(4):
        run_round(services, "vision", [STAGES], do)
    assert chunks[0] == {live}
    assert set().union(*chunks[1:]) == set(old.values())
    assert all(len(chunk) <= CHUNK // 2 for chunk in chunks[1:])


def test_backfill_leaves_room_for_what_comes_meanwhile(services: Services, books: Books, old: dict[str, int]) -> None:
    for number in range(2 * CHUNK):
        books.put(f"more/{number}.png", priority=BACKFILL)
    started, end = threading.Semaphore(0), threading.Event()
    seen: list[int] = []

    def hold(services: Services, claims: list[Claim]) -> None:
        seen.append(max(claim.priority for claim in claims))
        started.release()
        assert end.wait(60) or claims[0].priority == LIVE
        services.work.give_back(claims)

    rounds = [threading.Thread(target=run_round, args=(services, "vision", [STAGES], hold)) for _ in range(2)]
    for each in rounds:
        each.start()
        assert started.acquire(timeout=60)
    run_round(services, "vision", [STAGES], hold)  # no place is left: it ends at once, and does nothing
    assert seen == [BACKFILL, BACKFILL]
    books.put("live.png")

    def quick(services: Services, claims: list[Claim]) -> None:
        seen.append(max(claim.priority for claim in claims))

    run_round(services, "vision", [STAGES], quick)
    end.set()
    for each in rounds:
        each.join(60)
    assert seen == [BACKFILL, BACKFILL, LIVE]


@contextmanager
def crowded(services: Services, queue: str) -> Iterator[None]:
    """Other chunks of a queue have all the room that there is, and one more is wanted."""
    with ExitStack() as others:
        for number in itertools.count():
            if not others.enter_context(services.room.place(queue, [str(number)])).share:
                break
        yield


def test_who_finds_no_room_is_hinted_at_when_there_is_some(
    services: Services, books: Books, old: dict[str, int]
) -> None:
    backfill(services, MAIN)
    begun: list[Claim] = []
    with crowded(services, "ingest"):
        run_round(services, "vision", [STAGES], lambda services, claims: begun.extend(claims))
    run_round(services, "language", [(CAPTIONING,)], lambda services, claims: begun.extend(claims))
    assert begun == []  # nobody was there to be captioned, but a place was left
    assert books.sql("SELECT queue FROM hints WHERE waiting > 0 ORDER BY 1") == [("ingest",), ("vision",)]


def test_answers_need_no_room_and_tell_nothing_of_pictures(
    services: Services, books: Books, old: dict[str, int]
) -> None:
    """Done in a moment, they made captions take all places with whole chunks, and tags came last."""
    captioner = books.model("captioner", CAPTIONING)
    books.collection(captioner, books.model("judge", JUDGING))
    backfill(services, MAIN)
    for image in old.values():
        books.say(captioner, image, stage=CAPTIONING, sword=0.9)
    judged: list[str] = []

    def do(services: Services, claims: list[Claim]) -> None:
        judged.extend(claim.stage for claim in claims)
        for claim in claims:
            books.say(claim.model, claim.subject, stage=claim.stage, sword=0.9)

    with crowded(services, "vision"):
        run_round(services, LANGUAGE.name, LANGUAGE.chunks, do)
    assert judged == [JUDGING] * len(old)
