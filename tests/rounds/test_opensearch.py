"""The index on OpenSearch and the records: filled, lost, rebuilt under writes, rolled back (R64, R68, R72, R74)."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import httpx2
import numpy as np
import pytest

from infra.search.opensearch import keeping
from infra.search.opensearch.editions import Edition, Editions
from infra.settings import Settings
from schemas.errors import ConflictError, TransientError
from schemas.pipeline import EMBEDDING
from schemas.results import ModelOutput, StageResult
from schemas.search import SearchRequest, Viewer, parse
from tasks.erase import content_of, erase
from tasks.index import check_index, index_behind
from tasks.merge import merge_dirty, refresh
from tasks.prepare import prepare
from tasks.rebuild import drop, editions, rebuild, roll_back
from tasks.services import Services
from tasks.sweep import keep_index, run_sweeper
from tasks.welcome import summary
from tests.e2e.instance import wait_for
from tests.records.books import Books
from tests.rounds.test_merge import put
from tests.search.similar_contract import unit
from tests.stack.given import given
from tests.stack.searching import own_index, remove_editions, turning_away

pytestmark = pytest.mark.stack


@pytest.fixture
def services(tmp_path: Path, database: str) -> Iterator[Services]:
    """Parts of a process whose search is on the stack's OpenSearch, under a name of its own."""
    with own_index() as name:
        settings = Settings(
            data=tmp_path,
            database_url=database,
            broker_url="memory://",
            search_url=given("NAFUDA_TEST_OPENSEARCH_URL"),
            search_index=name,
        )
        services = Services(settings, ("merge",))
        services.work.beat()
        keep_index(services)
        yield services
        services.close()


def found(services: Services, text: str = "") -> list[int]:
    request = SearchRequest(parse(text + " order:id"), Viewer(sees_held=True), 500)
    return [hit.record for hit in services.index.hits(request).hits]


def test_what_is_merged_is_found_and_a_decision_shows_in_the_very_next_search(services: Services, books: Books) -> None:
    number = put(books, "a.png", sword=0.9)
    merge_dirty(services)
    assert found(services, "sword") == [number]
    books.records.edit(number, "mia", "shield", "general", True)
    refresh(services, [number])
    assert found(services, "shield") == [number]
    assert check_index(services).missing == ()


def test_an_index_whose_data_is_lost_is_made_again_and_filled_from_the_records(
    services: Services, books: Books
) -> None:  # R72
    numbers = [put(books, f"{n}.png", sword=0.9) for n in range(5)]
    merge_dirty(services)
    remove_editions(services.settings.search_index)
    put(books, "later.png", sword=0.9)
    merge_dirty(services)  # the index is gone: nothing is taken, nothing is lost
    assert services.indexing.lag()[0] == 1
    assert services.index_outage.paused()
    keep_index(services)
    while index_behind(services, now=True):
        pass
    assert found(services)[:5] == numbers and len(found(services)) == 6
    assert check_index(services) == type(check_index(services))(6, (), ())


def test_a_lost_index_is_made_again_however_often_writers_fail_meanwhile(services: Services, books: Books) -> None:
    number = put(books, "a.png", sword=0.9)
    merge_dirty(services)
    remove_editions(services.settings.search_index)
    stop = threading.Event()
    sweeper = threading.Thread(target=run_sweeper, args=(services, stop))
    try:
        for _ in range(6):  # the last of these pauses takes 15 to 30 s
            services.index_outage.began(TransientError("a writer failed"))
        sweeper.start()
        put(books, "later.png", sword=0.9)
        wait_for(lambda: _tried_at_once(services) == 2, 20)
        assert found(services, "sword")[0] == number and not services.index_outage.away
    finally:
        stop.set()
        sweeper.join()


def _tried_at_once(services: Services) -> int:
    """As a merge worker that is always there when a pause ends; returns how many documents searches find."""
    merge_dirty(services)
    try:
        return len(found(services))
    except TransientError:
        return 0


def test_a_server_that_turns_every_document_away_is_said_once_left_alone_and_given_them_in_the_end(
    services: Services, books: Books, caplog: pytest.LogCaptureFixture
) -> None:  # R72, R74
    numbers = []
    with turning_away(services.settings.search_url):
        for n in range(5):
            numbers.append(put(books, f"{n}.png", sword=0.9))
            merge_dirty(services)
        assert services.index_outage.paused() and services.indexing.lag()[0] == 5
    (said,) = [line.message for line in caplog.records if "turned all of" in line.message]
    assert "rejected_execution_exception" in said and "too much to do" in said
    while index_behind(services, now=True):
        pass
    assert found(services, "sword") == numbers and not services.index_outage.away
    assert check_index(services).missing == ()


def test_a_rebuild_waits_for_a_server_that_turns_documents_away(services: Services, books: Books) -> None:
    number = put(books, "a.png", sword=0.9)
    merge_dirty(services)
    with ExitStack() as busy:
        busy.enter_context(turning_away(services.settings.search_url))
        healer = threading.Timer(5, busy.close)
        healer.start()
        made = rebuild(services, print)
        healer.join()
    assert [edition.name for edition in editions(services) if edition.read] == [made.name]
    assert found(services, "sword") == [number]


def test_differences_are_mended(services: Services, books: Books) -> None:
    numbers = [put(books, f"{n}.png", sword=0.9) for n in range(4)]
    merge_dirty(services)
    services.index.forget([numbers[0]])
    restored = """UPDATE records SET revision = revision - 1,
                  document = jsonb_set(document, '{revision}', to_jsonb(revision - 1)) WHERE id = %s"""
    books.records.edit(numbers[1], "mia", "shield", "general", True)
    merge_dirty(services)
    books.sql(restored, numbers[1])  # as after a restored backup
    books.sql("DELETE FROM records WHERE id = %s", numbers[2])
    differences = check_index(services, repair=True)
    assert differences.missing == (numbers[0],)
    assert differences.foreign == (numbers[1], numbers[2])
    assert check_index(services) == type(differences)(3, (), ())
    assert found(services) == [numbers[0], numbers[1], numbers[3]]


def test_an_erased_image_is_in_no_edition(services: Services, books: Books) -> None:  # R74, R76
    erased, stays = put(books, "a.png", sword=0.9), put(books, "b.png", sword=0.9)
    merge_dirty(services)
    rebuild(services, print)
    services.store.make_bucket("images")
    erase(services, content_of(services, str(erased)))
    names = [edition.name for edition in editions(services)]
    assert len(names) == 2
    with httpx2.Client(base_url=services.settings.search_url, timeout=30) as server:
        kept = [server.get(f"/{name}/_search").raise_for_status().json()["hits"]["hits"] for name in names]
    assert [[hit["_source"]["record"] for hit in hits] for hits in kept] == [[stays], [stays]]
    assert check_index(services) == type(check_index(services))(1, (), ())


def test_a_rebuild_loses_no_write_and_the_way_back_is_kept_up(services: Services, books: Books) -> None:  # R74
    numbers = [put(books, f"{n}.png", sword=0.9) for n in range(20)]
    merge_dirty(services)
    (before,) = editions(services)
    stop = threading.Event()
    later: list[int] = []

    def upload() -> None:
        while not stop.is_set():
            later.append(put(books, f"later{len(later)}.png", sword=0.9))
            merge_dirty(services)

    uploading = threading.Thread(target=upload)
    uploading.start()
    seen: list[str] = []
    made = rebuild(services, seen.append)
    stop.set()
    uploading.join()
    while index_behind(services, now=True):
        pass
    assert [edition.name for edition in editions(services) if edition.read] == [made.name]
    assert found(services) == [*numbers, *later]
    assert check_index(services).missing == ()
    roll_back(services)
    assert [edition.name for edition in editions(services) if edition.read] == [before.name]
    assert found(services) == [*numbers, *later]
    drop(services, made.name)
    with pytest.raises(ConflictError, match="no other edition"):
        roll_back(services)


def no_shard(services: Services, edition: Edition) -> None:
    """Take an edition's only shard away, as when the node that held it is lost: no node may have it."""
    with httpx2.Client(base_url=services.settings.search_url, timeout=60) as server:
        about = server.get(f"/{edition.name}").raise_for_status().json()[edition.name]
        server.delete(f"/{edition.name}").raise_for_status()
        nowhere = {"index": {"number_of_replicas": 0, "routing.allocation.require._name": "nobody"}}
        body = {"settings": nowhere, "mappings": about["mappings"], "aliases": about["aliases"]}
        waiting = {"wait_for_active_shards": "0"}
        server.put(f"/{edition.name}", json=body, params=waiting).raise_for_status()


def test_a_broken_edition_that_nobody_searches_is_given_up_and_holds_nothing_up(
    services: Services, books: Books, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:  # R72, R74
    numbers = [put(books, "a.png", sword=0.9)]
    merge_dirty(services)
    (before,) = editions(services)
    made = rebuild(services, print)
    no_shard(services, before)
    numbers.append(put(books, "b.png", sword=0.9))
    merge_dirty(services)
    assert services.indexing.lag()[0] == 1 and "which is not searched" in caplog.text  # it may come back
    assert [each.name for each in editions(services) if each.written] == [before.name, made.name]
    monkeypatch.setattr(keeping, "_PATIENCE", timedelta(0))
    assert index_behind(services, now=True) == 1
    assert found(services) == numbers and services.indexing.lag()[0] == 0
    assert [each.name for each in editions(services) if each.written] == [made.name]
    (said,) = [line.message for line in caplog.records if "written no more" in line.message]
    assert f"`nafuda index drop {before.name}`" in said
    with pytest.raises(ConflictError, match="no other edition"):
        roll_back(services)
    rebuild(services, print)
    assert before.name not in [each.name for each in editions(services)] and found(services) == numbers


def test_an_edition_that_live_writes_gave_up_while_it_was_filled_is_never_searched(
    services: Services, books: Books
) -> None:  # R74
    put(books, "a.png", sword=0.9)
    merge_dirty(services)
    (before,) = editions(services)
    index = services.opensearch
    assert index is not None

    def gives_up(said: str) -> None:
        (made,) = [each for each in index.editions.all() if not each.read]
        assert not index.editions.give_up(made.name, made.name)  # as if searches had moved
        assert not index.editions.give_up(before.name, made.name)
        if said.startswith("1 records"):
            assert index.editions.give_up(made.name, before.name)
            with pytest.raises(ConflictError, match="not kept up"):
                index.editions.read_from(made.name)

    with pytest.raises(ConflictError, match="was given up"):
        rebuild(services, gives_up)
    assert editions(services) == [before]


def test_a_rebuild_that_would_lack_something_is_not_searched(
    services: Services, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(books, "a.png", sword=0.9)
    merge_dirty(services)
    books.sql("UPDATE records SET document = jsonb_set(document, '{tags,0,name}', to_jsonb(repeat('x', 40000)))")
    (before,) = editions(services)
    with pytest.raises(ConflictError, match="would lack 1 of 1"):
        rebuild(services, print)
    assert editions(services) == [before]


def test_a_mapping_that_cannot_be_changed_in_place_is_rebuilt(services: Services, books: Books) -> None:
    number = put(books, "a.png", sword=0.9)
    merge_dirty(services)
    (before,) = editions(services)
    older = {"mappings": {"properties": {"width": {"type": "keyword"}}}, "aliases": {}}
    older["aliases"] = {services.settings.search_index: {}, before.target: {}}
    with httpx2.Client(base_url=services.settings.search_url, timeout=30) as server:
        server.delete(f"/{before.name}").raise_for_status()
        server.put(f"/{before.name}", json=older).raise_for_status()
    assert "`nafuda index rebuild`" in keep_index(services)
    said: list[str] = []
    made = rebuild(services, said.append)
    assert any("not kept up" in line for line in said)
    assert keep_index(services) == ""
    assert found(services, "sword") == [number]
    assert [(each.name, each.read, each.written) for each in editions(services)] == [
        (before.name, False, False),
        (made.name, True, True),
    ]


def test_an_unfinished_rebuild_is_cleared_away_by_the_next(services: Services, books: Books) -> None:
    put(books, "a.png", sword=0.9)
    merge_dirty(services)
    assert services.opensearch is not None
    left = services.opensearch.editions.begin()
    made = rebuild(services, print)
    names = [edition.name for edition in editions(services)]
    assert left.name not in names and made.name in names and len(names) == 2


def test_vectors_that_the_index_had_no_room_for_are_found_after_the_next_look(
    services: Services, books: Books
) -> None:  # R65
    numbers = [put(books, f"{n}.png", sword=0.9) for n in range(2)]
    model = books.model("encoder", EMBEDDING)
    for number, vector in zip(numbers, (unit(1), unit(2, 1)), strict=True):
        output = ModelOutput(np.zeros(0, np.int16), np.zeros(0, np.float32), vector=vector)
        books.results.store([StageResult(image_of(books, number), model, EMBEDDING, output, 1.0)])
    merge_dirty(services)
    assert services.similar.by_vector(numbers[0], 5, Viewer()) == ()
    keep_index(services)
    while index_behind(services, now=True):
        pass
    (near,) = services.similar.by_vector(numbers[0], 5, Viewer())
    assert near.hit.record == numbers[1] and near.score == pytest.approx(2 / 5**0.5, abs=1e-3)
    assert services.indexing.lag()[0] == 0
    keep_index(services)
    assert services.indexing.lag()[0] == 0  # nothing is given twice


def test_vectors_of_an_embedder_that_came_during_a_rebuild_are_found(services: Services, books: Books) -> None:  # R64
    numbers = [put(books, f"{n}.png", sword=0.9) for n in range(2)]
    merge_dirty(services)

    def comes(said: str) -> None:
        if not said.startswith("filling"):
            return
        model = books.model("encoder", EMBEDDING)
        for number, vector in zip(numbers, (unit(1), unit(2, 1)), strict=True):
            output = ModelOutput(np.zeros(0, np.int16), np.zeros(0, np.float32), vector=vector)
            books.results.store([StageResult(image_of(books, number), model, EMBEDDING, output, 1.0)])
        keep_index(services)
        while index_behind(services, now=True):
            pass

    rebuild(services, comes)
    assert services.indexing.lag()[0] == 0
    (near,) = services.similar.by_vector(numbers[0], 5, Viewer())
    assert near.hit.record == numbers[1]


def test_room_that_is_made_between_the_look_and_the_write_is_written_to_again(
    services: Services, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:  # R64, R72
    numbers = [put(books, f"{n}.png", sword=0.9) for n in range(2)]
    model = books.model("encoder", EMBEDDING)
    for number, vector in zip(numbers, (unit(1), unit(2, 1)), strict=True):
        output = ModelOutput(np.zeros(0, np.int16), np.zeros(0, np.float32), vector=vector)
        books.results.store([StageResult(image_of(books, number), model, EMBEDDING, output, 1.0)])
    written = Editions.written

    def late(self: Editions) -> list[Edition]:
        looked = written(self)
        monkeypatch.undo()
        keep_index(services)
        return looked

    monkeypatch.setattr(Editions, "written", late)
    merge_dirty(services)
    assert services.indexing.lag()[0] == 2
    while index_behind(services, now=True):
        pass
    (near,) = services.similar.by_vector(numbers[0], 5, Viewer())
    assert near.hit.record == numbers[1]


def image_of(books: Books, record: int) -> int:
    ((image,),) = books.sql("SELECT image FROM records WHERE id = %s", record)
    return int(image)


def test_a_server_that_is_away_holds_no_preparation_up(tmp_path: Path, database: str) -> None:  # R72
    settings = Settings(
        data=tmp_path, database_url=database, search_url="http://127.0.0.1:9", models=("nafuda/sample-encoder",)
    )
    services = Services(settings)
    done = prepare(services)
    assert any("OpenSearch does not answer" in each for each in done)
    assert len(services.rules.fresh().models) == 1
    assert summary(services).startswith("nothing is searchable yet")
    services.close()
