"""What is true of a scene, as short phrases that a query may ask for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.samples import accessories, hair
from training.samples.captions import CUTS, MOODS, SHAPED, clothes
from training.samples.scene import Person, Scene, Thing
from training.samples.settings import SETTINGS
from training.samples.styles import STYLES

Words = NDArray[np.uint64]
MOST_PEOPLE = 3


@dataclass(frozen=True, slots=True)
class Facts:
    """What holds of each person, and of the picture as a whole (place, things, who is there)."""

    people: tuple[frozenset[str], ...]
    scene: frozenset[str]


def facts(scene: Scene) -> Facts:
    """Everything that may be asked about a scene; no colours in monochrome."""
    colours = not STYLES[scene.style].monochrome
    whole = {scene.setting.kind, *SETTINGS[scene.setting.kind].tags}
    for thing in (*scene.things, *(person.holding for person in scene.people if person.holding)):
        whole.update(_things(thing, colours))
    girls = sum(person.is_girl for person in scene.people)
    whole.update(_who(girls, len(scene.people) - girls))
    return Facts(tuple(_person(person, colours) for person in scene.people), frozenset(whole))


def _who(girls: int, boys: int) -> Iterable[str]:
    if not girls + boys:
        yield "nobody"
    for count, word in ((girls, "girl"), (boys, "boy")):
        if count:
            yield f"{count} {word}"
    if girls and boys:
        yield "a girl and a boy"


def _person(person: Person, colours: bool) -> frozenset[str]:
    found = {person.gender, *_hair(person, colours), *_worn(person, colours)}
    if person.expression.eyes == "closed":
        found.add("eyes closed")
    elif colours:
        found.add(f"{person.eye_colour} eyes")
    found.update((f"wearing {clothes(person, False)}", f"wearing {clothes(person, colours)}"))
    if person.holding:
        found.update(f"holding {thing}" for thing in _things(person.holding, colours))
    if person.expression.mouth in MOODS:
        found.add(MOODS[person.expression.mouth])
    return frozenset(found)


def _hair(person: Person, colours: bool) -> Iterable[str]:
    cut = person.hair.cut
    if length := hair.LENGTHS[cut].split("_")[0]:
        yield f"{length} hair"
    if cut in CUTS:
        yield CUTS[cut]
    if cut in SHAPED:
        yield f"{SHAPED[cut]} hair"
    if colours:
        yield f"{person.hair.colour} hair"


def _worn(person: Person, colours: bool) -> Iterable[str]:
    worn = person.worn
    if worn.hat:
        kind = accessories.HAT_WORDS[worn.hat.kind]
        yield from ("a hat", f"a {kind}")
        if colours and worn.hat.kind != "straw":
            yield from (f"a {worn.hat.colour} hat", f"a {worn.hat.colour} {kind}")
    coloured = ((worn.hair_bow, "bow in the hair"), (worn.hair_flower, "flower in the hair"), (worn.scarf, "scarf"))
    for colour, word in coloured:
        if colour:
            yield from (f"a {word}", f"a {colour} {word}") if colours else (f"a {word}",)
    named = ((worn.glasses, "glasses"), (worn.beard, "a beard"), (worn.cat_ears, "cat ears"))
    yield from (word for held, word in (*named, (worn.headphones, "headphones")) if held)


def _things(thing: Thing, colours: bool) -> tuple[str, ...]:
    plain = f"a {thing.label}"
    return (plain, f"a {thing.colour} {thing.label}") if colours and thing.label != "sword" else (plain,)


class Sieve:
    """Which scenes satisfy a query, for all at once: facts as bits."""

    def __init__(self, known: Iterable[Facts]) -> None:
        scenes = tuple(known)
        names = sorted({name for each in scenes for part in (*each.people, each.scene) for name in part})
        self._bits = {name: number for number, name in enumerate(names)}
        self._words = len(names) // 64 + 1
        self.people = np.zeros((len(scenes), MOST_PEOPLE, self._words), np.uint64)
        self.there = np.zeros((len(scenes), MOST_PEOPLE), np.bool_)
        self.scene = np.stack([self.bits(each.scene) for each in scenes])
        for row, each in enumerate(scenes):
            for place, person in enumerate(each.people):
                self.people[row, place] = self.bits(person)
                self.there[row, place] = True

    def bits(self, names: Iterable[str]) -> Words:
        """Facts as bits, `(W,) uint64`. KeyError for one that is true of no scene."""
        found = np.zeros(self._words, np.uint64)
        for name in names:
            number = self._bits[name]
            found[number // 64] |= np.uint64(1) << np.uint64(number % 64)
        return found

    def satisfied(
        self, rows: NDArray[np.int64], people: tuple[frozenset[str], ...], scene: frozenset[str]
    ) -> NDArray[np.bool_]:
        """Whether each of these scenes holds what is asked of one or two different people and of the whole."""
        asked = self.bits(scene)
        held = ((self.scene[rows] & asked) == asked).all(-1)
        if not people:
            return np.asarray(held)
        matches = []
        for wanted in people:
            bits = self.bits(wanted)
            matches.append(((self.people[rows] & bits) == bits).all(-1) & self.there[rows])
        if len(matches) == 1:
            return np.asarray(held & matches[0].any(-1))
        pairs = [matches[0][:, i] & matches[1][:, j] for i in range(MOST_PEOPLE) for j in range(MOST_PEOPLE) if i != j]
        return np.asarray(held & np.any(pairs, axis=0))
