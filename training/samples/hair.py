"""Hair: what hangs behind the body, what frames the face, and what is tied up, in head coordinates."""

from __future__ import annotations

import re

from training.samples import palette
from training.samples.pen import Pen, oval, place
from training.samples.scene import Person

# Danbooru's length tag of each cut; a cut that is tied up out of sight has none.
LENGTHS: dict[str, str] = {
    "short": "short_hair", "bob": "short_hair", "spiky": "short_hair", "crop": "short_hair",
    "medium": "medium_hair", "curly": "medium_hair", "long": "long_hair", "straight": "long_hair",
    "ponytail": "long_hair", "twintails": "long_hair", "braids": "long_hair", "bun": "", "double_bun": "",
}  # fmt: skip
SHAPES: dict[str, str] = {
    "bob": "bob_cut", "spiky": "spiked_hair", "curly": "curly_hair", "ponytail": "ponytail",
    "twintails": "twintails", "braids": "twin_braids", "bun": "single_hair_bun", "double_bun": "double_bun",
}  # fmt: skip
GIRL_CUTS = (
    "short",
    "bob",
    "medium",
    "curly",
    "long",
    "straight",
    "ponytail",
    "twintails",
    "braids",
    "bun",
    "double_bun",
)
BOY_CUTS = ("crop", "spiky", "crop", "spiky", "medium")
GIRL_BANGS = ("swept", "blunt", "parted", "tufts")
BOY_BANGS = ("tufts", "swept")

_BACKS: dict[str, str] = {
    "short": "M-116,-20 C-128,40 -126,84 -96,104 Q-70,84 -60,98 L60,98 Q70,84 96,104 C126,84 128,40 116,-20 Z",
    "crop": "M-112,-30 C-118,10 -114,44 -98,60 L98,60 C114,44 118,10 112,-30 Z",
    "bob": "M-118,-30 C-142,40 -150,100 -134,142 Q-100,160 -64,140 L64,140 Q100,160 134,142 C150,100 142,40 118,-30 Z",
    "medium": "M-118,-30 C-140,60 -138,130 -152,186 Q-128,192 -112,178 Q-104,206 -78,204 L78,204 Q104,206 112,178 "
    "Q128,192 152,186 C138,130 140,60 118,-30 Z",
    "long": "M-118,-30 C-152,80 -140,200 -164,330 C-172,380 -188,420 -206,440 Q-168,446 -144,424 Q-150,462 -172,482 "
    "Q-112,474 -92,440 L92,440 Q112,474 172,482 Q150,462 144,424 Q168,446 206,440 C188,420 172,380 164,330 "
    "C140,200 152,80 118,-30 Z",
    "straight": "M-118,-30 C-142,80 -144,240 -150,470 Q-110,480 -76,474 L76,474 Q110,480 150,470 "
        "C144,240 142,80 118,-30 Z",
}  # fmt: skip
_CROWN = "M-116,30 C-140,-90 -92,-164 0,-164 C92,-164 140,-90 116,30 Z"

_FRINGES: dict[str, str] = {
    "swept": "C-104,-24 -98,0 -92,14 C-88,-24 -76,-44 -58,-56 C-54,-32 -52,-14 -40,2 C-34,-26 -22,-48 -2,-62 "
    "C2,-38 12,-16 30,-2 C32,-28 38,-46 48,-58 C62,-38 80,-12 88,14 C98,0 104,-24 112,10",
    "blunt": "C-106,-12 -102,2 -96,8 L-92,-22 Q-62,-8 -34,-14 L-30,-28 L-26,-13 Q0,-8 26,-13 L31,-30 L36,-14 "
    "Q62,-8 92,-22 L96,8 C102,2 106,-12 112,10",
    "parted": "C-108,-6 -104,22 -94,44 C-98,-8 -74,-58 -10,-104 C58,-62 98,-12 94,44 C104,22 108,-6 112,10",
    "tufts": "C-108,-14 -104,4 -98,16 C-94,-22 -88,-36 -80,-46 C-76,-26 -66,-6 -52,6 C-54,-22 -48,-42 -40,-52 "
    "C-32,-30 -18,-8 2,4 C-4,-24 0,-42 8,-56 C20,-34 38,-14 58,2 C54,-22 56,-38 62,-48 C74,-34 86,-8 96,16 "
    "C104,4 108,-14 112,10",
}  # fmt: skip
BANGS = tuple(_FRINGES)


def draw_back(pen: Pen, person: Person) -> None:
    """The hair behind neck and body."""
    cut, colour = person.hair.cut, palette.HAIR[person.hair.colour]
    if cut == "ponytail":
        _tail(
            pen,
            colour,
            "M36,-128 C150,-190 236,-110 222,30 C214,130 176,220 196,320 C140,290 120,200 132,110 "
            "C140,30 128,-40 62,-72 Z",
        )
    elif cut == "twintails":
        for side in (-1, 1):
            with pen.moved(place(0, 0, mirror=side < 0)):
                _tail(
                    pen,
                    colour,
                    "M98,-92 C196,-130 262,-40 250,90 C242,190 214,270 236,372 C176,340 150,250 156,160 "
                    "C160,70 150,10 104,-44 Z",
                )
    elif cut == "curly":
        _curls(pen, colour)
    elif cut == "spiky":
        _spikes(pen, colour)
    shape = _BACKS.get(cut, _BACKS["crop"])
    if cut != "curly":
        pen.area(shape, palette.shade(colour, 0.16))
        _strands(pen, colour, shape)
    pen.area(_CROWN, colour, soft=False)


def _tail(pen: Pen, colour: str, shape: str) -> None:
    pen.area(shape, colour)
    pen.line(
        "M120,-92 C196,-40 186,110 172,240 M170,-84 C214,-10 206,120 190,270",
        palette.shade(colour, 0.3),
        4,
        0.6,
    )
    pen.gloss("M186,-40 Q214,-10 212,60 Q196,0 176,-10 Z", palette.tint(colour, 0.7), 1.1)


def _curls(pen: Pen, colour: str) -> None:
    ring = [
        (-118, -60),
        (-146, 0),
        (-152, 66),
        (-146, 130),
        (-116, 180),
        (118, -60),
        (146, 0),
        (152, 66),
        (146, 130),
        (116, 180),
    ]
    for x, y in ring:
        pen.area(oval(x, y, 46, 46), palette.shade(colour, 0.1))
        pen.line(
            f"M{x - 20},{y + 6} C{x - 18},{y - 26} {x + 24},{y - 22} {x + 16},{y + 10}",
            palette.shade(colour, 0.34),
            4,
            0.7,
        )
    pen.path("M-120,-60 L120,-60 L130,190 L-130,190 Z", palette.shade(colour, 0.16))


def _spikes(pen: Pen, colour: str) -> None:
    pen.area(
        "M-110,40 L-150,62 L-124,4 L-172,-6 L-134,-50 L-168,-88 L-116,-98 L-128,-160 L-70,-142 L-48,-204 L-4,-156 "
        "L48,-208 L68,-144 L130,-162 L116,-100 L170,-86 L136,-50 L174,-2 L126,6 L150,62 L110,40 Z",
        palette.shade(colour, 0.06),
    )


def _strands(pen: Pen, colour: str, clip: str) -> None:
    if clip is _BACKS["long"] or clip is _BACKS["straight"]:
        lines = (
            "M-104,60 C-120,180 -116,300 -150,460 M-84,120 C-96,240 -88,340 -112,480 M104,60 "
            "C120,180 116,300 150,460 M84,120 C96,240 88,340 112,480"
        )
        pen.line(lines, palette.shade(colour, 0.42), 4, 0.55)


def draw_front(pen: Pen, person: Person) -> None:
    """Crown, bangs, side locks, buns and braids: all that lies over the face and shoulders."""
    hair, colour = person.hair, palette.HAIR[person.hair.colour]
    if hair.cut == "double_bun":
        for side in (-1, 1):
            _bun(pen, colour, side * 88, -138, 46)
    elif hair.cut == "bun":
        _bun(pen, colour, 0, -182, 56)
    if hair.ahoge:
        pen.area("M-8,-150 C-16,-214 24,-250 72,-226 C38,-222 18,-196 18,-150 Z", colour, soft=False)
    if person.is_girl or hair.cut == "medium":
        _side_locks(pen, colour, hair.cut)
    fringe = f"M-116,20 C-140,-90 -92,-164 0,-164 C92,-164 140,-90 116,20 L112,10 {_reversed_fringe(hair.bangs)} Z"
    pen.area(fringe, colour, soft=False)
    pen.path(
        "M-98,-96 C-72,-142 -40,-160 0,-160 C40,-160 72,-142 98,-96 Q0,-176 -98,-96 Z",
        palette.shade(colour, 0.3),
        opacity=0.35,
    )
    _ring(pen, colour)
    strands = (
        "M-70,-124 C-84,-90 -84,-80 -78,-60 M-24,-136 C-34,-110 -34,-96 -28,-76 M34,-134 "
        "C44,-110 44,-96 38,-76 M76,-120 C90,-90 90,-80 84,-60"
    )
    pen.line(strands, palette.shade(colour, 0.4), 3.2, 0.55)
    if hair.cut == "braids":
        for side in (-1, 1):
            _braid(pen, colour, person.outfit.accent, side)


def _reversed_fringe(name: str) -> str:
    """The fringe from right to left: the table reads left to right, and the outline of the hair ends at the right."""
    return " ".join(re.sub(r"(-?[\d.]+),", lambda m: f"{-float(m[1]):g},", word) for word in _FRINGES[name].split())


def _ring(pen: Pen, colour: str) -> None:
    light = palette.tint(palette.mix(colour, "#ffffff", 0.35), 0.4)
    pen.gloss(
        "M-104,-62 Q-60,-112 0,-112 Q60,-112 104,-62 L92,-64 L84,-78 L72,-66 L58,-88 L44,-74 L26,-96 L10,-80 "
        "L-8,-98 L-26,-80 L-42,-92 L-58,-74 L-72,-84 L-84,-64 Z",
        light,
        1.2,
    )


def _bun(pen: Pen, colour: str, x: float, y: float, r: float) -> None:
    pen.area(oval(x, y, r, r * 0.94), colour)
    pen.line(f"M{x - r * 0.6:.0f},{y + r * 0.3:.0f} Q{x:.0f},{y - r:.0f} {x + r * 0.6:.0f},{y + r * 0.2:.0f} "
             f"M{x - r * 0.2:.0f},{y + r * 0.5:.0f} Q{x:.0f},{y - r * 0.3:.0f} {x + r * 0.4:.0f},{y + r * 0.5:.0f}",
             palette.shade(colour, 0.38), 4, 0.7)  # fmt: skip
    pen.gloss(oval(x - r * 0.3, y - r * 0.45, r * 0.26, r * 0.14), palette.tint(colour, 0.7))


def _side_locks(pen: Pen, colour: str, cut: str) -> None:
    long = cut in ("long", "straight", "medium", "twintails")
    lock = (
        "M-116,-40 C-128,40 -122,110 -110,172 C-100,150 -94,120 -92,90 C-90,50 -92,10 -86,-20 Z"
        if long
        else "M-116,-40 C-124,20 -118,62 -106,96 C-98,74 -92,50 -88,-10 Z"
    )
    for side in (-1, 1):
        with pen.moved(place(0, 0, mirror=side > 0)):
            pen.area(lock, colour, soft=False)


def _braid(pen: Pen, colour: str, accent: str, side: int) -> None:
    for step in range(7):
        x, y = side * (112 + step * 3 + (step % 2) * 5), 96 + step * 36
        with pen.moved(place(x, y, 1, side * (24 if step % 2 else -24))):
            pen.area(oval(0, 0, 29 - step, 27), palette.shade(colour, 0.05 * (step % 2)))
            pen.line("M-14,-10 Q0,0 14,12", palette.shade(colour, 0.4), 3.5, 0.7)
    x, y = side * 133, 96 + 7 * 36
    pen.area(
        f"M{x - 14},{y - 14} L{x + 14},{y - 14} L{x + 20},{y + 34} L{x},{y + 46} L{x - 20},{y + 34} Z",
        colour,
        soft=False,
    )
    pen.area(oval(x, y - 8, 19, 11), palette.CLOTH[accent], soft=False)


def cast_shadow(pen: Pen, person: Person, skin: str) -> None:
    """The shadow of the bangs on the forehead; the caller clips it to the face."""
    with pen.moved(place(0, 13)):
        d = (
            "M-116,20 C-140,-90 -92,-164 0,-164 C92,-164 140,-90 116,20 "
            f"L112,10 {_reversed_fringe(person.hair.bangs)} Z"
        )
        pen.shadow(d, skin, 0.8)
