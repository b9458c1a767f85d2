"""What is worn on head, face and neck, in head coordinates."""

from __future__ import annotations

from collections.abc import Callable

from training.samples import palette
from training.samples.pen import Pen, oval, place
from training.samples.scene import Hat, Person

HAT_TAGS: dict[str, str] = {
    "straw": "straw_hat", "witch": "witch_hat", "beret": "beret", "beanie": "beanie", "cap": "baseball_cap",
}  # fmt: skip
HAT_WORDS: dict[str, str] = {
    "straw": "straw hat", "witch": "witch hat", "beret": "beret", "beanie": "beanie", "cap": "baseball cap",
}  # fmt: skip


def draw_beard(pen: Pen, person: Person) -> None:
    """A beard with room for the mouth, which is drawn over it."""
    if not person.worn.beard:
        return
    colour = palette.shade(palette.HAIR[person.hair.colour], 0.12)
    shape = (
        "M-97,30 C-98,84 -66,126 -46,146 Q0,178 46,146 C66,126 98,84 97,30 C88,66 66,82 36,82 Q0,74 -36,82 "
        "C-66,82 -88,66 -97,30 Z"
    )
    pen.area(shape, colour, line=0.8, soft=False)
    pen.path(oval(person.at.look * 1.15, 103, 32, 17), palette.shade(palette.SKIN[person.skin], 0.06))


def draw_glasses(pen: Pen, person: Person) -> None:
    """Glasses over the eyes, under the hair."""
    if person.worn.glasses:
        _glasses(pen, palette.CLOTH[person.worn.glasses], person.at.look)


def _glasses(pen: Pen, colour: str, look: float) -> None:
    for side in (-1, 1):
        d = oval(side * 48 + look, 26, 43, 40)
        pen.path(d, "#dff0fa", opacity=0.25)
        pen.path(d, "none", colour, 7.5)
        pen.line(f"M{side * 90 + look:.0f},20 L{side * 104},12", colour, 6.5)
    pen.line(f"M{look - 6:.0f},22 Q{look:.0f},15 {look + 6:.0f},22", colour, 6.5)
    pen.line(f"M{look - 70:.0f},8 L{look - 58:.0f},0 M{look + 26:.0f},8 L{look + 38:.0f},0", "#ffffff", 5, 0.8)


def draw_on_head(pen: Pen, person: Person) -> None:
    """Ears, headphones, bows, flowers and hats: over the hair."""
    worn = person.worn
    if worn.earrings:
        for side in (-1, 1):
            pen.line(f"M{side * 104},52 L{side * 104},66", "#d9a520", 3.5)
            pen.area(oval(side * 104, 82, 13, 17), "#ffd84a", line=0.9, soft=False)
            pen.path(oval(side * 104 - 4, 77, 4, 5), "#fffbe8")
    if worn.cat_ears:
        _cat_ears(pen, palette.HAIR[person.hair.colour])
    if worn.headphones:
        _headphones(pen, palette.CLOTH[worn.headphones])
    if worn.hair_flower:
        _flower(pen, palette.CLOTH[worn.hair_flower])
    if worn.hair_bow:
        _bow(pen, palette.CLOTH[worn.hair_bow])
    if worn.hat:
        _HATS[worn.hat.kind](pen, worn.hat, palette.CLOTH[worn.hat.colour])


def draw_on_neck(pen: Pen, person: Person) -> None:
    """Scarf and necklace: over the clothes."""
    if person.worn.scarf:
        colour = palette.CLOTH[person.worn.scarf]
        pen.area("M44,190 L96,180 L120,380 L58,392 Z", palette.shade(colour, 0.1), soft=False)
        pen.line("M62,372 L116,360 M60,350 L112,338", palette.tint(colour, 0.5), 8)
        pen.area(
            "M-92,128 Q0,182 92,128 C118,152 112,204 84,214 Q0,256 -84,214 C-112,204 -118,152 -92,128 Z",
            colour,
        )
        pen.line("M-70,170 Q0,212 76,172 M-30,220 Q20,224 60,200", palette.shade(colour, 0.4), 4.5, 0.7)
    elif person.worn.necklace:
        pen.line("M-44,176 Q0,284 44,176", "#e0ac28", 5)
        pen.area("M0,226 L19,246 L0,276 L-19,246 Z", "#e23c58", line=0.9, soft=False)
        pen.path("M-8,246 L0,236 L4,246 Z", "#ffffff", opacity=0.8)


def _cat_ears(pen: Pen, colour: str) -> None:
    for side in (-1, 1):
        with pen.moved(place(0, 0, mirror=side < 0)):
            pen.area(
                "M34,-142 C52,-200 92,-236 122,-240 C136,-200 132,-140 104,-94 C84,-122 62,-136 34,-142 Z",
                colour,
                soft=False,
            )
            pen.path(
                "M62,-150 C74,-184 94,-206 112,-214 C120,-186 116,-150 102,-122 C90,-138 78,-146 62,-150 Z",
                "#f4a3ae",
            )


def _headphones(pen: Pen, colour: str) -> None:
    pen.limb("M-124,0 C-136,-130 -76,-178 0,-178 C76,-178 136,-130 124,0", colour, 20)
    for side in (-1, 1):
        pen.area(oval(side * 120, 16, 28, 46), colour, soft=False)
        pen.path(oval(side * 126, 16, 13, 28), palette.tint(colour, 0.4))


def _flower(pen: Pen, colour: str) -> None:
    for dx, dy in ((0, -1), (0.95, -0.31), (0.59, 0.81), (-0.59, 0.81), (-0.95, -0.31)):
        pen.area(oval(86 + dx * 26, -70 + dy * 26, 22, 22), colour, line=0.8, soft=False)
    pen.area(oval(86, -70, 15, 15), "#f8dc58", line=0.6, soft=False)


def _bow(pen: Pen, colour: str) -> None:
    with pen.moved(place(64, -136, 1, 16)):
        for side in (-1, 1):
            with pen.moved(place(0, 0, mirror=side < 0)):
                pen.area("M4,4 C30,-50 80,-62 92,-44 C100,-10 96,36 84,48 C60,48 26,30 4,4 Z", colour, soft=False)
                pen.line("M24,0 Q50,-12 68,-14", palette.shade(colour, 0.4), 4.5, 0.8)
                pen.area("M6,12 L44,76 L16,68 Z", palette.shade(colour, 0.1), soft=False)
        pen.area(oval(0, 2, 17, 19), palette.shade(colour, 0.18), soft=False)


def _straw(pen: Pen, hat: Hat, colour: str) -> None:
    straw = "#edc874"
    pen.area(oval(0, -72, 232, 54), straw)
    pen.shadow("M-228,-66 Q0,-2 228,-66 Q200,-22 0,-18 Q-200,-22 -228,-66 Z", straw, 0.7)
    pen.area("M-122,-86 C-124,-200 -70,-224 0,-224 C70,-224 124,-200 122,-86 Q0,-50 -122,-86 Z", straw)
    pen.area("M-123,-118 Q0,-82 123,-118 L122,-84 Q0,-48 -122,-84 Z", colour, soft=False)
    pen.line("M-88,-190 Q0,-160 88,-190 M-108,-156 Q0,-124 108,-156", palette.shade(straw, 0.3), 3.5, 0.7)


def _witch(pen: Pen, hat: Hat, colour: str) -> None:
    pen.area(
        "M-118,-90 C-80,-190 -60,-280 26,-376 C66,-390 104,-366 120,-336 "
        "C92,-346 74,-340 70,-316 C76,-236 104,-160 120,-90 Q0,-52 -118,-90 Z",
        colour,
    )
    pen.area(oval(0, -84, 222, 44), colour)
    pen.area("M-117,-112 Q0,-78 117,-112 L122,-78 Q0,-44 -122,-78 Z", "#e8b84a", soft=False)
    pen.area("M-24,-104 L24,-104 L24,-62 L-24,-62 Z", "#fbf0c4", line=0.8, soft=False)


def _beret(pen: Pen, hat: Hat, colour: str) -> None:
    pen.area(
        "M-122,-70 C-176,-110 -150,-196 -40,-212 C70,-226 178,-176 166,-118 "
        "C160,-90 130,-76 112,-66 Q0,-112 -122,-70 Z",
        colour,
    )
    pen.area("M-122,-70 Q0,-112 112,-66 L110,-44 Q0,-90 -118,-48 Z", palette.shade(colour, 0.22), soft=False)
    pen.line("M-6,-214 L2,-240", palette.shade(colour, 0.2), 11)
    pen.gloss("M-100,-150 Q-60,-194 10,-196 Q-40,-176 -80,-136 Z", palette.tint(colour, 0.6))


def _beanie(pen: Pen, hat: Hat, colour: str) -> None:
    pen.area("M-120,-70 C-126,-186 -70,-222 0,-222 C70,-222 126,-186 120,-70 Z", colour)
    pen.line("M-60,-200 L-66,-100 M0,-216 L0,-100 M60,-200 L66,-100", palette.shade(colour, 0.35), 5, 0.6)
    pen.area("M-128,-104 Q0,-130 128,-104 L128,-54 Q0,-82 -128,-54 Z", palette.tint(colour, 0.3), soft=False)
    pen.area(oval(0, -236, 38, 36), "#fbf8f2", soft=False)


def _cap(pen: Pen, hat: Hat, colour: str) -> None:
    pen.area("M-122,-66 C-126,-180 -70,-212 0,-212 C70,-212 126,-180 122,-66 Q0,-100 -122,-66 Z", colour)
    pen.line("M-58,-200 Q-70,-140 -64,-84 M58,-200 Q70,-140 64,-84", palette.shade(colour, 0.4), 4, 0.7)
    pen.area(
        "M-104,-84 C-60,-102 60,-102 104,-84 C134,-70 156,-44 148,-30 "
        "C90,-62 -90,-62 -148,-30 C-156,-44 -134,-70 -104,-84 Z",
        palette.shade(colour, 0.16),
        soft=False,
    )
    pen.area(oval(0, -140, 30, 28), "#fbf8f2", line=0.7, soft=False)
    pen.area(oval(0, -214, 11, 8), palette.shade(colour, 0.2), line=0.7, soft=False)


_HATS: dict[str, Callable[[Pen, Hat, str], None]] = {
    "straw": _straw, "witch": _witch, "beret": _beret, "beanie": _beanie, "cap": _cap,
}  # fmt: skip
