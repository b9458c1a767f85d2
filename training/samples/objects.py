"""Things of the detector's classes, each about 200 units across around its centre."""

from __future__ import annotations

from collections.abc import Callable

from training.samples import palette
from training.samples.pen import Pen, oval, place
from training.samples.scene import Thing

# Colours that suit each object, by name in `palette.CLOTH` (fur has its own names).
FUR: dict[str, str] = {
    "white": "#f4f0ea",
    "grey": "#8d8f99",
    "black": "#3c3a42",
    "orange": "#e59a50",
    "brown": "#a8703f",
    "beige": "#e3c79c",
}
COLOURS: dict[str, tuple[str, ...]] = {
    "book": ("red", "blue", "green", "purple"), "umbrella": ("red", "blue", "yellow", "pink", "teal"),
    "cat": ("white", "grey", "black", "orange"), "dog": ("brown", "beige", "white", "orange"),
    "ball": ("red", "blue", "orange", "green"), "cup": ("white", "teal", "red", "yellow"),
    "flower": ("red", "pink", "yellow", "purple", "white"), "car": ("red", "blue", "yellow", "teal"),
    "balloon": ("red", "blue", "yellow", "pink", "green"), "sword": ("grey",),
}  # fmt: skip


def draw(pen: Pen, thing: Thing) -> None:
    """Draw the thing around the origin in its own units."""
    table = FUR if thing.label in ("cat", "dog") else palette.CLOTH
    _DRAWERS[thing.label](pen, table[thing.colour])


def _book(pen: Pen, c: str) -> None:
    pen.area("M-100,-60 L-2,-42 L-2,76 L-100,58 Z", c)
    pen.area("M100,-60 L2,-42 L2,76 L100,58 Z", palette.shade(c, 0.12))
    pen.area("M-92,-66 Q-46,-74 0,-46 L0,66 Q-46,40 -92,48 Z", "#fdfaf0", soft=False)
    pen.area("M92,-66 Q46,-74 0,-46 L0,66 Q46,40 92,48 Z", "#f4efdf", soft=False)
    pen.line(
        "M-78,-40 Q-44,-44 -14,-26 M-78,-18 Q-44,-22 -14,-4 M-78,4 Q-44,0 -14,18 M78,-40 "
        "Q44,-44 14,-26 M78,-18 Q44,-22 14,-4 M78,4 Q44,0 14,18",
        "#a9a294",
        4,
    )


def _umbrella(pen: Pen, c: str) -> None:
    pen.line("M0,-80 L0,150 Q0,176 -22,176 Q-40,174 -40,156", "#6b4a33", 10)
    pen.area(
        "M-150,-10 C-140,-110 -70,-150 0,-150 C70,-150 140,-110 150,-10 Q112,-44 76,-10 "
        "Q38,-44 0,-10 Q-38,-44 -76,-10 Q-112,-44 -150,-10 Z",
        c,
    )
    pen.path(
        "M-76,-10 C-70,-80 -40,-130 0,-150 C40,-130 70,-80 76,-10 Q38,-44 0,-10 Q-38,-44 -76,-10 Z",
        palette.tint(c, 0.35),
        opacity=0.7,
    )
    pen.line("M0,-150 L0,-172", "#6b4a33", 9)
    pen.line(
        "M0,-150 C-40,-130 -70,-80 -76,-10 M0,-150 C40,-130 70,-80 76,-10 M0,-150 L0,-10",
        palette.shade(c, 0.35),
        3.5,
        0.8,
    )


def _cat(pen: Pen, c: str) -> None:
    pen.limb("M64,76 C120,70 128,10 96,-14", c, 22)
    pen.area("M-58,96 C-74,20 -50,-20 0,-20 C50,-20 78,20 66,96 Q0,112 -58,96 Z", c)
    pen.area(oval(0, 50, 26, 36), palette.tint(c, 0.6), line=0, soft=False)
    pen.area(
        "M-66,-58 L-60,-122 L-16,-92 Q0,-96 16,-92 L60,-122 L66,-58 C74,-10 40,14 0,14 C-40,14 -74,-10 -66,-58 Z",
        c,
        soft=False,
    )
    pen.path("M-54,-76 L-52,-104 L-30,-88 Z M54,-76 L52,-104 L30,-88 Z", "#f2a0a8")
    for side in (-1, 1):
        pen.path(oval(side * 28, -46, 12, 15), "#f3d34a", "#2c2430", 2.5)
        pen.path(oval(side * 28, -46, 4.5, 12), "#1d1822")
        pen.line(f"M{side * 40},-20 L{side * 84},-28 M{side * 40},-12 L{side * 84},-8", palette.shade(c, 0.5), 3)
        pen.area(oval(side * 30, 94, 22, 12), palette.tint(c, 0.25), soft=False)
    pen.path("M-7,-26 L7,-26 L0,-18 Z", "#e2707e")
    pen.line("M0,-18 Q-6,-8 -14,-12 M0,-18 Q6,-8 14,-12", palette.shade(c, 0.6), 3)


def _dog(pen: Pen, c: str) -> None:
    pen.limb("M70,60 C104,40 116,10 104,-20", c, 24)
    pen.area("M-60,98 C-76,20 -48,-24 4,-24 C56,-24 84,24 74,98 Q0,114 -60,98 Z", c)
    pen.area(oval(2, 56, 30, 38), "#fbf5ea", line=0, soft=False)
    pen.area(
        "M-62,-60 C-64,-108 -36,-122 0,-122 C36,-122 64,-108 62,-60 C66,-6 36,16 0,16 C-36,16 -66,-6 -62,-60 Z",
        c,
        soft=False,
    )
    pen.area(oval(0, -22, 36, 30), "#fbf5ea", line=0, soft=False)
    ear = palette.shade(c, 0.38)
    pen.area("M-52,-108 C-96,-110 -104,-40 -84,-14 C-62,-22 -54,-60 -46,-92 Z", ear, soft=False)
    pen.area("M52,-108 C96,-110 104,-40 84,-14 C62,-22 54,-60 46,-92 Z", ear, soft=False)
    for side in (-1, 1):
        pen.path(oval(side * 26, -62, 9, 11), "#241c22")
        pen.path(oval(side * 26 - 3, -66, 3, 4), "#ffffff")
        pen.area(oval(side * 30, 96, 24, 13), "#fbf5ea", soft=False)
    pen.path(oval(0, -38, 15, 11), "#2b2127")
    pen.path("M-10,-8 Q0,2 10,-8 L8,14 Q0,22 -8,14 Z", "#ee7f86")
    pen.line("M0,-28 L0,-14 M0,-14 Q-10,-4 -22,-12 M0,-14 Q10,-4 22,-12", "#4a3530", 3.5)
    pen.area("M-50,8 Q0,30 50,8 L52,24 Q0,46 -52,24 Z", "#c8404a", line=0.6, soft=False)


def _ball(pen: Pen, c: str) -> None:
    pen.area(oval(0, 0, 96, 96), "#fbf8f2")
    with pen.clipped(oval(0, 0, 94, 94)):
        pen.path("M0,0 C-60,-20 -90,-60 -70,-110 L-10,-110 C-30,-60 -20,-30 0,0 Z", c)
        pen.path("M0,0 C40,-50 80,-60 120,-40 L110,40 C70,0 40,-10 0,0 Z", palette.mix(c, "#f2c94c", 0.75))
        pen.path("M0,0 C30,50 20,90 -10,120 L-90,90 C-40,80 -10,50 0,0 Z", palette.mix(c, "#3f68b5", 0.75))
        pen.shadow("M-96,20 Q-20,110 96,30 L96,110 L-96,110 Z", "#cfc8c0", 0.5)
    pen.gloss(oval(-36, -42, 22, 15), "#ffffff", 1.4)


def _cup(pen: Pen, c: str) -> None:
    pen.path(oval(92, 4, 34, 36), "none", palette.shade(c, 0.5), 22 + 2 * pen.style.line)
    pen.path(oval(92, 4, 34, 36), "none", c, 20)
    pen.area("M-88,-72 L88,-72 L70,78 Q0,102 -70,78 Z", c)
    pen.area(oval(0, -72, 88, 22), palette.tint(c, 0.3), soft=False)
    pen.path(oval(0, -68, 72, 15), "#7a4a2c")
    pen.line("M-24,-102 C-40,-124 -8,-134 -24,-158 M22,-102 C6,-124 38,-134 22,-158", "#ffffff", 8, 0.85)
    pen.path(
        "M0,44 C-40,14 -34,-18 -12,-18 Q0,-16 0,-4 Q0,-16 12,-18 C34,-18 40,14 0,44 Z",
        palette.mix(c, "#d8404a", 0.8),
    )


def _flower(pen: Pen, c: str) -> None:
    pen.line("M0,0 Q10,90 0,150", "#4c8a4a", 13)
    pen.area("M4,100 C40,50 90,60 100,66 C80,104 40,116 4,100 Z", "#5da257", soft=False)
    pen.area("M2,120 C-30,80 -80,84 -92,92 C-70,128 -30,134 2,120 Z", "#5da257", soft=False)
    for angle in range(0, 360, 45):
        with pen.moved(place(0, -40, 1, angle)):
            pen.area(
                "M0,-14 C-38,-40 -30,-92 0,-100 C30,-92 38,-40 0,-14 Z",
                c if angle % 90 else palette.tint(c, 0.15),
                line=0.8,
                soft=False,
            )
    pen.area(oval(0, -40, 32, 32), "#f3c43c", soft=False)
    pen.path(oval(-8, -48, 12, 10), "#fbe38a")


def _car(pen: Pen, c: str) -> None:
    pen.path(oval(0, 84, 200, 16), "#2a2440", opacity=0.25)
    pen.area(
        "M-188,60 C-196,10 -180,-6 -126,-14 C-100,-70 -76,-86 -20,-88 L40,-88 "
        "C92,-86 110,-50 132,-16 C180,-8 196,14 188,60 Z",
        c,
    )
    pen.area("M-104,-16 C-86,-58 -68,-70 -24,-72 L-10,-72 L-10,-16 Z", "#cfe8f6", soft=False)
    pen.area("M8,-72 L38,-72 C76,-70 92,-46 108,-16 L8,-16 Z", "#cfe8f6", soft=False)
    pen.line("M-4,-10 L-4,52 M14,4 L34,4 M-186,30 L186,30", palette.shade(c, 0.45), 4, 0.7)
    for side in (-1, 1):
        pen.area(oval(side * 112, 60, 42, 42), "#302c36", soft=False)
        pen.area(oval(side * 112, 60, 20, 20), "#d6d8de", line=0.6, soft=False)
    pen.area(oval(-178, 20, 12, 15), "#fff3b0", line=0.6, soft=False)
    pen.area(oval(180, 18, 9, 15), "#e8433e", line=0.6, soft=False)


def _balloon(pen: Pen, c: str) -> None:
    pen.line("M0,78 C-30,120 24,150 0,200", "#7a7480", 4)
    pen.area(
        "M0,68 C-70,40 -88,-20 -80,-56 C-70,-100 -36,-116 0,-116 C36,-116 70,-100 80,-56 C88,-20 70,40 0,68 Z",
        c,
    )
    pen.area("M-12,84 L12,84 L0,64 Z", palette.shade(c, 0.15), soft=False)
    pen.path(oval(-36, -62, 16, 26), "#ffffff", opacity=0.6)


def _sword(pen: Pen, c: str) -> None:
    pen.area("M-17,-20 L-17,-236 L0,-276 L17,-236 L17,-20 Z", "#d7dde8", soft=False)
    pen.path("M0,-268 L0,-20 L17,-20 L17,-236 Z", "#9aa6ba")
    pen.area("M-66,-26 Q0,-8 66,-26 L66,-4 Q0,16 -66,-4 Z", "#d8a838", soft=False)
    pen.area("M-12,2 L12,2 L12,66 L-12,66 Z", "#7a3b2e", soft=False)
    pen.area(oval(0, 76, 18, 18), "#d8a838", soft=False)


_DRAWERS: dict[str, Callable[[Pen, str], None]] = {
    "book": _book, "umbrella": _umbrella, "cat": _cat, "dog": _dog, "ball": _ball, "cup": _cup, "flower": _flower,
    "car": _car, "balloon": _balloon, "sword": _sword,
}  # fmt: skip
