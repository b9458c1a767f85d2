"""The commercial output of an image: which of its tags are for sale, and why others are not (R30)."""

from dataclasses import dataclass

from schemas.record import Tag


@dataclass(frozen=True, slots=True)
class MarketTag:
    """A tag and its worth, confidence · weight. reason: why it is left out, "" for one that is kept."""

    tag: Tag
    worth: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MarketChoice:
    """Tags for sale and those left out, each by falling worth. scoring: version of the rules."""

    kept: tuple[MarketTag, ...]
    dropped: tuple[MarketTag, ...]
    scoring: int
