"""Many threads on the same rows in any order: nothing deadlocks, nothing is there twice, no reason is lost (R73)."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from schemas.ledger import Found
from schemas.results import StageResult
from tests.records.books import DETECTION, INGEST, STAGES, TAGGING, Books, digest, events, facts, output
from workers.merging import merge

KEYS = tuple(f"{number:03}.png" for number in range(40))


def in_threads(count: int, act: Callable[[random.Random], None]) -> list[str]:
    """Run it in threads that start together; returns what they raised."""
    start = threading.Barrier(count)

    def run(seed: int) -> None:
        start.wait()
        act(random.Random(seed))

    with ThreadPoolExecutor(count) as threads:
        errors = [future.exception() for future in [threads.submit(run, seed) for seed in range(count)]]
    return [str(error) for error in errors if error is not None]


def some(luck: random.Random, items: tuple[str, ...] = KEYS) -> list[str]:
    return luck.sample(items, luck.randint(2, len(items)))


def answers(books: Books, luck: random.Random, keys: list[str]) -> list[Found]:
    """What ingest says now of these keys: few contents, which move from key to key."""
    rows = books.rows(*keys)
    found = []
    for row in rows:
        content = f"content {luck.randrange(15)}"
        found.append(Found(row.id, row.checks, books.head(row.key, content), digest(content), facts(), None))
    return found


def test_noting_finding_storing_and_failing_the_same_objects_never_deadlocks(books: Books) -> None:
    model = books.model("tagger")
    books.collection(model)
    # Ids in another order than keys, which is what made two ways of sorting meet.
    books.note(*reversed(KEYS))
    books.objects.note(events(*KEYS))

    def act(luck: random.Random) -> None:
        worker = books.work(f"host:{luck.random()}:1")
        for _ in range(12):
            books.objects.note(events(*some(luck)), luck.randrange(2))
            books.objects.found(answers(books, luck, some(luck)))
            rows = books.rows(*some(luck))
            books.objects.unchanged([(row.id, row.checks) for row in rows])
            for stages in ([INGEST], STAGES):
                claims = worker.claim(stages, 9)
                worker.abandon(claims[::2])
                worker.give_back(claims[1::2])
            images = [image for (image,) in books.sql("SELECT id FROM images")]
            luck.shuffle(images)
            results = [StageResult(image, model, TAGGING, output(sword=0.9), 1.0) for image in images]
            books.results.store(results)
            books.merge()

    assert in_threads(8, act) == []
    assert books.sql("SELECT count(*), count(DISTINCT sha256) FROM images") == [(15, 15)]
    assert books.sql("SELECT count(*) = count(DISTINCT image) FROM records") == [(True,)]
    assert books.sql("SELECT count(*) FROM results") == [(15,)]
    books.merge()
    linked = {digest for (digest,) in books.sql("SELECT i.sha256 FROM objects o JOIN images i ON i.id = o.image")}
    live = {
        digest for (digest,) in books.sql("SELECT i.sha256 FROM records r JOIN images i ON i.id = r.image AND live")
    }
    assert linked == live


def test_new_rules_while_records_are_touched_everywhere_never_deadlock(books: Books) -> None:
    model = books.model("tagger")
    books.collection(model)
    images = [books.put(key) for key in KEYS]
    current = books.rules.fresh()

    def act(luck: random.Random) -> None:
        for _ in range(8):
            several = luck.sample(images, 20)
            books.say(model, *several, sword=0.6)
            books.objects.found(answers(books, luck, some(luck)))
            if luck.random() < 0.3:
                books.sql("SELECT pg_sleep(0.001)")

    def rule(luck: random.Random) -> None:
        del luck
        for number in range(10):
            books.rules.set_vocabulary(current.vocabulary, "test")
            books.rules.set_thresholds({"general": 0.5 + number / 50}, "test")

    with ThreadPoolExecutor(1) as beside:
        ruling = beside.submit(in_threads, 1, rule)
        assert in_threads(4, act) == []
        assert ruling.result() == []


def test_a_reason_that_comes_during_a_merge_is_merged_afterwards(books: Books) -> None:
    model = books.model("tagger")
    books.collection(model)
    image = books.put("a.png")
    with books.merging.dirty(10) as this:
        late = threading.Thread(target=books.say, args=(model, image), kwargs={"sword": 0.9})
        late.start()  # it waits for the record that this merge holds
        this.publish([merge(known, books.rules.fresh()) for known in this.inputs], "postgres", (0, 0))
    late.join()
    assert books.dirty() == [image]
    assert [tag.name for tag in books.merged("a.png").tags] == ["sword"]


def test_an_image_is_never_split_among_those_who_claim_at_once(books: Books) -> None:
    books.collection(books.model("tagger"), books.model("another"), books.model("finder", DETECTION))
    for key in KEYS:
        books.put(key)
    taken: list[list[int]] = []

    def act(luck: random.Random) -> None:
        worker = books.work(f"host:{luck.random()}:1")
        while claims := worker.claim(STAGES, 3):
            taken.append([claim.subject for claim in claims])

    assert in_threads(6, act) == []
    counted = [Counter(chunk) for chunk in taken]
    assert {count for chunk in counted for count in chunk.values()} == {3}
    assert sum(len(chunk) for chunk in counted) == len(KEYS) and max(map(len, counted)) == 3
