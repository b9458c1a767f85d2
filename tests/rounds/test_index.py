"""The index and the records: what differs is found and mended (R68, R73, R74), on PostgreSQL."""

import logging

import pytest

from schemas.document import Document
from schemas.errors import ConfigurationError, TransientError
from schemas.search import SearchRequest, Viewer, WriteOutcome, parse
from tasks.index import check_index, index_behind, prepare_index
from tasks.merge import merge_dirty
from tasks.outage import Outage
from tasks.rebuild import rebuild
from tasks.services import Services
from tests.records.books import Books
from tests.rounds.test_merge import put


def found(services: Services, text: str = "") -> list[int]:
    """Records of the first page, by id."""
    return [hit.record for hit in services.index.hits(SearchRequest(parse(text + " order:id"), Viewer(True))).hits]


def test_an_index_that_has_everything_differs_in_nothing(services: Services, books: Books) -> None:
    numbers = [put(books, f"{n}.png", sword=0.9) for n in range(3)]
    merge_dirty(services)
    books.delete("1.png")
    merge_dirty(services)
    differences = check_index(services)
    assert (differences.compared, differences.missing, differences.foreign) == (3, (), ())
    assert found(services) == [numbers[0], numbers[2]]


def test_what_is_missing_old_newer_or_unknown_is_found_and_mended(services: Services, books: Books) -> None:
    numbers = [put(books, f"{n}.png", sword=0.9) for n in range(4)]
    merge_dirty(services)
    books.sql("DELETE FROM search_document WHERE record = %s", numbers[0])
    books.sql("UPDATE search_document SET revision = 0 WHERE record = %s", numbers[1])
    books.sql("UPDATE search_document SET revision = 99 WHERE record = %s", numbers[2])
    books.sql("UPDATE search_document SET record = 4711 WHERE record = %s", numbers[3])
    differences = check_index(services)
    assert differences.missing == (numbers[0], numbers[1], numbers[3])
    assert differences.foreign == (numbers[2], 4711)
    check_index(services, repair=True)
    assert check_index(services) == type(differences)(4, (), ())
    assert found(services) == numbers


def test_a_purged_tombstone_is_not_missing(services: Services, books: Books) -> None:
    put(books, "a.png", sword=0.9)
    merge_dirty(services)
    books.delete("a.png")
    merge_dirty(services)
    books.sql("DELETE FROM search_document")
    assert check_index(services).missing == ()


def test_an_index_that_took_over_is_given_what_it_was_never_told(services: Services, books: Books) -> None:
    number = put(books, "a.png", sword=0.9)
    merge_dirty(services)
    books.sql("DELETE FROM search_document")
    books.sql("UPDATE index_state SET backend = 'another'")
    assert services.indexing.adopt(anew=False) == 1
    assert services.indexing.lag()[0] == 1
    index_behind(services)
    assert found(services) == [number] and services.indexing.adopt(anew=False) == 0
    assert prepare_index(services) == 0


def test_the_account_of_one_index_says_nothing_of_another(services: Services, books: Books) -> None:
    number = put(books, "a.png", sword=0.9)
    merge_dirty(services)
    books.sql("INSERT INTO index_state (record, backend, revision) VALUES (%s, 'another', 7)", number)
    books.sql("DELETE FROM hints")
    assert "merge" not in services.work.overdue()
    assert [each.record for each in services.objects.outcomes([("images", "a.png")])] == [number]


class Away:
    """An index that does not answer, or turns away every second document."""

    def __init__(self, services: Services) -> None:
        self.real, self.asked, self.down = services.index, 0, True

    def write(self, documents: list[Document], *, at_once: bool = True) -> list[WriteOutcome]:
        self.asked += 1
        if self.down:
            raise TransientError("nobody answers")
        taken = self.real.write(documents[::2], at_once=at_once)
        return [taken[n // 2] if n % 2 == 0 else WriteOutcome.FAILED for n in range(len(documents))]


def test_an_index_that_is_away_holds_no_merge_up_and_is_said_once(
    services: Services, books: Books, caplog: pytest.LogCaptureFixture
) -> None:  # R72
    caplog.set_level(logging.INFO)
    away = Away(services)
    services.__dict__["index"] = away
    for n in range(3):
        put(books, f"{n}.png", sword=0.9)
        merge_dirty(services)
    assert services.records.summary() and services.indexing.lag()[0] == 3
    assert away.asked < 3  # it is left alone for a while
    assert [line.message for line in caplog.records if "is away" in line.message] == [
        "the search index is away, what is meant for it waits: nobody answers"
    ]
    away.down = False
    while index_behind(services, now=True):
        pass
    assert services.indexing.lag()[0] == 0
    assert len([line for line in caplog.records if "is back" in line.message]) == 1


def test_what_is_written_while_the_index_is_made_anew_is_written_again(services: Services, books: Books) -> None:  # R72
    number = put(books, "a.png", sword=0.9)
    real = services.index

    class Lost:
        """An index that is lost, and made anew, after it took documents and before the account says so."""

        def write(self, documents: list[Document], *, at_once: bool = True) -> list[WriteOutcome]:
            taken = real.write(documents, at_once=at_once)
            books.sql("DELETE FROM search_document")
            assert services.indexing.adopt(anew=True) == 1
            return taken

    services.__dict__["index"] = Lost()
    merge_dirty(services)
    services.__dict__["index"] = real
    assert services.indexing.lag()[0] == 1 and found(services) == []
    index_behind(services)
    assert services.indexing.lag()[0] == 0 and found(services) == [number]


def test_pauses_grow_and_end() -> None:
    outage = Outage("it")
    assert not outage.paused()
    outage.began(TransientError("no"))
    assert outage.paused()
    outage.over()
    assert not outage.paused()


def test_an_index_on_the_database_is_not_made_anew(services: Services) -> None:
    with pytest.raises(ConfigurationError, match="--repair"):
        rebuild(services, print)
