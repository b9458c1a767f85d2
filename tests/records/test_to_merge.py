"""When what was said of an image shows in its record: at once if nothing else will come, else soon (R42, R61, R72)."""

import threading

import pytest

from infra.records.results import PostgresResults
from schemas.pipeline import CAPTIONING, DETECTION
from schemas.results import StageResult
from tests.records.books import TAGGING, Books, failure, output

PATIENCE = 3  # seconds
ALL = (DETECTION, TAGGING, CAPTIONING)


@pytest.fixture
def image(books: Books) -> int:
    """Of a plan with three models, as it is some time after ingest: its record was published without results."""
    books.models = [books.model(stage, stage) for stage in ALL]
    books.collection(*books.models)
    image = books.put("a.png")
    books.merge()
    return image


def say(books: Books, image: int, stage: str) -> None:
    books.say(books.models[ALL.index(stage)], image, stage=stage, sword=0.9)


def wait(books: Books) -> float:
    """Seconds until the record is due."""
    ((left,),) = books.sql("SELECT extract(epoch FROM dirty_at - now())::float8 FROM records WHERE dirty > merged")
    return float(left)


def test_what_is_said_first_waits_for_what_is_still_worked_on(books: Books, image: int) -> None:
    say(books, image, TAGGING)
    assert PATIENCE - 1 < wait(books) <= PATIENCE


def test_a_later_word_does_not_put_off_the_first(books: Books, image: int) -> None:
    say(books, image, TAGGING)
    books.sql("UPDATE records SET dirty_at = dirty_at - interval '2 seconds'")
    say(books, image, DETECTION)
    assert wait(books) <= PATIENCE - 2


def test_the_last_word_is_waited_for_no_longer(books: Books, image: int) -> None:
    for stage in ALL:
        say(books, image, stage)
    assert wait(books) <= 0


def test_a_new_image_waits_ten_seconds_for_the_first_word(books: Books, image: int) -> None:
    newer = books.put("b.png")
    assert 9 < wait(books) <= 10
    say(books, newer, TAGGING)
    assert PATIENCE - 1 < wait(books) <= PATIENCE
    books.sql("UPDATE records SET dirty_at = now() + interval '1 second' WHERE dirty > merged")
    say(books, newer, CAPTIONING)
    assert wait(books) <= 1


def test_a_new_image_of_which_nothing_will_be_said_waits_for_nothing(books: Books, image: int) -> None:
    books.collection(name="bare", prefix="bare/")
    books.put("bare/b.png")
    assert wait(books) <= 0


def test_so_does_one_of_which_all_was_said_elsewhere(books: Books, image: int) -> None:
    for stage in ALL:
        say(books, image, stage)
    books.merge()
    books.collection(*books.models, name="other", prefix="other/")
    books.put("other/a.png", "a.png")
    assert wait(books) <= 0


@pytest.mark.parametrize("permanent", [True, False], ids=["for good", "tried again"])
def test_what_failed_for_good_is_waited_for_no_longer(books: Books, image: int, permanent: bool) -> None:
    for stage in (DETECTION, TAGGING):
        say(books, image, stage)
    worker = books.work()
    worker.fail([failure(claim, permanent=permanent) for claim in worker.claim([CAPTIONING], 9)])
    assert (wait(books) <= 0) == permanent


def test_what_a_person_says_waits_for_nothing(books: Books, image: int) -> None:
    say(books, image, TAGGING)
    books.records.edit(books.records.find("a.png"), "mia", "dawn", "general", True)
    assert wait(books) <= 0


def test_of_two_that_end_at_once_the_second_knows_that_nothing_is_left(books: Books, image: int) -> None:
    say(books, image, DETECTION)
    for _ in range(10):
        books.sql("UPDATE records SET dirty_at = now() + interval '1 hour'")
        barrier = threading.Barrier(2)
        for stage in (TAGGING, CAPTIONING):
            books.sql(
                "INSERT INTO work (stage, subject, model) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                stage, image, books.models[ALL.index(stage)],
            )  # fmt: skip

        def store(stage: str) -> None:
            result = StageResult(image, books.models[ALL.index(stage)], stage, output(sword=0.9), 1.0)
            barrier.wait()  # noqa: B023
            PostgresResults(books.pool).store([result])

        threads = [threading.Thread(target=store, args=(stage,)) for stage in (TAGGING, CAPTIONING)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wait(books) <= 0
