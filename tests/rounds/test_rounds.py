"""A round: whatever happens to a chunk, nothing of it stays claimed, and only the guilty are quarantined (R42, R72)."""

import threading
from collections import Counter

import psycopg

from schemas.errors import TransientError
from schemas.ledger import Claim
from schemas.pipeline import CAPTIONING, DETECTION, JUDGING, LANGUAGE, TAGGING
from tasks.rounds import run_round
from tasks.services import Services
from tests.records.books import STAGES, Books
from tests.rounds.conftest import CHUNK


def counts(services: Services) -> dict[str, int]:
    return {each.state: each.count for each in services.work.counts()}


def store(books: Books, claims: list[Claim]) -> None:
    for claim in claims:
        books.say(claim.model, claim.subject, stage=claim.stage, sword=0.9)


def test_a_round_takes_a_chunk_and_wakes_others_when_there_may_be_more(services: Services, books: Books) -> None:
    for number in range(CHUNK + 1):
        books.put(f"{number}.png")
    sizes: list[int] = []

    def do(services: Services, claims: list[Claim]) -> None:
        sizes.append(len(claims))
        # The next hint went out before the work began, so that others join.
        assert books.sql("SELECT waiting FROM hints WHERE queue = 'vision'") == ([(1,)] if len(sizes) == 1 else [(0,)])
        store(books, claims)

    for _ in range(3):
        run_round(services, "vision", [STAGES], do)
    assert sizes == [CHUNK, 1]


def test_a_chunk_holds_everything_that_is_ready_for_its_images(services: Services, books: Books) -> None:
    books.collection(books.model("tagger"), books.model("another"), books.model("finder", DETECTION))
    for number in range(CHUNK + 1):
        books.put(f"{number}.png")
    rounds: list[list[int]] = []

    def do(services: Services, claims: list[Claim]) -> None:
        rounds.append(sorted(Counter(claim.subject for claim in claims).values()))
        store(books, claims)

    run_round(services, "vision", [STAGES], do)
    while books.sql("SELECT queue FROM hints WHERE queue = 'vision' AND waiting > 0"):
        run_round(services, "vision", [STAGES], do)
    assert (rounds, counts(services)) == ([[3] * CHUNK, [3]], {})


def test_a_hint_gives_pictures_and_answers_a_chunk_each(services: Services, books: Books) -> None:
    """Were they claimed together, chunks of answers would cost captions every other turn of the queue."""
    captioner = books.model("captioner", CAPTIONING)
    books.collection(captioner, books.model("judge", JUDGING))
    captioned, other = books.put("captioned.png"), books.put("other.png")
    books.say(captioner, captioned, stage=CAPTIONING, sword=0.9)
    rounds: list[list[tuple[str, int]]] = []

    def do(services: Services, claims: list[Claim]) -> None:
        rounds.append([(claim.stage, claim.subject) for claim in claims])
        store(books, claims)

    services.wake(LANGUAGE.name)
    run_round(services, LANGUAGE.name, LANGUAGE.chunks, do)
    assert rounds == [[(CAPTIONING, other)], [(JUDGING, captioned), (JUDGING, other)]]
    run_round(services, LANGUAGE.name, LANGUAGE.chunks, do)
    assert books.sql("SELECT waiting FROM hints WHERE queue = 'language'") == [(0,)]


def test_an_error_that_nobody_foresaw_isolates_each_image_and_quarantines_only_the_guilty(
    services: Services, books: Books
) -> None:
    images = [books.put(f"{number}.png") for number in range(CHUNK)]
    guilty = images[1]
    chunks: list[int] = []

    def do(services: Services, claims: list[Claim]) -> None:
        chunks.append(len({claim.subject for claim in claims}))
        if guilty in {claim.subject for claim in claims}:
            raise ZeroDivisionError("nobody foresaw it")
        store(books, claims)

    for _ in range(20):
        books.due()
        run_round(services, "vision", [STAGES], do)
    assert chunks[0] == CHUNK
    assert set(chunks[1:]) == {1}
    assert books.states(TAGGING) == {guilty: ("quarantined", "ZeroDivisionError: nobody foresaw it")}
    statuses = {record.image: record.status for record in books.merge()}
    assert statuses == {image: "partial" if image == guilty else "complete" for image in images}


def test_a_server_that_is_away_abandons_the_chunk_and_blames_nobody(services: Services, books: Books) -> None:
    for number in range(CHUNK):
        books.put(f"{number}.png")

    def do(services: Services, claims: list[Claim]) -> None:
        store(books, claims[:1])
        raise TransientError("the store is away", code="away")

    run_round(services, "vision", [STAGES], do)
    assert counts(services) == {"waiting": CHUNK - 1}
    assert not services.work.suspects(STAGES)


def test_a_claim_is_given_back_even_when_the_ledger_refuses_for_a_while(
    services: Services, books: Books, database: str
) -> None:
    books.put("a.png")
    refused = threading.Event()

    with psycopg.connect(database) as other:

        def do(services: Services, claims: list[Claim]) -> None:
            other.execute("SELECT FROM work FOR UPDATE")  # longer than a statement may wait
            threading.Timer(2, other.rollback).start()
            refused.set()
            raise TransientError("so it began", code="away")

        run_round(services, "vision", [STAGES], do)
    assert refused.is_set()
    assert counts(services) == {"waiting": 1}


def test_a_round_without_work_forgets_hints_that_were_lost(services: Services, books: Books) -> None:
    while services.work.announce("vision"):
        pass
    run_round(services, "vision", [STAGES], lambda services, claims: None)
    assert services.work.announce("vision")


def test_a_suspect_is_worked_on_alone_and_then_the_others_have_their_turn(services: Services, books: Books) -> None:
    suspect, *_ = (books.put(key) for key in ("a.png", "b.png", "c.png"))
    books.sql("UPDATE work SET deaths = 1 WHERE subject = %s", suspect)
    worked: list[tuple[set[int], bool]] = []

    def visit(inside: threading.Event) -> None:
        with services.gate.together():
            inside.set()

    def do(services: Services, claims: list[Claim]) -> None:
        inside = threading.Event()
        threading.Thread(target=visit, args=(inside,)).start()
        images = {claim.subject for claim in claims}
        worked.append((images, inside.wait(0.2 if images == {suspect} else 20)))
        store(books, claims)

    run_round(services, "vision", [STAGES], do)
    assert worked[0] == ({suspect}, False)  # nobody else came in
    assert (len(worked[1][0]), worked[1][1]) == (2, True)
    assert counts(services) == {}
