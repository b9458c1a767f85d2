"""What is like an image or fits a description, in each of its ways, and what stands in where a way is missing."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from schemas.errors import NafudaError
from schemas.ledger import Gap
from schemas.search import Query as Searched
from schemas.search import SearchRequest
from schemas.search.query import AnyOf, Text
from schemas.search.similar import Alike
from schemas.services import WebServices
from web.access import Visit, viewer_of

log = logging.getLogger(__name__)
STRIP, PAGE = 8, 60
_LITTLE = frozenset(("and", "the", "with", "has", "who", "his", "her", "for", "from", "that"))


@dataclass(frozen=True, slots=True)
class Strip:
    """Images that are alike in one way. note: why there are none, when there is more to say."""

    name: str
    title: str
    found: tuple[Alike, ...]
    note: str = ""


def strips(services: WebServices, visit: Visit, record: int, size: int = STRIP) -> list[Strip]:
    """The three ways of being alike, kept apart. One that fails says so and costs the others nothing."""
    similar, viewer = services.similar, viewer_of(visit)
    ways: Sequence[tuple[str, str, Callable[[], tuple[Alike, ...]]]] = (
        ("look", "Near duplicates", lambda: similar.by_look(record, size, viewer)),
        ("vector", "Looks alike", lambda: similar.by_vector(record, size, viewer)),
        ("tags", "Shares rare tags", lambda: similar.by_tags(record, size, viewer)),
    )
    made = []
    for name, title, ask in ways:
        try:
            made.append(Strip(name, title, ask(), similar.lacking() if name == "vector" else ""))
        except NafudaError as error:
            log.warning("alike by %s: %s", name, error)
            made.append(Strip(name, title, (), str(error)))
    return made


@dataclass(frozen=True, slots=True)
class Meant:
    """Images that fit a description, best first. note: how else they were looked for, when not by meaning.

    gap: which pictures could not be compared. floor: the cosine from which they are shown.
    """

    found: tuple[Alike, ...]
    note: str = ""
    gap: str = ""
    floor: float = 0.0

    @property
    def figures(self) -> list[float]:
        """How well each fits, for people: 0 at the floor, 1 at best. A space's cosines alone say little of that."""
        span = 1 - self.floor
        return [(each.score - self.floor) / span if span else 1.0 for each in self.found]


def meant(services: WebServices, visit: Visit, text: str, limit: int = PAGE) -> Meant:
    """Pictures close to a text; without an encoder or vectors, captions that hold most of its words."""
    try:
        if services.encoder is None:
            return Meant(in_words(services, visit, text, limit), "No worker encodes texts, so captions were searched.")
        wanted = services.encoder.encode(text)
        found = services.similar.by_text(wanted, limit, viewer_of(visit))
        unplaced = services.results.unplaced(wanted.model, wanted.revision, viewer_of(visit))
        if found or unplaced.missing < unplaced.looked:
            return Meant(found, gap=_told(unplaced, wanted.model), floor=wanted.floor)
        note = f"No picture that you may see has a vector of {wanted.model} yet, so captions were searched."
        return Meant(in_words(services, visit, text, limit), note)
    except NafudaError as error:
        log.warning("by meaning: %s", error)
        return Meant(in_words(services, visit, text, limit), f"Captions were searched instead: {error}.")


def _told(gap: Gap, model: str) -> str:
    """After a change of the encoder, until the backfill is through: older pictures are in another space."""
    if not gap.missing:
        return ""
    percent = max(1, round(100 * gap.missing / gap.looked))
    share = f"{gap.missing:,} of {gap.looked:,} pictures" if gap.exact else f"about {percent} % of the pictures"
    return f"Not compared: {share}, which have no vector of {model} yet (`nafuda backfill` makes them)."


def in_words(services: WebServices, visit: Visit, text: str, limit: int) -> tuple[Alike, ...]:
    """Hits that hold any of the words, those with more of them first."""
    asked = dict.fromkeys(Text(text).words)
    words = [word for word in asked if len(word) > 2 and word not in _LITTLE]
    if not words:
        return ()
    query = Searched((AnyOf(tuple(Text(word) for word in words)),)) if len(words) > 1 else Searched((Text(words[0]),))
    hits = services.search.hits(SearchRequest(query, viewer_of(visit), min(500, 5 * limit))).hits
    captions = services.records.captions([hit.record for hit in hits])
    counted = []
    for hit in hits:
        held = {word for caption in captions.get(hit.record, ()) for word in Text(caption).words}
        counted.append(Alike(hit, round(len(held.intersection(words)) / len(words), 4)))
    return tuple(sorted(counted, key=lambda each: (-each.score, each.hit.record)))[:limit]


def wordy(text: str) -> bool:
    """Whether a query is a description: two words or more, and nothing that only the query language has."""
    return len(text.split()) > 1 and not any(mark in text for mark in ':()*"_|') and " -" not in f" {text}"
