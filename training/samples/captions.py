"""A plain English sentence about a scene, from the same values that it is drawn from."""

from __future__ import annotations

from training.samples import accessories, hair
from training.samples.scene import Person, Scene, Thing
from training.samples.settings import SETTINGS
from training.samples.styles import STYLES

CUTS = {
    "ponytail": "a ponytail", "twintails": "twintails", "braids": "twin braids", "bun": "a bun",
    "double_bun": "two buns",
}  # fmt: skip
SHAPED = {"curly": "curly", "spiky": "spiky", "bob": "bobbed"}
_OUTFITS = {
    "serafuku": "a sailor school uniform", "hoodie": "a {} hoodie", "dress": "a {} dress", "kimono": "a {} kimono",
    "shirt": "a white shirt", "tie_shirt": "a white shirt with a necktie", "striped": "a {} striped shirt",
    "suit": "a {} suit", "sweater": "a {} sweater", "overalls": "{} overalls", "swimsuit": "a {} swimsuit",
}  # fmt: skip
MOODS = {"smile": "smiling", "grin": "laughing", "open": "with an open mouth", "frown": "frowning"}
_NUMBERS = {2: "Two", 3: "Three"}


def caption(scene: Scene) -> str:
    """One sentence naming people, hair, clothes, accessories, mood, things and place; no colours in monochrome."""
    colours = not STYLES[scene.style].monochrome
    place = SETTINGS[scene.setting.kind].words
    if not scene.people:
        if not scene.things:
            return _sentence(f"A view with nobody in it, {place}")
        return _sentence(f"{listed([_thing(t, colours) for t in scene.things])} {place}")
    if len(scene.people) == 1:
        return _sentence(f"{_alone(scene.people[0], colours)}, {place}{_beside(scene, colours)}")
    return _sentence(f"{_together(scene.people, colours)}, {place}{_beside(scene, colours)}")


def _alone(person: Person, colours: bool) -> str:
    parts = [f"a {person.gender} with {listed(_features(person, colours))}"]
    parts.append(f"wearing {article(clothes(person, colours))}")
    if person.holding:
        parts.append(f"holding {_thing(person.holding, colours)}")
    if person.expression.mouth in MOODS:
        parts.append(MOODS[person.expression.mouth])
    if person.expression.eyes == "closed":
        parts.append("eyes closed")
    return ", ".join(parts)


def _together(people: tuple[Person, ...], colours: bool) -> str:
    girls = sum(p.is_girl for p in people)
    boys = len(people) - girls
    if girls and boys:
        who = listed(
            [
                f"{_NUMBERS.get(n, 'a').lower()} {word}{'s' if n > 1 else ''}"
                for n, word in ((girls, "girl"), (boys, "boy"))
            ]
        )
    else:
        who = f"{_NUMBERS[len(people)]} {'girls' if girls else 'boys'}"
    each = [f"one with {_hair(p, colours)} and {article(clothes(p, colours))}" for p in people]
    return f"{who}: {listed(each)}"


def _features(person: Person, colours: bool) -> list[str]:
    worn, found = person.worn, [_hair(person, colours)]
    if colours and person.expression.eyes != "closed":
        found.append(f"{person.eye_colour} eyes")
    if worn.glasses:
        found.append("glasses")
    if worn.beard:
        found.append("a beard")
    if worn.hat:
        colour = worn.hat.colour if colours and worn.hat.kind != "straw" else ""
        found.append(article(f"a {colour} {accessories.HAT_WORDS[worn.hat.kind]}".replace("  ", " ")))
    named = ((worn.hair_bow, "bow"), (worn.hair_flower, "flower"))
    found += [article(f"a {colour + ' ' if colours else ''}{word} in the hair") for colour, word in named if colour]
    if worn.cat_ears:
        found.append("cat ears")
    if worn.headphones:
        found.append("headphones")
    if worn.scarf:
        found.append(article(f"a {worn.scarf + ' ' if colours else ''}scarf"))
    return found


def _hair(person: Person, colours: bool) -> str:
    length = hair.LENGTHS[person.hair.cut].split("_")[0]
    words = [length, SHAPED.get(person.hair.cut, ""), person.hair.colour if colours else "", "hair"]
    text = " ".join(word for word in words if word)
    return f"{text} in {CUTS[person.hair.cut]}" if person.hair.cut in CUTS else text


def clothes(person: Person, colours: bool) -> str:
    """What a person wears, with its article where it has one."""
    return _OUTFITS[person.outfit.kind].format(person.outfit.colour if colours else "").replace("  ", " ").strip()


def _thing(thing: Thing, colours: bool) -> str:
    plain = not colours or thing.label == "sword"
    return article(f"a {'' if plain else thing.colour + ' '}{thing.label}")


def _beside(scene: Scene, colours: bool) -> str:
    return f", with {listed([_thing(t, colours) for t in scene.things])}" if scene.things else ""


def article(text: str) -> str:
    """ "a" or "an" at the beginning, as the next word wants it."""
    return "an " + text[2:] if text.startswith("a ") and text[2] in "aeio" else text


def listed(words: list[str]) -> str:
    """Words as a list in a sentence."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."
