"""Figures of figures: commercial score (R26), ladder (R28), classes (R29), market (R30); unknown stays unknown."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.merging import RegisteredModel, Rules, Said
from schemas.models import Label
from schemas.record import Score, Tag
from schemas.results import ModelOutput
from schemas.scores import DEFAULT_CUTS, DEFAULT_WEIGHTS, KINDS, Calibration, MarketFilter, QualityClass, Scoring
from tests.merging.known import EMPTY, MODELS, rules, said
from workers.merging import document_of, merge
from workers.merging.scores import commercial, derived, ladder, market, market_tags, quality_class

CALIBRATION = Calibration("test 1", tuple(n / 100 for n in range(0, 101, 5)))


def test_the_worked_example_of_the_commercial_score() -> None:
    """R26."""
    assert commercial(nima=5.5, clip_score=0.75, brisque=20, aesthetic=6.4) == pytest.approx(0.645)


@pytest.mark.parametrize(
    ("known", "score"),
    [
        ({"nima": 5.5}, 0.5),
        ({"nima": 5.5, "brisque": 20.0}, (0.4 * 0.5 + 0.2 * 0.8) / 0.6),
        ({"clip_score": 1.7}, 1.0),
        ({"brisque": 120.0}, 0.0),
        ({}, None),
    ],
)
def test_what_is_missing_leaves_its_weight_to_the_others(known: dict[str, float], score: float | None) -> None:
    assert commercial(**known) == pytest.approx(score)


some = st.none() | st.floats(-1e3, 1e3)


@given(some, some, some, some)
def test_a_commercial_score_is_a_share_or_unknown(
    nima: float | None, clip: float | None, brisque: float | None, aesthetic: float | None
) -> None:
    found = commercial(nima, clip, brisque, aesthetic)
    everything = (nima, clip, brisque, aesthetic)
    assert found is None if everything == (None,) * 4 else 0 <= (found or 0) <= 1 + 1e-9


@pytest.mark.parametrize(
    ("percentile", "step"),
    [(1.0, "score_9"), (0.9, "score_9"), (0.899, "score_8"), (0.7, "score_7"), (0.65, "score_6"), (0.5, "score_5"),
     (0.4, "score_4"), (0.399, "below"), (0.0, "below"), (None, None)],
)  # fmt: skip
def test_the_ladder_goes_by_tenths_of_the_calibration_set(percentile: float | None, step: str | None) -> None:
    assert ladder(percentile) == step


def test_a_percentile_lies_between_the_quantiles() -> None:
    marks = Calibration("m", (0.0, 0.5, 0.6, 1.0))
    assert marks.percentile(0.5) == pytest.approx(1 / 3)
    assert marks.percentile(0.55) == pytest.approx(0.5)
    assert (marks.percentile(-1), marks.percentile(2)) == (0.0, 1.0)
    assert Calibration().percentile(0.5) is None


@given(st.lists(st.floats(0, 1), min_size=2, max_size=40), st.floats(-1, 2), st.floats(0, 1))
def test_a_better_score_never_has_a_lower_percentile(marks: list[float], value: float, more: float) -> None:
    known = Calibration("m", tuple(sorted(marks)))
    low, high = known.percentile(value), known.percentile(value + more)
    assert low is not None and high is not None and 0 <= low <= high <= 1


def test_there_are_seven_classes_in_order_with_cuts_of_ones_own() -> None:
    assert len(QualityClass) == 7
    found = [quality_class(p, DEFAULT_CUTS) for p in (0.0, 0.1, 0.3, 0.5, 0.8, 0.9, 0.99)]
    assert found == list(QualityClass)
    assert quality_class(None, DEFAULT_CUTS) is None
    strict = {**DEFAULT_CUTS, QualityClass.MASTERPIECE: 0.999}
    assert quality_class(0.99, strict) is QualityClass.BEST


def test_the_worked_example_of_the_market_scores() -> None:
    """R30: all four at .9."""
    tags = [(name, 0.9) for name in ("cute", "elegant", "detailed", "simple_background")]
    assert market(tags, DEFAULT_WEIGHTS) == pytest.approx((1.1925, 1.325))
    assert market([], DEFAULT_WEIGHTS) is None
    assert market([("cute", 0.0)], DEFAULT_WEIGHTS) is None
    assert market([("unheard_of", 0.5)], DEFAULT_WEIGHTS) == pytest.approx((0.5, 1.0))


def test_the_market_filter_says_why_it_drops_and_the_record_keeps_everything() -> None:
    record = replace(
        merge(EMPTY, rules()),
        tags=tuple(
            Tag(name, "general", c, "m") for name, c in (("cute", 0.6), ("sword", 0.9), ("dull", 0.2), ("x", 0.5))
        ),
        ladder="score_5",
    )
    found = market_tags(record, Scoring(market=MarketFilter(keep=2, at_least=0.3)))
    assert [each.tag.name for each in found.kept] == ["cute", "sword"]
    reasons = {each.tag.name: each.reason for each in found.dropped}
    assert "2 tags are worth more" in reasons["x"] and "below 0.3" in reasons["dull"]
    gated = market_tags(record, Scoring(market=MarketFilter(least_quality=7)))
    assert gated.kept == () and len(gated.dropped) == 4 and "score_5" in gated.dropped[0].reason
    assert len(record.tags) == 4


def test_every_kind_has_a_range_and_derived_scores_stay_inside_it() -> None:
    said = [Score("nima_technical", 9.0, "m"), Score("brisque", 10.0, "m"), Score("clip_score", 0.8, "m")]
    found = derived(said, [Tag("cute", "general", 0.9, "m")], Scoring())
    assert [score.kind for score in found] == [kind for kind in KINDS if kind in {s.kind for s in found}]
    for score in found:
        assert KINDS[score.kind].low <= score.value <= KINDS[score.kind].high
    assert derived([], [], Scoring()) == ()


CAPTIONER, JUDGE, READER, OTHER, THIRD = 21, 22, 23, 24, 26


def speaking() -> Rules:
    def model(number: int, name: str, stage: str, *labels: str, sample: bool = False) -> RegisteredModel:
        pairs = tuple(Label(label, stage) for label in labels)
        return RegisteredModel(number, name, stage, "r", sample, pairs, {"*": 0.5}, 0.05)

    models = {
        CAPTIONER: model(CAPTIONER, "a/teller", "captioning", "caption", sample=True),
        OTHER: model(OTHER, "z/teller", "captioning", "caption"),
        THIRD: model(THIRD, "b/teller", "captioning", "caption"),
        JUDGE: model(JUDGE, "judge", "scoring", "nima_technical", "nima_technical_deviation"),
        READER: model(READER, "reader", "reading", "text"),
    }
    return replace(rules(), models={**MODELS, **models}, scoring=Scoring(3, CALIBRATION))


def tell(number: int, *texts: str, boxes: list[list[float]] | None = None, scores: list[float] | None = None) -> Said:
    count = len(texts)
    places = None if boxes is None else np.array(boxes, np.float32)
    sure = np.array(scores or [0.9] * count, np.float32)
    return Said(number, ModelOutput(np.zeros(count, np.int16), sure, places, texts), 1.0, 1)


def judged(*values: float) -> Said:
    count = len(values)
    output = ModelOutput(
        np.arange(count, dtype=np.int16), np.ones(count, np.float32), figures=np.array(values, np.float32)
    )
    return Said(JUDGE, output, 1.0, 1)


def test_a_record_tells_captions_scores_and_words_in_reading_order() -> None:
    """R8, R9, R28, R3."""
    reader = tell(
        READER, "below", "left", "faint", boxes=[[5, 40, 9, 50], [1, 2, 3, 9], [0, 0, 1, 1]], scores=[0.9, 0.8, 0.3]
    )
    known = replace(EMPTY, said=(tell(OTHER, "A girl."), tell(THIRD, "A child."), judged(9.1, 1.0), reader))
    record = merge(known, speaking())
    assert [caption.text for caption in record.captions] == ["A child.", "A girl."]  # by their names
    assert record.alt_text == "A child."
    assert [(s.kind, s.value) for s in record.scores] == [
        ("nima_technical", 9.1), ("nima_technical_deviation", 1.0), ("commercial", 0.9),
    ]  # fmt: skip
    assert (record.ladder, record.quality, record.calibration) == ("score_9", "best quality", 3)
    assert [reading.text for reading in record.readings] == ["left", "below"]
    assert record.detections == () and record.tags == ()
    assert {"girl", "child", "left", "below"} <= set(document_of(record, phash=0).words)


def test_nothing_is_made_up_while_nobody_has_scored() -> None:
    record = merge(replace(EMPTY, said=(said(2, {"sword": 0.9}),)), speaking())
    assert (record.ladder, record.quality) == (None, None)
    assert {score.kind for score in record.scores} == {"market", "market_weighted"}
    assert merge(EMPTY, speaking()).scores == ()


def test_a_samples_caption_is_said_only_while_no_real_captioner_has_spoken() -> None:
    """R8, R9, R10: it is not searched any more either, nor is it the alt text."""
    sample, real = tell(CAPTIONER, "A boat."), tell(OTHER, "A girl.")
    alone = merge(replace(EMPTY, said=(sample,)), speaking())
    assert [caption.text for caption in alone.captions] == ["A boat."] and alone.alt_text == "A boat."
    for answers in ((sample, real), (real, sample)):
        record = merge(replace(EMPTY, said=answers), speaking())
        assert [(caption.text, caption.source) for caption in record.captions] == [("A girl.", "z/teller")]
        assert record.alt_text == "A girl."
        held = document_of(record, phash=0).words
        assert "girl" in held and "boat" not in held


def test_how_well_a_samples_caption_fits_is_no_score_of_a_real_one() -> None:
    """R24: a sample compares with a sample's sentence; other figures of it stay until a real model gives them."""
    models = dict(speaking().models)
    sample = replace(models[JUDGE], id=25, name="a sample", sample=True, labels=(Label("clip_score", "scoring"),))
    models |= {25: sample, 27: replace(sample, id=27, name="real", sample=False)}
    models[28] = replace(sample, id=28, labels=(Label("aesthetic", "scoring"),))
    fits, better = replace(judged(0.2), model=25), replace(judged(0.9), model=27)
    looks = replace(judged(6.0), model=28)

    def kinds(*said: Said) -> dict[str, float]:
        record = merge(replace(EMPTY, said=said), replace(speaking(), models=models))
        return {score.kind: score.value for score in record.scores if score.kind != "commercial"}

    assert kinds(fits, looks, tell(CAPTIONER, "A boat.")) == pytest.approx({"clip_score": 0.2, "aesthetic": 6.0})
    assert kinds(fits, looks, tell(CAPTIONER, "A boat."), tell(OTHER, "A girl.")) == {"aesthetic": 6.0}
    assert kinds(fits, better, tell(OTHER, "A girl.")) == pytest.approx({"clip_score": 0.9})


def test_words_that_a_sample_read_are_left_out_beside_a_real_readers() -> None:
    models = {**speaking().models, 25: replace(speaking().models[READER], id=25, name="a sample", sample=True)}
    wrong, right = tell(25, "EXLT", boxes=[[0, 0, 9, 9]]), tell(READER, "EXIT", boxes=[[0, 0, 9, 9]])
    for answers, words in (((wrong,), ["EXLT"]), ((wrong, right), ["EXIT"])):
        record = merge(replace(EMPTY, said=answers), replace(speaking(), models=models))
        assert [reading.text for reading in record.readings] == words


def test_of_two_judges_of_a_kind_the_real_one_counts() -> None:
    models = dict(speaking().models)
    models[25] = replace(models[JUDGE], id=25, name="a sample", sample=True)
    both = (replace(judged(2.0, 1.0), model=25), judged(8.0, 1.0))
    record = merge(replace(EMPTY, said=both), replace(speaking(), models=models))
    assert record.scores[0] == Score("nima_technical", 8.0, "judge")
