"""The ports to what is alike: images by tags, by look, by vector, and by a text's vector. Each is kept apart."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from schemas.results import Floats
from schemas.search.index import Hit, Viewer


@dataclass(frozen=True, slots=True)
class Alike:
    """An image that is alike, and how much: a cosine for tags and vectors, a share of equal bits for the look."""

    hit: Hit
    score: float


@dataclass(frozen=True, slots=True)
class QueryVector:
    """A text in the space of a model's pictures. vector: (D,) float32 of length 1.

    floor: the cosine in [-1, 1] from which a picture is a hit, as the model's manifest says.
    """

    model: str
    revision: str
    vector: Floats
    floor: float = 0.0


class QueryEncoder(Protocol):
    """Texts to vectors, in whichever process holds the model."""

    def encode(self, text: str) -> QueryVector:
        """The vector of a text. TransientError when the encoder is away, QueryError for a text that says nothing."""


def above(floor: float, found: Iterable[Alike]) -> tuple[Alike, ...]:
    """Those whose score as it is told reaches a floor: both adapters cut here, behind the same rounding."""
    return tuple(each for each in found if each.score >= floor)


class SimilarImages(Protocol):
    """Images that are like another one, or like a text, best first; the image itself is left out."""

    def by_tags(self, record: int, limit: int, viewer: Viewer) -> tuple[Alike, ...]:
        """By the cosine of TF-IDF vectors of tags (R65): rare tags count more."""

    def by_look(self, record: int, limit: int, viewer: Viewer) -> tuple[Alike, ...]:
        """By perceptual hash, near duplicates only: at most 10 of 64 bits differ; all that differ by 3 are found."""

    def by_vector(self, record: int, limit: int, viewer: Viewer) -> tuple[Alike, ...]:
        """By the cosine of the newest embedder's vectors; empty while the image has none."""

    def by_text(self, wanted: QueryVector, limit: int, viewer: Viewer) -> tuple[Alike, ...]:
        """Pictures whose vectors are close to a text's: no cosine, told to four digits, is below the text's floor."""

    def lacking(self) -> str:
        """Why vectors cannot be searched here, in a sentence; "" when they can."""

    def open_space(self, space: int, width: int) -> str:
        """Make room for a model's vectors of this width; again does no harm. Returns why that failed, or ""."""
