"""Chance, part two: whole scenes. A seed gives the canvas, the framing, the setting, and who and what is where."""

from __future__ import annotations

import random
from dataclasses import replace

from training.samples import casting, objects
from training.samples.scene import Person, Placement, Scene, Setting, Thing
from training.samples.styles import STYLE_WEIGHTS

_TALL, _FLAT, _SQUARE = (
    ((512, 768), (576, 768), (544, 704)),
    ((768, 512), (768, 576)),
    ((640, 640), (704, 704)),
)
_SETTING_WEIGHTS: dict[str, float] = {
    "white": 7, "plain": 7, "gradient": 9, "sky": 6, "beach": 6, "city": 5, "night": 5, "city_night": 3, "forest": 5,
    "sunset": 6, "room": 6, "classroom": 5, "snow": 5, "cherry": 6, "mountain": 5, "rain": 5,
}  # fmt: skip
_INDOORS = ("room", "classroom")
_WALLS = ("#f4c9c4", "#c9dcf2", "#d4e8cf", "#f5e4b3", "#dcd0ee", "#c8e6e4", "#e8d6c2")
# How far a figure reaches above the centre of its face, in figure units, by what is on top.
_HEADROOM = {"witch": 392, "beanie": 276, "straw": 228, "beret": 242, "cap": 224, "": 215}
_FEET = 1160


def scene(seed: int, style: str | None = None) -> Scene:
    """The scene of a seed; the style changes nothing but the style."""
    rng = random.Random(seed)
    drawn_style = rng.choices(tuple(STYLE_WEIGHTS), tuple(STYLE_WEIGHTS.values()))[0]
    count = rng.choices((0, 1, 2, 3), (12, 62, 18, 8))[0]
    framing = _framing(rng, count)
    width, height = _canvas(rng, count, framing)
    kind = rng.choices(tuple(_SETTING_WEIGHTS), tuple(_SETTING_WEIGHTS.values()))[0]
    setting = Setting(kind, rng.choice(_WALLS), rng.randrange(1 << 30))
    at_beach = kind == "beach"
    people = _placed(
        [casting.person(rng, framing, count == 1, at_beach) for _ in range(count)],
        rng,
        framing,
        width,
        height,
    )
    things = _things(rng, framing, people, kind, width, height)
    return Scene(seed, style or drawn_style, width, height, framing, setting, tuple(people), tuple(things))


def _framing(rng: random.Random, count: int) -> str:
    if count == 0:
        return "none"
    if count == 1:
        return rng.choices(("portrait", "upper", "full", "wide"), (30, 42, 17, 11))[0]
    return rng.choices(("upper", "full"), (75, 25))[0]


def _canvas(rng: random.Random, count: int, framing: str) -> tuple[int, int]:
    if framing == "wide" or count == 3:
        return rng.choice(_FLAT)
    if count == 2:
        return rng.choice(_FLAT + _SQUARE)
    if framing in ("portrait", "upper", "full"):
        return rng.choice(_TALL + _TALL + _SQUARE)
    return rng.choice(_TALL + _FLAT + _SQUARE)


def headroom(person: Person) -> float:
    """How far the person reaches above the centre of the face, in figure units."""
    top = _HEADROOM[person.worn.hat.kind if person.worn.hat else ""]
    if person.hair.ahoge or person.worn.cat_ears or person.hair.cut == "bun":
        top = max(top, 248)
    return top


def _placed(people: list[Person], rng: random.Random, framing: str, width: int, height: int) -> list[Person]:
    if not people:
        return []
    top, count = max(headroom(p) for p in people), len(people)
    if framing == "portrait":
        scale = min(0.55 * height / 290, 0.52 * width / 240, 0.62 * height / top) * rng.uniform(0.88, 1.0)
        level = max(0.47 * height, (top + 12) * scale)
    elif framing == "upper":
        scale = min(0.34 * height / 290, width / count / 440, 0.5 * height / top) * rng.uniform(0.92, 1.0)
        level = max(0.33 * height, (top + 14) * scale)
    else:
        share = 0.95 if framing == "full" else rng.uniform(0.66, 0.8)
        scale = min(share * height / (top + _FEET), width / count / 430)
        level = 0.975 * height - _FEET * scale
    placed = []
    for i, one in enumerate(people):
        x = width * (i + 0.5) / count + rng.uniform(-0.02, 0.02) * width
        if one.holding:
            x = 0.4 * width
        elif framing == "wide":
            x = width * rng.choice((0.3, 0.5, 0.68))
        drop = rng.uniform(-6, 18) * scale if count > 1 and framing == "upper" else 0
        placed.append(replace(one, at=replace(one.at, x=x, y=level + drop, scale=scale)))
    return placed


def _things(
    rng: random.Random, framing: str, people: list[Person], setting: str, width: int, height: int
) -> list[Thing]:
    if framing == "none":
        return _still_life(rng, setting, width, height)
    if framing == "upper" and len(people) == 1 and not people[0].holding and rng.random() < 0.3:
        label = rng.choice(("cat", "dog", "ball", "cup", "flower", "book"))
        scale = 0.13 * min(width, height) / 100
        return [_thing(rng, label, width * rng.choice((0.15, 0.85)), height - 118 * scale, scale)]
    if framing in ("full", "wide") and len(people) == 1:
        return _beside(rng, people[0].at, framing, setting, width, height)
    return []


def _beside(rng: random.Random, at: Placement, framing: str, setting: str, width: int, height: int) -> list[Thing]:
    if rng.random() < 0.25:
        return []
    right = at.x < width * 0.55
    if framing == "wide" and setting not in _INDOORS and rng.random() < 0.35:
        scale = 0.19 * width / 200
        return [_thing(rng, "car", width * (0.8 if right else 0.2), height * 0.88 - 60 * scale, scale)]
    label = rng.choice(("cat", "dog", "ball", "balloon", "flower"))
    scale = min(0.19 * height, 0.2 * width) / 200
    x = at.x + (1 if right else -1) * (240 * at.scale + 105 * scale)
    if not 60 < x < width - 60:
        return []
    y = height * 0.3 if label == "balloon" else height * 0.965 - 110 * scale
    return [_thing(rng, label, x, y - (50 * scale if label == "flower" else 0), scale)]


def _still_life(rng: random.Random, setting: str, width: int, height: int) -> list[Thing]:
    # An empty wall is no picture.
    least = 1 if setting in ("white", "plain", "gradient") else 0
    count = max(least, rng.choices((0, 1, 2, 3), (2, 3, 4, 3))[0])
    labels = [label for label in objects.COLOURS if label != "car" or setting not in _INDOORS]
    found = []
    for i, label in enumerate(rng.sample(labels, count)):
        across = 400 if label == "car" else 320 if label in ("umbrella", "sword") else 240
        scale = min(0.86 * width / count / across, 0.5 * height / across) * rng.uniform(0.8, 1.0)
        y = height * (0.4 if label == "balloon" else 0.66) + rng.uniform(-0.04, 0.06) * height
        turn = rng.uniform(-12, 12) if label in ("book", "sword", "ball") else 0.0
        found.append(replace(_thing(rng, label, width * (i + 0.5) / count, y, scale), turn=turn))
    return found


def _thing(rng: random.Random, label: str, x: float, y: float, scale: float) -> Thing:
    return Thing(label, rng.choice(objects.COLOURS[label]), x, y, scale)
