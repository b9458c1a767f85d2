"""Work that needs other stages is held back until they have ended, well or not, whoever ends last (R42, R72)."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from infra.records.backfill import PostgresBackfill
from infra.records.pool import transaction
from infra.records.results import PostgresResults
from schemas.backfill import Planned, Scope
from schemas.pipeline import CAPTIONING, EMBEDDING, JUDGING
from schemas.results import ModelOutput, StageResult
from tests.records.books import Books, failure, subjects

SPOKEN = ModelOutput(np.zeros(1, np.int16), np.ones(1, np.float32), texts=("A cat.",))
PLACED = ModelOutput(np.zeros(0, np.int16), np.zeros(0, np.float32), vector=np.array([0.6, 0.8], np.float32))
ALL = (CAPTIONING, EMBEDDING, JUDGING)


@pytest.fixture
def judged(books: Books) -> Books:
    """A plan with a captioner, an encoder and a judge over both, and one image."""
    books.models = [books.model(stage, stage) for stage in ALL]
    books.collection(*books.models)
    books.put("a.png")
    return books


def end(books: Books, stage: str, output: ModelOutput) -> set[str]:
    (claim,) = books.work().claim([stage], 9)
    return books.results.store([StageResult(claim.subject, claim.model, stage, output, 1.0)])


def test_what_needs_others_waits_for_all_of_them(judged: Books) -> None:
    assert judged.work().claim([JUDGING], 9) == []
    assert not judged.work().ready([JUDGING])
    assert "language" not in judged.work().overdue() or judged.work().ready([CAPTIONING])
    assert end(judged, CAPTIONING, SPOKEN) == set()
    assert judged.work().claim([JUDGING], 9) == []
    assert end(judged, EMBEDDING, PLACED) == {JUDGING}
    assert len(judged.work().claim([JUDGING], 9)) == 1


def test_a_needed_stage_that_failed_for_good_is_waited_for_no_longer(judged: Books) -> None:
    end(judged, EMBEDDING, PLACED)
    worker = judged.work()
    (claim,) = worker.claim([CAPTIONING], 9)
    assert worker.fail([failure(claim)]) == set()  # it is tried again
    judged.due()
    (claim,) = worker.claim([CAPTIONING], 9)
    assert worker.fail([failure(claim, permanent=True)]) == {JUDGING}
    assert len(worker.claim([JUDGING], 9)) == 1


def test_content_that_others_had_judged_already_waits_for_nobody(judged: Books) -> None:
    end(judged, CAPTIONING, SPOKEN)
    end(judged, EMBEDDING, PLACED)
    judged.collection(*judged.models, name="other", bucket="images", prefix="b")
    judged.put("b.png", "a.png")
    assert len(judged.work().claim([JUDGING], 9)) == 1


def test_the_sweeper_lets_go_of_what_nobody_let_go(judged: Books) -> None:
    judged.results.remove_model(CAPTIONING)
    end(judged, EMBEDDING, PLACED)
    judged.sql("UPDATE work SET held = true WHERE stage = %s", JUDGING)
    judged.work().let_go(0, 9)
    assert len(judged.work().claim([JUDGING], 9)) == 1


def test_of_two_that_end_at_once_the_second_lets_go(judged: Books) -> None:
    claims = {claim.stage: claim for claim in judged.work().claim([CAPTIONING, EMBEDDING], 9)}
    for _ in range(10):
        judged.sql("UPDATE work SET held = true, claimed_by = NULL WHERE stage = %s", JUDGING)
        image = claims[CAPTIONING].subject
        for stage in (CAPTIONING, EMBEDDING):
            judged.sql(
                "INSERT INTO work (stage, subject, model) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                stage, image, claims[stage].model,
            )  # fmt: skip
        barrier, freed = threading.Barrier(2), []

        def store(stage: str, output: ModelOutput) -> None:
            barrier.wait()  # noqa: B023
            result = StageResult(image, claims[stage].model, stage, output, 1.0)  # noqa: B023
            freed.append(PostgresResults(judged.pool).store([result]))  # noqa: B023

        threads = [threading.Thread(target=store, args=pair) for pair in ((CAPTIONING, SPOKEN), (EMBEDDING, PLACED))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(map(len, freed)) == [0, 1]
    assert subjects(judged.work().claim([JUDGING], 9)) == [image]


def test_texts_figures_and_vectors_come_back_as_they_were_stored(judged: Books) -> None:
    told = ModelOutput(np.zeros(1, np.int16), np.ones(1, np.float32), texts=('A "cat",\0 {x}, ねこ.',))
    end(judged, CAPTIONING, told)
    end(judged, EMBEDDING, PLACED)
    (claim,) = judged.work().claim([JUDGING], 9)
    figures = ModelOutput(np.zeros(1, np.int16), np.ones(1, np.float32), figures=np.array([2.25], np.float32))
    judged.results.store([StageResult(claim.subject, claim.model, JUDGING, figures, 1.0)])
    known = judged.results.needed([claim.subject], {CAPTIONING: "r1", EMBEDDING: "r1"})[claim.subject]
    assert known[CAPTIONING].texts == ('A "cat", {x}, ねこ.',)
    vector = known[EMBEDDING].vector
    assert vector is not None and PLACED.vector is not None and np.array_equal(vector, PLACED.vector)
    raw = {each.stage: each.output for each in judged.results.of_image(claim.subject)}
    scored = raw[JUDGING].figures
    assert scored is not None and scored.tolist() == [2.25]
    judged.results.remove_model(EMBEDDING)
    assert judged.sql("SELECT count(*) FROM embeddings") == [(0,)]


def test_a_judge_hears_the_revision_that_it_was_made_for_and_no_other(judged: Books) -> None:
    """After `models use` of a new revision, and after going back to the old one."""
    image = judged.put("a.png")
    newer = judged.model(EMBEDDING, EMBEDDING, revision="r2")
    end(judged, EMBEDDING, PLACED)
    assert judged.results.needed([image], {EMBEDDING: "r2"}) == {}  # the new one failed here, or comes later
    turned = replace(PLACED, vector=np.array([0.8, 0.6], np.float32))
    judged.results.store([StageResult(image, newer, EMBEDDING, turned, 1.0)])
    for revision, wanted in (("r1", PLACED.vector), ("r2", turned.vector)):
        vector = judged.results.needed([image], {EMBEDDING: revision})[image][EMBEDDING].vector
        assert vector is not None and wanted is not None and np.array_equal(vector, wanted)
    assert judged.results.needed([image], {"another": "r1"}) == {} == judged.results.needed([image], {})


def unjudged(judged: Books) -> None:
    """The captioner failed for good, so the judge had nothing to say."""
    end(judged, EMBEDDING, PLACED)
    worker = judged.work()
    worker.fail([failure(claim, permanent=True) for claim in worker.claim([CAPTIONING], 9)])
    claims = worker.claim([JUDGING], 9)
    worker.fail([replace(failure(claim, permanent=True), code="nothing-to-score") for claim in claims])


@pytest.mark.parametrize("stages", [[CAPTIONING], [CAPTIONING, JUDGING]])
def test_a_retry_of_what_was_needed_is_waited_for_by_what_failed_for_want_of_it(
    judged: Books, stages: list[str]
) -> None:
    unjudged(judged)
    (image,) = [row[0] for row in judged.sql("SELECT id FROM images")]
    judged.work().retry(stages, [image])
    assert [claim.stage for claim in judged.work().claim([CAPTIONING, JUDGING], 9)] == [CAPTIONING]
    answer = StageResult(image, judged.models[0], CAPTIONING, SPOKEN, 1.0)
    assert JUDGING in judged.results.store([answer])
    assert len(judged.work().claim([JUDGING], 9)) == 1


def test_backfill_plans_what_a_new_model_has_not_said_below_live_work(judged: Books) -> None:
    for stage, output in ((CAPTIONING, SPOKEN), (EMBEDDING, PLACED)):
        end(judged, stage, output)
    new = judged.model("new-captioner", CAPTIONING)
    judged.rules.ensure_plan(judged.rules.ensure_collection("main", "images"), [*judged.models, new])
    ledger = PostgresBackfill(judged.pool)
    last, planned = ledger.page(Scope("main"), 0)
    assert last and planned == Planned(1, 1)
    assert ledger.page(Scope("main"), last) == (0, Planned())
    judged.put("live.png")
    claims = [claim for claim in judged.work().claim([CAPTIONING], 9) if claim.model == new]
    assert [claim.priority for claim in claims] == [0, 1]
    assert ledger.page(Scope("nowhere"), 0) == (0, Planned())


def test_the_sweeper_locks_nothing_that_rightly_waits(judged: Books) -> None:
    """A backfill holds much: locking all of it every second would stand in the way of everybody who ends something."""
    with transaction(judged.pool) as somebody:
        assert somebody.execute("SELECT FROM work WHERE held FOR UPDATE").fetchall()
        assert judged.work("host:sweep:1").let_go(0, 9) == 0


def test_the_sweeper_lets_go_of_what_was_forgotten(judged: Books) -> None:
    judged.sql("DELETE FROM work WHERE stage = ANY (%s)", [CAPTIONING, EMBEDDING])
    assert not judged.work().claim([JUDGING], 9)
    assert judged.work("host:sweep:1").let_go(0, 9) == 0
    assert len(judged.work().claim([JUDGING], 9)) == 1


def test_what_is_held_is_looked_at_a_page_at_a_time(judged: Books) -> None:
    images = sorted(judged.put(f"{name}.png") for name in "abcd")
    judged.sql("DELETE FROM work WHERE stage = ANY (%s) AND subject <> %s", [CAPTIONING, EMBEDDING], images[1])
    sweeper, after = judged.work("host:sweep:1"), 0
    for seen in (images[:2], images[2:4]):
        after = sweeper.let_go(after, 2)
        assert after == seen[-1]
    assert sweeper.let_go(after, 2) == 0
    assert sorted(claim.subject for claim in judged.work().claim([JUDGING], 9)) == [images[0], *images[2:]]
