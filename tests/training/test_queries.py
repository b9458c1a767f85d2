"""Queries and facts of the sample world: what is asked holds, and captions can be counted claim by claim."""

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from training.samples import captions, sampling
from training.samples.attributes import attributes
from training.samples.facts import Sieve, facts
from training.samples.measure import rank_correlation
from training.samples.queries import query
from training.samples.words import BEGIN, END, UNKNOWN, caption_tokenizer, query_tokenizer

TEXT_LENGTH = 40  # as `training.samples.twins` says, which needs torch
SEEDS = range(7_000_000, 7_000_400)


def test_a_query_is_satisfied_by_the_picture_that_it_was_made_from() -> None:
    known = [facts(sampling.scene(seed)) for seed in SEEDS]
    sieve, chance, rows = Sieve(known), random.Random(1), np.arange(len(known))
    for row, each in enumerate(known):
        asked = query(each, chance)
        held = sieve.satisfied(rows, asked.people, asked.scene)
        assert asked.text and held[row], asked
    assert 1 <= held.sum() < len(known)


def test_what_is_asked_of_two_people_needs_two_people() -> None:
    alone = [facts(scene) for seed in SEEDS if len((scene := sampling.scene(seed)).people) == 1][:5]
    asked = frozenset({"girl"}) if "girl" in alone[0].people[0] else frozenset({"boy"})
    sieve = Sieve(alone)
    assert sieve.satisfied(np.arange(1), (asked,), frozenset()).all()
    assert not sieve.satisfied(np.arange(5), (asked, asked), frozenset()).any()


def test_the_word_lists_know_every_word_of_captions_and_queries() -> None:
    tokenizer, chance = caption_tokenizer(), random.Random(2)
    asked = query_tokenizer(TEXT_LENGTH)
    for seed in SEEDS[:200]:
        scene = sampling.scene(seed)
        text = captions.caption(scene)
        found = tokenizer.encode(text)
        assert UNKNOWN not in found.ids and tokenizer.decode(found.ids) == text
        assert len(found.ids) < 70
        ids = asked.encode(query(facts(scene), chance).text).ids
        assert UNKNOWN not in ids and len(ids) == TEXT_LENGTH
    assert (tokenizer.token_to_id("[BEGIN]"), tokenizer.token_to_id("[END]")) == (BEGIN, END)


def test_a_caption_is_taken_apart_into_claims() -> None:
    text = "A girl with long blonde hair in twintails, red eyes and a blue beret, wearing a navy dress, at sunset."
    assert attributes(text) == {
        "girl", "hair length long", "hair colour blonde", "hair cut twintails", "eyes red", "beret", "blue beret",
        "wearing dress", "wearing navy dress", "at sunset",
    }  # fmt: skip
    boys = "one with short red hair and a white shirt and one with green hair in a bun and a suit"
    two = attributes(f"Two boys: {boys}, in the rain.")
    assert {
        "0 hair colour red",
        "1 hair colour green",
        "1 hair cut a bun",
        "0 wearing white shirt",
        "in the rain",
    } <= two


def test_every_true_caption_can_be_taken_apart_and_a_wrong_colour_is_a_wrong_claim() -> None:
    for seed in SEEDS:
        text = captions.caption(sampling.scene(seed))
        claims = attributes(text)
        assert claims and all(claim.strip() for claim in claims)
        if "red hair" in text and "blue hair" not in text:
            assert attributes(text.replace("red hair", "blue hair")) != claims


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), min_size=3, max_size=30).filter(lambda values: len(set(values)) > 1))
def test_rank_correlation_is_one_with_itself_and_ties_share_their_rank(values: list[int]) -> None:
    row = np.array(values, np.float64)
    assert abs(rank_correlation(row, row * 3 + 1) - 1) < 1e-9
    assert abs(rank_correlation(row, -row) + 1) < 1e-9
