"""Chance, part one: people. Every choice comes from the `random.Random` handed in, so a seed is a person."""

from __future__ import annotations

import random

from training.samples import accessories, clothes, hair, objects, palette
from training.samples.scene import Expression, Hair, Hat, Outfit, Person, Placement, Thing, Worn

# Offset from the hand, size and turn of things that can be held, in figure units and degrees.
GRIPS: dict[str, tuple[float, float, float, float]] = {
    "book": (6, -20, 0.85, 6), "cup": (-14, -34, 0.62, 0), "flower": (12, -92, 0.85, 8), "sword": (4, -26, 1.15, 20),
    "umbrella": (76, -118, 1.15, 34), "balloon": (85, -181, 1.0, 25), "ball": (30, 8, 0.8, 0),
}  # fmt: skip
_HELD = ("book", "book", "cup", "cup", "flower", "sword", "sword", "umbrella", "balloon", "ball")
_TIED = ("bun", "double_bun", "spiky")


def person(rng: random.Random, framing: str, alone: bool, at_beach: bool) -> Person:
    """Somebody, not yet placed."""
    girl = rng.random() < 0.66
    head = _hair(rng, girl)
    outfit = _outfit(rng, girl, at_beach)
    holding = _held(rng) if alone and framing in ("upper", "full") and rng.random() < 0.42 else None
    poses = ("down", "down", "hip", "wave", "chest") if alone else ("down", "down", "chest")
    right = clothes.HOLDING_POSE if holding else rng.choice(poses)
    return Person(
        gender="girl" if girl else "boy",
        skin=rng.choices(tuple(palette.SKIN), (5, 5, 2, 2))[0],
        eye_colour=rng.choice(tuple(palette.EYES)),
        hair=head,
        expression=_expression(rng),
        outfit=outfit,
        worn=_worn(rng, girl, head, outfit),
        at=Placement(0, 0, 1, rng.uniform(-7, 7), rng.uniform(-9, 9)),
        arms=(rng.choice(("down", "down", "hip") if alone else ("down",)), right),
        holding=holding,
    )


def _hair(rng: random.Random, girl: bool) -> Hair:
    cut = rng.choice(hair.GIRL_CUTS if girl else hair.BOY_CUTS)
    bangs = rng.choice(hair.GIRL_BANGS if girl else hair.BOY_BANGS)
    return Hair(rng.choice(tuple(palette.HAIR)), cut, bangs, ahoge=cut not in _TIED and rng.random() < 0.1)


def _expression(rng: random.Random) -> Expression:
    mouth = rng.choices(("smile", "grin", "open", "frown", "line", "pout"), (7, 5, 2, 3, 1, 2))[0]
    brows = "calm"
    if mouth in ("frown", "line", "open") and rng.random() < 0.45:
        brows = rng.choice(("angry", "worried"))
    return Expression(
        mouth=mouth,
        eyes="open" if brows == "angry" else rng.choices(("open", "closed", "wink"), (10, 1.4, 1))[0],
        brows=brows,
        blush=rng.random() < 0.22,
        tears=mouth in ("frown", "open") and brows != "angry" and rng.random() < 0.35,
    )


def _outfit(rng: random.Random, girl: bool, at_beach: bool) -> Outfit:
    kind = rng.choice(clothes.GIRL_OUTFITS if girl else clothes.BOY_OUTFITS)
    if at_beach and girl and rng.random() < 0.75:
        kind = "swimsuit"
    colours: tuple[str, ...] = (
        "red",
        "blue",
        "navy",
        "green",
        "yellow",
        "purple",
        "pink",
        "teal",
        "orange",
        "grey",
        "black",
    )
    if kind == "suit":
        colours = ("navy", "black", "grey")
    elif kind == "overalls":
        colours = ("blue", "navy", "teal", "green")
    colour = clothes.FIXED_COLOUR.get(kind) or rng.choice(colours)
    accent = rng.choice([c for c in ("red", "blue", "yellow", "purple", "teal", "pink") if c != colour])
    lower = "" if kind in clothes.ONE_PIECE else "skirt" if girl and kind != "suit" and rng.random() < 0.75 else "pants"
    shades = ("navy", "black", "grey", "beige") if lower == "pants" else ("navy", "red", "black", "purple", "blue")
    return Outfit(kind, colour, lower, colour if kind == "suit" else rng.choice(shades), accent)


def _worn(rng: random.Random, girl: bool, head: Hair, outfit: Outfit) -> Worn:
    on_head = rng.random()
    colours = ("red", "red", "blue", "blue", "green", "yellow", "purple", "pink", "black")
    hat, bow, flower, ears, phones = None, "", "", False, ""
    if on_head < 0.24 and head.cut not in _TIED and not head.ahoge:
        kind = rng.choice(tuple(accessories.HAT_TAGS))
        hat = Hat(kind, rng.choice(("purple", "black", "blue", "red") if kind == "witch" else colours))
    elif on_head < 0.36 and girl and head.cut != "double_bun":
        bow = rng.choice(("red", "blue", "yellow", "pink", "purple"))
    elif on_head < 0.45 and girl:
        flower = rng.choice(("red", "pink", "white", "purple", "orange"))
    elif on_head < (0.54 if girl else 0.28) and head.cut != "double_bun":
        ears = True
    elif on_head < 0.63 and head.cut != "double_bun":
        phones = rng.choice(("red", "blue", "black", "white", "pink"))
    scarf = (
        rng.choice(("red", "blue", "green", "yellow", "purple"))
        if rng.random() < 0.1 and outfit.kind != "swimsuit"
        else ""
    )
    open_neck = outfit.kind in ("striped", "swimsuit", "overalls", "hoodie")
    return Worn(
        hat=hat, hair_bow=bow, hair_flower=flower, cat_ears=ears, headphones=phones, scarf=scarf,
        glasses=rng.choice(("black", "red", "navy")) if rng.random() < 0.18 else "",
        # Hair that falls before the ears would hide what hangs from them.
        earrings=girl and not phones and head.cut in ("bun", "double_bun", "ponytail") and rng.random() < 0.55,
        necklace=girl and not scarf and open_neck and rng.random() < 0.55,
        beard=not girl and rng.random() < 0.22,
    )  # fmt: skip


def _held(rng: random.Random) -> Thing:
    label = rng.choice(_HELD)
    x, y, scale, turn = GRIPS[label]
    return Thing(label, rng.choice(objects.COLOURS[label]), x, y, scale, turn)
