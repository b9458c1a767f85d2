"""Character attributes: what is known of a character, and the JSON that it is told in (R36)."""

from dataclasses import dataclass

from schemas.characters.values import VALUES, VERSION, Attribute

CONFIDENCE = "Confidence Score"
MANY = frozenset((Attribute.ACCESSORIES,))  # several values may hold at once


@dataclass(frozen=True, slots=True)
class Trait:
    """One value of one attribute, its confidence in [0, 1], and the tag that says so."""

    attribute: Attribute
    value: str
    confidence: float
    source: str


@dataclass(frozen=True, slots=True)
class Character:
    """What is known of an image's one character, or of all of them alike. version: of the sets of values."""

    traits: tuple[Trait, ...] = ()
    version: int = VERSION

    @property
    def confidence(self) -> float | None:
        """Mean of the confidences of what is told; None when nothing is."""
        return sum(trait.confidence for trait in self.traits) / len(self.traits) if self.traits else None


def normalise(attribute: Attribute, said: str) -> str | None:
    """The value that a word means ("teenage" → teen, "adult" → young adult); None for one that means no value.

    Case, and `_` or `-` for spaces, make no difference.
    """
    word = _plain(said)
    for value, names in VALUES[attribute].items():
        if word in (_plain(value), *map(_plain, filter(None, names.words.split(",")))):
            return value
    return None


_MEANINGS: dict[str, tuple[tuple[Attribute, str], ...]] = {}
for _attribute, _known in VALUES.items():
    for _value, _names in _known.items():
        for _tag in _names.tags.split():
            _MEANINGS[_tag] = (*_MEANINGS.get(_tag, ()), (_attribute, _value))


def meanings(tag: str) -> tuple[tuple[Attribute, str], ...]:
    """What a whole tag says: (attribute, value) pairs, mostly none or one."""
    return _MEANINGS.get(tag, ())


def _plain(word: str) -> str:
    return " ".join(word.lower().replace("_", " ").replace("-", " ").split())


def character_document(character: Character) -> dict[str, str | float | list[str] | None]:
    """Every key of R36: null for what is not known, a list for accessories, the mean confidence to two digits."""
    told: dict[str, str | float | list[str] | None] = {}
    for attribute in Attribute:
        held = [trait.value for trait in character.traits if trait.attribute is attribute]
        told[attribute.value] = [*held] if attribute in MANY else held[0] if held else None
    sure = character.confidence
    told[CONFIDENCE] = None if sure is None else round(sure, 2)
    return told


__all__ = [
    "CONFIDENCE",
    "MANY",
    "VALUES",
    "VERSION",
    "Attribute",
    "Character",
    "Trait",
    "character_document",
    "meanings",
    "normalise",
]
