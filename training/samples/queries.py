"""What people type to find a picture: a sentence or a few words, with the facts that it asks for."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from training.samples.captions import CUTS, article, listed
from training.samples.facts import Facts

PLACES: dict[str, tuple[str, ...]] = {
    "white": ("on a white background", "white background"), "plain": ("in front of a plain wall of colour",),
    "gradient": ("in front of soft lights", "soft lights"), "sky": ("under the sky", "sky"),
    "beach": ("at the beach", "by the sea", "beach", "on the beach"), "city": ("in the city", "city"),
    "night": ("at night", "night"), "forest": ("in a forest", "in the forest", "forest"),
    "sunset": ("at sunset", "sunset"), "room": ("in a room with a window", "in a room", "room"),
    "classroom": ("in a classroom", "classroom"), "snow": ("in the snow", "snow"),
    "cherry": ("under cherry blossoms", "cherry blossoms"), "mountain": ("in front of mountains", "mountains"),
    "rain": ("in the rain", "rain"), "outdoors": ("outdoors", "outside"), "indoors": ("indoors", "inside"),
}  # fmt: skip
_GIRLS, _BOYS = ("girl", "girl", "girl", "woman", "lady"), ("boy", "boy", "boy", "man", "guy")
_WHO = {
    "nobody": ("nobody", "no people", "a view with nobody in it"), "a girl and a boy": ("a girl and a boy",),
    "2 girl": ("two girls",), "3 girl": ("three girls",), "2 boy": ("two boys",), "3 boy": ("three boys",),
}  # fmt: skip
_HAIR = ("short", "medium", "long", "curly", "spiky", "bobbed")


@dataclass(frozen=True, slots=True)
class Query:
    """A text and what must hold for it: of one or two different people, and of the whole picture."""

    text: str
    people: tuple[frozenset[str], ...]
    scene: frozenset[str]


def query(known: Facts, rng: random.Random) -> Query:
    """A query that this scene satisfies."""
    asked: list[frozenset[str]] = []
    parts: list[str] = []
    if known.people:
        chosen = rng.sample(known.people, 2 if len(known.people) > 1 and rng.random() < 0.25 else 1)
        for person in chosen:
            text, wanted = _person(person, rng)
            parts.append(text)
            asked.append(wanted)
    whole: list[str] = []
    said = " and ".join(parts)
    for name, words in _surroundings(known, rng, needed=not parts):
        whole.append(name)
        said = f"{said}{rng.choice((' ', ', '))}{words}" if said else words
    return Query(said.strip(), tuple(asked), frozenset(whole))


def _person(person: frozenset[str], rng: random.Random) -> tuple[str, frozenset[str]]:
    gender = "girl" if "girl" in person else "boy"
    others = sorted(person - {gender})
    picked = set(rng.sample(others, min(len(others), rng.choices((0, 1, 2, 3, 4), (4, 28, 38, 20, 10))[0])))
    picked = {name for name in picked if not _said_better(name, picked)}
    bare = bool(picked) and rng.random() < 0.3  # words alone, as people type them
    wanted = frozenset(picked if bare else picked | {gender})
    worn = [name for name in sorted(picked) if name.startswith("wearing ")]
    held = [name for name in sorted(picked) if name.startswith("holding ")]
    moods = [name for name in sorted(picked) if name in ("smiling", "laughing", "with an open mouth", "frowning")]
    moods += [name for name in ("eyes closed",) if name in picked]
    hair_words, rest = _hair(picked - {*worn, *held, *moods}, rng)
    rng.shuffle(rest)
    features = [*([hair_words] if hair_words else []), *rest]
    if bare:
        words = [re.sub(r"^(wearing )?(an? )?", "", name) for name in features + worn]
        return rng.choice((" ", ", ")).join(words + held + moods), wanted
    text = f"{rng.choice(('a ', 'a ', ''))}{rng.choice(_GIRLS if gender == 'girl' else _BOYS)}"
    if features:
        text += f" with {listed(features)}"
    if worn:
        text += f" {_worn(worn[0])}" if not features else f"{rng.choice((', ', ' '))}{_worn(worn[0])}"
    return ", ".join([text, *held, *moods]) if rng.random() < 0.5 else " ".join([text, *held, *moods]), wanted


def _worn(name: str) -> str:
    return "wearing " + article(name.removeprefix("wearing "))


def _said_better(name: str, picked: set[str]) -> bool:
    """A hat need not be said beside a red hat."""
    words = set(name.split())
    return any(name != other and words < set(other.split()) for other in picked)


def _hair(picked: set[str], rng: random.Random) -> tuple[str, list[str]]:
    """Hair facts as one phrase ("long blonde hair in a ponytail"), and the other facts."""
    cuts = [cut for cut in CUTS.values() if cut in picked]
    about = {name for name in picked if name.endswith(" hair") and not name.endswith(" in the hair")}
    plain = [name.removesuffix(" hair") for name in about]
    order = {word: place for place, word in enumerate(_HAIR)}
    plain.sort(key=lambda word: (order.get(word, len(order)), word))
    rest = sorted(article(name) for name in picked - about if name not in cuts)
    if not plain:
        return (cuts[0] if cuts else ""), rest
    text = " ".join([*plain, "hair"])
    if rng.random() < 0.15:
        text = text.replace("blonde", "blond")
    return (f"{text} in {cuts[0]}" if cuts else text), rest


def _surroundings(known: Facts, rng: random.Random, *, needed: bool) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    things = sorted(name for name in known.scene if name.startswith("a ") and name != "a girl and a boy")
    crowds = sorted(name for name in known.scene if name in _WHO)
    if needed and crowds and rng.random() < 0.2:
        found.append((crowds[0], rng.choice(_WHO[crowds[0]])))
    if things and rng.random() < (0.8 if needed else 0.3):
        thing = rng.choice(things)
        found.append((thing, article(thing) if needed else f"with {article(thing)}"))
    places = sorted(name for name in known.scene if name in PLACES)
    if rng.random() < 0.35 or (needed and not found):
        place = rng.choice(places)
        found.append((place, rng.choice(PLACES[place])))
    return found
