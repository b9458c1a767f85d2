"""A group's models on a chunk: one decoding for all of them, and each image and model fails alone (R42, R43)."""

from datetime import timedelta

import pytest

from schemas.results import StageResult
from tests.analysis.conftest import Bench
from tests.ingest.plant import in_pairs, picture
from workers.cache import InputCache

RED, BLUE = picture((204, 51, 0)), picture((51, 102, 204))
BROKEN = picture((100, 0, 0))  # no green: the model answers infinity


def said(results: list[StageResult]) -> list[tuple[int, int, list[float]]]:
    """(image, model, scores), sorted."""
    return sorted(
        (each.image, each.model, [round(score, 3) for score in each.output.scores.tolist()]) for each in results
    )


def test_every_model_answers_for_every_image(bench: Bench) -> None:
    bench.plant.put(a_png=RED, b_png=BLUE)
    bench.plant.ingest("a.png", "b.png")
    red, blue = bench.plant.images("a.png", "b.png")
    results, failures = bench.run(bench.claims())
    one, two = sorted(bench.models)
    assert failures == []
    assert said(results) == sorted(
        (image, model, [say]) for image, say in ((red, 0.8), (blue, 0.2)) for model in (one, two)
    )
    assert all(each.millis > 0 for each in results)


def test_what_ingest_decoded_is_not_decoded_again(bench: Bench) -> None:
    bench.plant.put(a_png=RED)
    bench.plant.ingest("a.png")
    claims = bench.claims()
    bench.plant.store.delete("images", "a.png")  # a second decoding would need it
    results, failures = bench.run(claims)
    assert (len(results), failures) == (2, [])


def test_a_second_decoding_gives_the_same_answer(bench: Bench) -> None:
    bench.plant.put(a_png=RED, b_png=BLUE)
    bench.plant.ingest("a.png", "b.png")
    claims = bench.claims()
    first, _ = bench.run(claims)
    reads: list[str] = []
    bench.plant.store.before = lambda head: reads.append(head.key)
    second, failures = bench.run(claims)
    assert failures == []
    assert said(second) == said(first)
    assert sorted(reads) == ["a.png", "b.png"]  # once for both models


def test_what_was_not_kept_is_fetched_beside_each_other(bench: Bench) -> None:  # R61
    bench.plant.put(a_png=RED, b_png=BLUE)
    bench.plant.ingest("a.png", "b.png")
    bench.inputs = InputCache()
    bench.plant.store.before = in_pairs()
    results, failures = bench.run(bench.claims())
    assert (len(results), failures) == (4, [])


def test_an_image_without_an_object_waits_and_costs_its_neighbours_nothing(bench: Bench) -> None:
    bench.plant.put(a_png=RED, b_png=BLUE)
    bench.plant.ingest("a.png", "b.png")
    red, blue = bench.plant.images("a.png", "b.png")
    claims = bench.claims()
    bench.inputs = InputCache()
    bench.plant.store.delete("images", "a.png")
    for _ in ("before its event", "after its event"):
        results, failures = bench.run(claims)
        assert {each.image for each in results} == {blue}
        assert {(each.subject, each.code, each.permanent) for each in failures} == {(red, "gone", False)}
        bench.plant.ingest("a.png")


def test_bytes_that_were_put_meanwhile_are_never_taken_for_the_image(bench: Bench) -> None:
    bench.plant.put(a_png=RED)
    bench.plant.ingest("a.png")
    claims = bench.claims()
    bench.inputs = InputCache()
    bench.plant.put(a_png=BLUE)  # its event is still on the way
    results, failures = bench.run(claims)
    assert results == []
    assert {(each.code, each.permanent) for each in failures} == {("gone", False)}


def test_an_image_that_a_model_fails_on_fails_alone_with_the_reason(bench: Bench) -> None:
    bench.plant.put(a_png=RED, b_png=BROKEN, c_png=BLUE)
    bench.plant.ingest("a.png", "b.png", "c.png")
    red, broken, blue = bench.plant.images("a.png", "b.png", "c.png")
    results, failures = bench.run(bench.claims())
    assert {each.image for each in results} == {red, blue}
    assert [(each.subject, each.code, each.permanent) for each in failures] == [(broken, "bad-output", True)] * 2


def test_a_model_that_takes_nothing_fails_alone(bench: Bench) -> None:
    bench.plant.put(a_png=RED)
    bench.plant.ingest("a.png")
    one, two = sorted(bench.models)
    bench.models[one].batcher.close()
    results, failures = bench.run(bench.claims())
    assert [each.model for each in results] == [two]  # R42
    assert [(each.model, each.code, each.permanent) for each in failures] == [(one, "closed", False)]


def test_work_for_a_model_that_is_not_loaded_waits_for_a_worker_that_has_it(bench: Bench) -> None:
    bench.plant.put(a_png=RED)
    bench.plant.ingest("a.png")
    one, two = sorted(bench.models)
    claims = bench.claims()
    del bench.models[one]
    results, failures = bench.run(claims)
    assert [each.model for each in results] == [two]
    (failure,) = failures
    assert (failure.code, failure.permanent) == ("model-not-loaded", False)
    assert "NAFUDA_MODELS" in failure.reason


def test_no_claims_are_no_work(bench: Bench) -> None:
    assert bench.run([]) == ([], [])


@pytest.mark.parametrize("at_once", [1, 100, 100_000])
def test_a_chunk_of_any_size_is_answered_in_portions(bench: Bench, at_once: int) -> None:
    pictures = {f"p{number}_png": picture((number * 20 + 5, 51, 0)) for number in range(6)}
    bench.plant.put(**pictures)
    bench.plant.ingest(*(name.replace("_", ".") for name in pictures))
    bench.inputs, bench.at_once = InputCache(), at_once
    results, failures = bench.run(bench.claims())
    assert (len(results), failures) == (12, [])


def test_a_full_cache_keeps_what_is_wanted_first_and_gives_each_once(bench: Bench) -> None:
    program = bench.plant.programs[0]
    bench.plant.put(a_png=RED, b_png=BLUE)
    bench.plant.ingest("a.png", "b.png")
    digests = [row.sha256 for row in bench.plant.books.objects.images(bench.plant.images("a.png", "b.png"))]
    first, second = (bench.inputs.take(digest) for digest in digests)
    small = InputCache(limit=program.nbytes)
    small.put(digests[0], first)
    small.put(digests[1], second)
    assert small.take(digests[1]) == {}
    assert small.take(digests[0]) is first
    assert small.take(digests[0]) == {}


def test_inputs_that_nobody_took_for_long_make_room(bench: Bench) -> None:
    program = bench.plant.programs[0]
    bench.plant.put(a_png=RED, b_png=BLUE)
    bench.plant.ingest("a.png", "b.png")
    digests = [row.sha256 for row in bench.plant.books.objects.images(bench.plant.images("a.png", "b.png"))]
    small = InputCache(limit=program.nbytes, keep=timedelta(0))
    for digest in digests:
        small.put(digest, bench.inputs.take(digest))
    assert small.take(digests[0]) == {}
    assert small.take(digests[1]) != {}
