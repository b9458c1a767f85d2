"""One rating enum for the whole system, with a mapping per source (R51)."""

import pytest

from schemas.ratings import Rating, RatingSource, rating_of, words_of


@pytest.mark.parametrize(
    ("source", "said", "meant"),
    [
        (RatingSource.PIXIV, 2, Rating.GENERAL),
        (RatingSource.PIXIV, 4, Rating.SENSITIVE),
        (RatingSource.PIXIV, 6, Rating.EXPLICIT),
        (RatingSource.PIXIV, 0, None),
        (RatingSource.PIXIV, 5, None),
        (RatingSource.BOORU, "safe", Rating.GENERAL),
        (RatingSource.BOORU, "Q", Rating.QUESTIONABLE),
        (RatingSource.WD, "sensitive", Rating.SENSITIVE),
        (RatingSource.WD, "safe", None),
        (RatingSource.STEPS, "r15", Rating.SENSITIVE),
        (RatingSource.STEPS, "r18", Rating.EXPLICIT),
    ],
)
def test_a_sources_word_means_one_rating_or_is_unknown(
    source: RatingSource, said: str | int, meant: Rating | None
) -> None:
    assert rating_of(source, said) is meant


@pytest.mark.parametrize("source", RatingSource)
def test_every_source_says_how_mild_and_how_strong_it_can_be(source: RatingSource) -> None:
    meant = [rating_of(source, word) for word in words_of(source)]
    assert None not in meant and {Rating.GENERAL, Rating.EXPLICIT} <= set(meant)
