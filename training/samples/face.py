"""The face: skin, eyes, brows, nose, mouth and blush, in head coordinates (centre of the face, half width 100)."""

from __future__ import annotations

from training.samples import hair, palette
from training.samples.pen import Pen, oval, place
from training.samples.scene import Expression, Person

GIRL_FACE = (
    "M-98,-30 C-100,35 -88,74 -48,110 Q-18,134 0,134 Q18,134 48,110 C88,74 100,35 98,-30 C98,-120 -98,-120 -98,-30 Z"
)
BOY_FACE = (
    "M-98,-30 C-100,40 -92,84 -58,118 Q-28,142 0,142 Q28,142 58,118 C92,84 100,40 98,-30 C98,-120 -98,-120 -98,-30 Z"
)
EYE_GIRL = "M-31,4 C-27,-24 -10,-33 5,-32 C20,-31 29,-17 30,1 C29,20 15,31 0,31 C-15,31 -26,21 -31,4 Z"
EYE_BOY = "M-29,2 C-25,-15 -9,-20 5,-20 C18,-20 26,-11 27,0 C25,14 13,20 0,20 C-13,20 -24,14 -29,2 Z"


def outline(person: Person) -> str:
    """The outline of the face as a path."""
    return GIRL_FACE if person.is_girl else BOY_FACE


def draw(pen: Pen, person: Person, skin: str) -> None:
    """Skin, ears, the shadow that the bangs throw, and the features."""
    for side in (-1, 1):
        ear = oval(side * 99, 22, 15, 25)
        pen.area(ear, skin, line=0.8, soft=False)
        pen.shadow(oval(side * 101, 24, 7, 14), skin, 0.5)
    shape = outline(person)
    pen.area(shape, skin, soft=False)
    with pen.clipped(shape):
        pen.shadow("M-110,40 C-92,100 -50,150 0,156 L-120,170 Z", skin, 0.5)
        if pen.style.soft:
            pen.path(oval(0, 70, 96, 80), pen.glow(palette.tint(skin, 0.4), 0.7))
        hair.cast_shadow(pen, person, skin)
    look = person.at.look
    _blush(pen, person, look)
    for side in (-1, 1):
        with pen.moved(place(side * 47 + look, 24, mirror=side < 0)):
            _eye(pen, person, side)
    _brows(pen, person, look)
    _nose(pen, skin, look)
    if person.expression.tears:
        _tears(pen, look)


def _blush(pen: Pen, person: Person, look: float) -> None:
    strong = person.expression.blush
    if not strong and not person.is_girl:
        return
    colour = "#f0606a" if strong else "#f29a8e"
    for side in (-1, 1):
        x = side * 63 + look
        if pen.style.soft or pen.style.lift:
            pen.path(oval(x, 72, 34, 21), pen.glow(colour, 0.95 if strong else 0.35))
        else:
            pen.path(oval(x, 72, 24, 13), colour, opacity=0.55 if strong else 0.15)
        if strong:
            strokes = " ".join(f"M{x + d + 4:.0f},64 L{x + d - 4:.0f},80" for d in (-12, 0, 12))
            pen.line(strokes, "#d8404e", 3.4, 0.8)


def _eye(pen: Pen, person: Person, side: int) -> None:
    mood, lash = person.expression.eyes, "#2c2028"
    if mood == "closed" or (mood == "wink" and side > 0):
        _closed_eye(pen, person, lash)
        return
    tall = person.is_girl
    shape = EYE_GIRL if tall else EYE_BOY
    pen.path(shape, "#fffdfb")
    with pen.clipped(shape):
        _iris(pen, palette.EYES[person.eye_colour], 31 if tall else 22, side)
        lid = "L40,-16 C20,-26 -14,-26 -40,-6 Z" if tall else "L40,-10 Q0,-18 -40,0 Z"
        pen.path(f"M-40,-40 L40,-40 {lid}", "#5a4a6a", opacity=0.3)
    if tall:
        pen.path("M-33,8 C-29,-26 -10,-38 6,-37 C22,-36 31,-22 37,-8 C40,-4 43,-6 46,-10 C44,2 38,8 32,6 "
                 "C28,-14 18,-28 5,-28 C-10,-28 -24,-18 -33,8 Z", lash)  # fmt: skip
        pen.line("M-16,31 Q2,36 18,27", lash, 2.2, 0.6)
        pen.line("M-20,-43 Q4,-53 26,-40", lash, 2.0, 0.45)
    else:
        pen.line("M-29,3 C-24,-15 -9,-22 5,-22 C18,-22 26,-12 28,0", lash, 6.0)
        pen.line("M-14,22 Q2,25 16,20", lash, 2.0, 0.6)


def _iris(pen: Pen, colour: str, height: float, side: int) -> None:
    dark = palette.mix(colour, "#0c0818", 0.62)
    stops = (
        f'<stop stop-color="{pen.tone(dark)}"/><stop offset=".45" stop-color="{pen.tone(colour)}"/>'
        f'<stop offset="1" stop-color="{pen.tone(palette.tint(colour, 0.38))}"/>'
    )
    fill = pen.gradient("", "", stops=stops) if pen.style.gloss else colour
    x = -1
    pen.path(oval(x, 1, height * 0.73, height), fill, dark, 2.4)
    pen.path(oval(x, 0, height * 0.3, height * 0.44), palette.mix(colour, "#0a0610", 0.85))
    pen.path(oval(x, height * 0.62, height * 0.42, height * 0.22), palette.tint(colour, 0.6), opacity=0.75)
    # The light comes from the left in both eyes, so the mirrored one puts it on its other side.
    pen.path(oval(x + side * -height * 0.26, -height * 0.38, height * 0.26, height * 0.28), "#ffffff")
    pen.path(oval(x + side * height * 0.3, height * 0.32, height * 0.12, height * 0.13), "#ffffff", opacity=0.9)


def _closed_eye(pen: Pen, person: Person, lash: str) -> None:
    happy = person.expression.mouth in ("smile", "grin", "open")
    pen.line("M-28,12 Q0,-18 28,10" if happy else "M-28,4 Q0,24 28,4", lash, 6.5)
    if person.is_girl:
        pen.line("M26,9 L37,12 M20,1 L33,1" if happy else "M26,5 L37,10 M20,11 L29,19", lash, 4)


def _brows(pen: Pen, person: Person, look: float) -> None:
    colour = palette.shade(palette.mix(palette.HAIR[person.hair.colour], "#4a3038", 0.35), 0.3)
    width = 5.5 if person.is_girl else 10
    shapes = {
        "calm": "M-22,-2 Q2,-14 26,-2" if person.is_girl else "M-26,-2 Q2,-10 28,2",
        "angry": "M-28,14 Q-4,-2 28,-12",
        "worried": "M-26,-14 Q0,-8 26,8",
    }
    lift = -38 if person.is_girl else -24
    for side in (-1, 1):
        with pen.moved(place(side * 47 + look, 24 + lift - 8, mirror=side < 0)):
            pen.line(shapes[person.expression.brows], colour, width)


def _nose(pen: Pen, skin: str, look: float) -> None:
    dark = palette.shade(palette.mix(skin, "#c05a4a", 0.3), 0.3)
    pen.line(f"M{look * 1.3 - 3:.1f},68 Q{look * 1.3 + 1:.1f},73 {look * 1.3 + 5:.1f},69", dark, 3.2, 0.85)


def draw_mouth(pen: Pen, mood: Expression, look: float, drop: float) -> None:
    """The mouth, apart from the face because a beard comes between."""
    lip, inside, tongue = "#8f3a3c", "#7d2530", "#ef8288"
    with pen.moved(place(look * 1.15, 96 + drop)):
        if mood.mouth == "smile":
            pen.line("M-21,-5 Q0,13 21,-5", lip, 5)
        elif mood.mouth in ("open", "grin"):
            shape = "M-25,-8 Q0,-2 25,-8 C24,14 13,26 0,26 C-13,26 -24,14 -25,-8 Z"
            if mood.mouth == "open":
                shape = oval(0, 4, 13, 17)
            pen.path(shape, inside, lip, 4)
            if mood.mouth == "grin":
                pen.path("M-22,-6 Q0,-1 22,-6 L20,2 Q0,6 -20,2 Z", "#ffffff")
            pen.path(oval(0, 17, 12 if mood.mouth == "grin" else 8, 6.5 if mood.mouth == "grin" else 3.5), tongue)
        elif mood.mouth == "frown":
            pen.line("M-20,10 Q0,-10 20,10", lip, 5)
        else:
            pen.line("M-13,2 L13,2" if mood.mouth == "line" else "M-9,4 Q0,-3 9,4", lip, 4.6)


def _tears(pen: Pen, look: float) -> None:
    for side in (-1, 1):
        x = side * 52 + look
        drop = (
            f"M{x - 8:.1f},52 C{x - 14:.1f},84 {x - 13:.1f},104 {x:.1f},108 "
            f"C{x + 13:.1f},104 {x + 14:.1f},84 {x + 8:.1f},52 Z"
        )
        pen.path(drop, "#7cc4f4", "#3f86c8", 2.6, 0.92)
        pen.path(oval(x - 4, 92, 3.5, 6), "#ffffff")
