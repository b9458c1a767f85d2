"""One rating for the whole system, and what the words of other sources mean in it (R51); nothing moves in silence."""

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Rating(StrEnum):
    """How a picture is rated, mildest first."""

    GENERAL = "general"
    SENSITIVE = "sensitive"
    QUESTIONABLE = "questionable"
    EXPLICIT = "explicit"


UNKNOWN = "unknown"  # how a model's rating is registered whose word its source does not have: it is no rating


class RatingSource(StrEnum):
    """Whose words are read."""

    WD = "wd"  # general, sensitive, questionable, explicit
    BOORU = "booru"  # safe, questionable, explicit, and their first letters
    STEPS = "steps"  # safe, r15, r18
    PIXIV = "pixiv"  # sanity_level 2, 4, 6


_MEANING: Mapping[RatingSource, Mapping[str, Rating]] = {
    RatingSource.WD: {rating.value: rating for rating in Rating},
    # "safe" covers what WD splits into general and sensitive: it becomes the mildest that is certainly true of it.
    RatingSource.BOORU: {
        "safe": Rating.GENERAL, "s": Rating.GENERAL, "questionable": Rating.QUESTIONABLE, "q": Rating.QUESTIONABLE,
        "explicit": Rating.EXPLICIT, "e": Rating.EXPLICIT,
    },
    RatingSource.STEPS: {"safe": Rating.GENERAL, "r15": Rating.SENSITIVE, "r18": Rating.EXPLICIT},
    RatingSource.PIXIV: {"2": Rating.GENERAL, "4": Rating.SENSITIVE, "6": Rating.EXPLICIT},
}  # fmt: skip


def rating_of(source: RatingSource, said: str | int) -> Rating | None:
    """What a source's word means; None for one that it does not have, which the caller counts as unknown."""
    return _MEANING[source].get(str(said).strip().lower())


def source_of(words: Iterable[str]) -> RatingSource | None:
    """Whose words a model says: of the source that has most of them, the first of equals; None when no source has any.

    No word means two things in different sources, so equals do not differ in what they make of these.
    """
    said = tuple(words)
    known = {each: sum(rating_of(each, word) is not None for word in said) for each in RatingSource}
    source = max(known, key=lambda each: known[each])
    return source if known[source] else None


def words_of(source: RatingSource) -> tuple[str, ...]:
    """Every word that a source has."""
    return tuple(_MEANING[source])
