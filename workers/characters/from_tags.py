"""From an image's tags to its character's attributes: whole tags only, and nothing that could be another person's."""

from collections.abc import Iterable, Mapping

from schemas.characters import MANY, Attribute, Character, Trait, meanings
from schemas.record import Tag


def character_of(tags: Iterable[Tag], people: int | None) -> Character:
    """The attributes that hold (R36). people: how many were counted, or None.

    Of values that exclude each other the surest is told when there is one person; of several people a tag does not
    say whose it is, so what differs among them is not told. A tag that a person or a sidecar said counts 1.
    """
    said: dict[Attribute, dict[str, Trait]] = {}
    for tag in tags:
        confidence = 1.0 if tag.confidence is None or tag.source == "human" else tag.confidence
        for attribute, value in meanings(tag.name):
            known = said.setdefault(attribute, {})
            if value not in known or (-confidence, tag.name) < (-known[value].confidence, known[value].source):
                known[value] = Trait(attribute, value, confidence, tag.name)
    traits = (trait for each in Attribute for trait in _held(each, said.get(each, {}), people))
    return Character(tuple(traits))


def _held(attribute: Attribute, known: Mapping[str, Trait], people: int | None) -> list[Trait]:
    traits = sorted(known.values(), key=lambda trait: (-trait.confidence, trait.value))
    if attribute in MANY or len(traits) < 2:
        return traits
    return [] if people is not None and people > 1 else traits[:1]
