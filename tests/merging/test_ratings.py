"""One rating enum for the whole system, with a mapping per source (R51)."""

import pytest

from schemas.ratings import Rating, RatingSource, rating_of, source_of, words_of


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


def test_no_word_means_two_things_in_different_sources() -> None:
    for word in {word for source in RatingSource for word in words_of(source)}:
        assert len({rating_of(source, word) for source in RatingSource} - {None}) == 1, word


@pytest.mark.parametrize(
    ("words", "source"),
    [
        (("safe", "r15", "r18"), RatingSource.STEPS),
        (("Safe", "R15", "R18"), RatingSource.STEPS),
        (("general", "sensitive", "questionable", "explicit"), RatingSource.WD),
        (("s", "q", "e"), RatingSource.BOORU),
        (("safe", "r15", "r18", "guro"), RatingSource.STEPS),  # one is a word of nobody
        (("general", "sensitive", "r18"), RatingSource.WD),
        (("mild", "wild"), None),
        ((), None),
    ],
)
def test_a_model_says_the_words_of_the_source_that_has_most_of_them(
    words: tuple[str, ...], source: RatingSource | None
) -> None:
    assert source_of(words) is source
