"""The pieces that settings are painted from: skies, trees, houses, rooms and weather, in canvas pixels."""

from __future__ import annotations

import random

from training.samples import palette
from training.samples.pen import Pen, oval, place
from training.samples.scene import Scene


def fill(pen: Pen, scene: Scene, paint: str) -> None:
    """Cover the canvas."""
    pen.path(f"M0,0 L{scene.width},0 L{scene.width},{scene.height} L0,{scene.height} Z", paint)


def disc(pen: Pen, x: float, y: float, r: float, colour: str, opacity: float = 1.0) -> None:
    """A plain circle."""
    pen.path(oval(x, y, r, r), colour, opacity=opacity)


def clouds(pen: Pen, scene: Scene, rng: random.Random, count: int, top: float, bottom: float, colour: str) -> None:
    """Puffy clouds between two heights (shares of the canvas)."""
    for i in range(count):
        x = scene.width * ((i + rng.uniform(0.1, 0.9)) / count)
        y = scene.height * rng.uniform(top, bottom)
        size = scene.width * rng.uniform(0.0011, 0.0017)
        with pen.moved(place(x, y, size)):
            body = (
                "M-120,40 C-160,40 -160,-14 -112,-16 C-108,-62 -44,-74 -22,-44 C6,-92 84,-76 82,-22 "
                "C134,-26 144,40 104,40 Z"
            )
            pen.path(body, palette.shade(colour, 0.14), opacity=0.7)
            with pen.moved(place(-4, -8, 0.97)):
                pen.path(body, colour)


def sea(pen: Pen, scene: Scene, top: float, bottom: float, colour: str) -> None:
    """The sea as a band with waves."""
    w, y0, y1 = scene.width, scene.height * top, scene.height * bottom
    pen.path(
        f"M0,{y0:.0f} L{w},{y0:.0f} L{w},{y1:.0f} L0,{y1:.0f} Z",
        pen.gradient(palette.shade(colour, 0.15), palette.tint(colour, 0.45)),
    )
    for i in range(4):
        y = y0 + (y1 - y0) * (0.15 + i * 0.17)
        x = w * (0.08 + 0.23 * i)
        pen.line(
            f"M{x:.0f},{y:.0f} Q{x + w * 0.05:.0f},{y - w * 0.012:.0f} {x + w * 0.1:.0f},{y:.0f}",
            "#ffffff",
            w * 0.006,
            0.7,
        )


def sand(pen: Pen, scene: Scene, rng: random.Random, top: float) -> None:
    """Sand below a line of foam."""
    w, h, y = scene.width, scene.height, scene.height * top
    wave = (
        f"M0,{y:.0f} Q{w * 0.25:.0f},{y + h * 0.04:.0f} {w * 0.5:.0f},{y:.0f} "
        f"Q{w * 0.75:.0f},{y - h * 0.03:.0f} {w},{y + h * 0.02:.0f}"
    )
    pen.path(f"{wave} L{w},{h} L0,{h} Z", pen.gradient("#f6e2b0", "#e8c583"))
    pen.line(wave, "#ffffff", h * 0.014, 0.9)


def palm(pen: Pen, scene: Scene, at: float) -> None:
    """A palm tree at a share of the width."""
    s = scene.height / 900
    with pen.moved(place(scene.width * at, scene.height * 0.3, s)):
        pen.limb("M0,0 Q24,220 -8,440", "#a8764a", 30)
        for angle in (-100, -60, -20, 20, 60, 110, 160):
            with pen.moved(place(0, 0, 1, angle)):
                pen.area("M0,0 Q90,-64 190,14 Q96,-12 0,0 Z", "#3f9a56", line=0.6, soft=False)


def skyline(pen: Pen, scene: Scene, rng: random.Random, tones: tuple[str, str], lit: str, top: float) -> None:
    """Two rows of tall houses with windows."""
    w, h = scene.width, scene.height
    for row, tone in enumerate(tones):
        x = -w * rng.uniform(0, 0.08)
        while x < w:
            wide = w * rng.uniform(0.1, 0.18)
            y = h * (top + 0.12 * row + rng.uniform(0, 0.16))
            pen.area(
                f"M{x:.0f},{y:.0f} L{x + wide:.0f},{y:.0f} L{x + wide:.0f},{h} L{x:.0f},{h} Z",
                tone,
                line=0.4,
                soft=False,
            )
            _lights(pen, rng, x, y, wide, h * 0.8, lit)
            x += wide + w * rng.uniform(0.0, 0.02)


def _lights(pen: Pen, rng: random.Random, x: float, y: float, wide: float, bottom: float, lit: str) -> None:
    step, squares = wide / 4, []
    row = y + step * 0.6
    while row < bottom:
        for column in range(3):
            if rng.random() < 0.72:
                left = x + step * (0.6 + column)
                squares.append(
                    f"M{left:.0f},{row:.0f} L{left + step * 0.55:.0f},{row:.0f} "
                    f"L{left + step * 0.55:.0f},{row + step * 0.7:.0f} L{left:.0f},{row + step * 0.7:.0f} "
                    "Z"
                )
        row += step * 1.25
    if squares:
        pen.path(" ".join(squares), lit, opacity=0.9)


def street(pen: Pen, scene: Scene, colour: str = "#8b92a0") -> None:
    """Pavement in front of a skyline."""
    w, h = scene.width, scene.height
    ground(pen, scene, 0.84, colour)
    pen.line(f"M0,{h * 0.93:.0f} L{w},{h * 0.93:.0f}", "#f3eedd", h * 0.008, 0.5)


def ground(pen: Pen, scene: Scene, top: float, colour: str) -> None:
    """Ground with a softly curved horizon."""
    w, h, y = scene.width, scene.height, scene.height * top
    pen.path(
        f"M0,{y:.0f} Q{w * 0.5:.0f},{y - h * 0.04:.0f} {w},{y:.0f} L{w},{h} L0,{h} Z",
        pen.gradient(palette.tint(colour, 0.2), palette.shade(colour, 0.12)),
    )


def hills(pen: Pen, scene: Scene, rng: random.Random, top: float, tones: tuple[str, str]) -> None:
    """Two ranges of rolling hills."""
    w, h = scene.width, scene.height
    for i, tone in enumerate(tones):
        y = h * (top + 0.07 * i)
        a, b = rng.uniform(0.02, 0.12) * h, rng.uniform(0.02, 0.1) * h
        ridge = (
            f"M0,{y:.0f} C{w * 0.25:.0f},{y - a:.0f} {w * 0.35:.0f},{y - a:.0f} {w * 0.5:.0f},{y:.0f} "
            f"C{w * 0.65:.0f},{y + b:.0f} {w * 0.8:.0f},{y - b:.0f} {w},{y:.0f} L{w},{h} L0,{h} Z"
        )
        pen.path(ridge, tone)


def stars(pen: Pen, scene: Scene, rng: random.Random, count: int) -> None:
    """Stars: dots, and some with four points."""
    for i in range(count):
        x, y = rng.uniform(0, scene.width), rng.uniform(0, scene.height * 0.75)
        if i % 3:
            disc(pen, x, y, rng.uniform(1.5, 3.5), "#fff8dc", 0.95)
        else:
            r = rng.uniform(7, 13)
            with pen.moved(place(x, y, r)):
                pen.path("M0,-1 Q0,0 1,0 Q0,0 0,1 Q0,0 -1,0 Q0,0 0,-1 Z", "#fff3b8")


def moon(pen: Pen, scene: Scene, rng: random.Random) -> None:
    """A full or crescent moon high at one side, where no head hides it."""
    x = scene.width * rng.choice((0.14, 0.86))
    y, r = scene.height * 0.13, min(scene.width, scene.height) * 0.085
    pen.path(oval(x, y, r * 2.1, r * 2.1), pen.glow("#fff3c0", 0.55))
    if rng.random() < 0.5:
        disc(pen, x, y, r, "#fdf0b8")
        disc(pen, x - r * 0.3, y - r * 0.1, r * 0.2, "#e9d592")
        disc(pen, x + r * 0.3, y + r * 0.35, r * 0.15, "#e9d592")
    else:
        with pen.moved(place(x, y, r)):
            pen.path("M0,-1 C1.3,-1 1.3,1 0,1 C0.6,0.5 0.6,-0.5 0,-1 Z", "#fdf0b8")


def sun(pen: Pen, scene: Scene, rng: random.Random) -> None:
    """A low sun with its glow."""
    x, y, r = scene.width * rng.choice((0.2, 0.8)), scene.height * 0.66, scene.width * 0.1
    pen.path(oval(x, y, r * 3.2, r * 3.2), pen.glow("#fff0a8", 0.9))
    disc(pen, x, y, r, "#fff1b0")


def trunks(pen: Pen, scene: Scene, rng: random.Random) -> None:
    """A wood: far trunks, near trunks, leaves above."""
    w, h = scene.width, scene.height
    for tone, wide, count in (("#a9c98e", 0.03, 7), ("#7d5a3e", 0.06, 4)):
        for i in range(count):
            x = w * (i + rng.uniform(0.2, 0.8)) / count
            t = w * wide
            pen.area(
                f"M{x - t / 2:.0f},0 L{x + t / 2:.0f},0 L{x + t * 0.7:.0f},{h * 0.88:.0f} "
                f"L{x - t * 0.7:.0f},{h * 0.88:.0f} Z",
                tone,
                line=0.5,
            )
    for row, tone in enumerate(("#3d7a46", "#579a52")):
        for i in range(9):
            disc(
                pen,
                w * (i + rng.uniform(0, 1)) / 9,
                h * (0.04 + 0.07 * (1 - row) + rng.uniform(-0.03, 0.03)),
                w * rng.uniform(0.08, 0.12),
                tone,
            )


def pines(pen: Pen, scene: Scene, rng: random.Random) -> None:
    """Pines with snow on their branches."""
    w, h = scene.width, scene.height
    for i in range(6):
        with pen.moved(place(w * (i + rng.uniform(0.2, 0.8)) / 6, h * 0.8, h * rng.uniform(0.0014, 0.0024))):
            pen.path("M-10,-20 L10,-20 L10,20 L-10,20 Z", "#6b4a36")
            for y, r in ((0, 80), (-60, 64), (-115, 46)):
                pen.area(f"M0,{y - 110} L{r},{y - 10} L{-r},{y - 10} Z", "#3f7466", line=0.5, soft=False)
                pen.path(f"M0,{y - 110} L{r * 0.42:.0f},{y - 68} Q0,{y - 54} {-r * 0.42:.0f},{y - 68} Z", "#f6faff")


def cherry_tree(pen: Pen, scene: Scene, rng: random.Random) -> None:
    """Cherry branches in bloom from the upper corners."""
    w, h = scene.width, scene.height
    pen.limb(
        f"M{-w * 0.02:.0f},{h:.0f} Q{w * 0.12:.0f},{h * 0.5:.0f} {w * 0.02:.0f},{h * 0.1:.0f}",
        "#6d4a42",
        w * 0.07,
    )
    pen.line(f"M{w * 0.05:.0f},{h * 0.3:.0f} "
        f"Q{w * 0.25:.0f},{h * 0.14:.0f} {w * 0.5:.0f},{h * 0.1:.0f} M{w:.0f},{h * 0.16:.0f} "
        f"Q{w * 0.85:.0f},{h * 0.12:.0f} {w * 0.7:.0f},{h * 0.06:.0f}",
             "#6d4a42", w * 0.018)  # fmt: skip
    for i in range(46):
        x = w * (i + rng.uniform(0, 1)) / 46
        reach = 0.24 - 0.1 * (1 - abs(2 * x / w - 1))
        tone = rng.choice(("#f7b9cf", "#fbd3e0", "#f3a2bf"))
        disc(pen, x, h * rng.uniform(-0.02, reach), w * rng.uniform(0.035, 0.07), tone, 0.95)


def peaks(pen: Pen, scene: Scene, rng: random.Random) -> None:
    """Three mountains with snowy tops."""
    w, h = scene.width, scene.height
    for x, top, wide, tone in (
        (0.16, 0.3, 0.4, "#8fa5c6"),
        (0.82, 0.24, 0.44, "#7d94ba"),
        (0.5, 0.42, 0.34, "#6d88ae"),
    ):
        px, y = w * (x + rng.uniform(-0.05, 0.05)), h * (top + rng.uniform(-0.04, 0.04))
        half, base = w * wide, h * 0.78
        pen.path(f"M{px - half:.0f},{base:.0f} L{px:.0f},{y:.0f} L{px + half:.0f},{base:.0f} Z", tone)
        cap = ((0.3, 0.3), (0.1, 0.24), (0, 0.34), (-0.12, 0.23), (-0.3, 0.3))
        snow = " ".join(f"L{px + half * across:.0f},{y + (base - y) * down:.0f}" for across, down in cap)
        pen.path(f"M{px:.0f},{y:.0f} {snow} Z", "#ffffff")


def tufts(pen: Pen, scene: Scene, rng: random.Random) -> None:
    """Blades of grass on a meadow."""
    w, h = scene.width, scene.height
    blades = []
    for _ in range(60):
        x, y, r = rng.uniform(0, w), h * rng.uniform(0.78, 1.0), h * rng.uniform(0.012, 0.026)
        blades.append(
            f"M{x:.0f},{y:.0f} L{x - r * 0.5:.0f},{y - r:.0f} M{x:.0f},{y:.0f} L{x + r * 0.5:.0f},{y - r:.0f}"
        )
    pen.line(" ".join(blades), "#4f9440", 2.6)


def wall(pen: Pen, scene: Scene, colour: str, floor: str) -> None:
    """A wall, a skirting board and a wooden floor."""
    w, h = scene.width, scene.height
    fill(pen, scene, pen.gradient(palette.tint(colour, 0.2), palette.shade(colour, 0.08)))
    pen.path(
        f"M0,{h * 0.84:.0f} L{w},{h * 0.84:.0f} L{w},{h} L0,{h} Z",
        pen.gradient(floor, palette.shade(floor, 0.2)),
    )
    pen.path(
        f"M0,{h * 0.82:.0f} L{w},{h * 0.82:.0f} L{w},{h * 0.845:.0f} L0,{h * 0.845:.0f} Z",
        palette.tint(colour, 0.6),
    )


def window(pen: Pen, scene: Scene, x: float, y: float) -> None:
    """A window with a view of the sky, and curtains."""
    with pen.moved(place(scene.width * x, scene.height * y, scene.width / 640)):
        pen.area("M0,0 L256,0 L256,250 L0,250 Z", "#fdfbf5", soft=False)
        pen.path("M14,14 L242,14 L242,236 L14,236 Z", pen.gradient("#7cc0f2", "#dcf1fb"))
        pen.path(oval(170, 90, 44, 22), "#ffffff", opacity=0.9)
        pen.path(oval(96, 150, 50, 20), "#ffffff", opacity=0.9)
        pen.path("M122,14 L134,14 L134,236 L122,236 Z M14,118 L242,118 L242,130 L14,130 Z", "#fdfbf5")
        for side in (0, 1):
            with pen.moved(place(256 * side, 0, 1, 0, side == 1)):
                pen.area("M-34,-14 L50,-14 Q44,130 10,262 L-34,262 Z", "#e58a7a")
                pen.line("M-10,0 L-14,256 M16,0 Q16,140 -2,256", palette.shade("#e58a7a", 0.35), 4, 0.6)


def shelf(pen: Pen, scene: Scene, rng: random.Random) -> None:
    """A frame and a plant pot on a small shelf; neither is an object of ours."""
    w, h = scene.width, scene.height
    pen.path(
        f"M{w * 0.36:.0f},{h * 0.58:.0f} L{w * 0.64:.0f},{h * 0.58:.0f} "
        f"L{w * 0.64:.0f},{h * 0.6:.0f} L{w * 0.36:.0f},{h * 0.6:.0f} Z",
        "#a9784e",
    )


def chalkboard(pen: Pen, scene: Scene) -> None:
    """A green board with chalk writing."""
    w, h = scene.width, scene.height
    pen.area(
        f"M{w * 0.06:.0f},{h * 0.08:.0f} L{w * 0.94:.0f},{h * 0.08:.0f} "
        f"L{w * 0.94:.0f},{h * 0.5:.0f} L{w * 0.06:.0f},{h * 0.5:.0f} Z",
        "#b98a58",
        soft=False,
    )
    pen.path(
        f"M{w * 0.08:.0f},{h * 0.1:.0f} L{w * 0.92:.0f},{h * 0.1:.0f} "
        f"L{w * 0.92:.0f},{h * 0.48:.0f} L{w * 0.08:.0f},{h * 0.48:.0f} Z",
        "#2f6b55",
    )
    for i, reach in enumerate((0.3, 0.26, 0.34)):
        for x in (0.12, 0.58):
            y = h * (0.17 + 0.09 * i)
            pen.line(f"M{w * x:.0f},{y:.0f} L{w * (x + reach):.0f},{y:.0f}", "#dfe9e0", h * 0.007, 0.7)


def desks(pen: Pen, scene: Scene) -> None:
    """A row of desks."""
    w, h = scene.width, scene.height
    for i in range(3):
        x = w * (0.06 + 0.34 * i)
        pen.area(
            f"M{x:.0f},{h * 0.72:.0f} L{x + w * 0.22:.0f},{h * 0.72:.0f} "
            f"L{x + w * 0.24:.0f},{h * 0.77:.0f} L{x - w * 0.02:.0f},{h * 0.77:.0f} Z",
            "#d9a86c",
            line=0.6,
        )
        pen.line(
            f"M{x + w * 0.02:.0f},{h * 0.78:.0f} L{x + w * 0.02:.0f},{h * 0.9:.0f} "
            f"M{x + w * 0.2:.0f},{h * 0.78:.0f} L{x + w * 0.2:.0f},{h * 0.9:.0f}",
            "#7d8690",
            w * 0.01,
        )


def snowflakes(pen: Pen, scene: Scene, rng: random.Random) -> None:
    """Falling snow in front of everything."""
    for _ in range(70):
        disc(
            pen,
            rng.uniform(0, scene.width),
            rng.uniform(0, scene.height),
            rng.uniform(2.5, 7),
            "#ffffff",
            0.9,
        )


def petals(pen: Pen, scene: Scene, rng: random.Random) -> None:
    """Cherry petals on the wind."""
    for _ in range(22):
        with pen.moved(
            place(
                rng.uniform(0, scene.width),
                rng.uniform(0, scene.height),
                rng.uniform(0.6, 1.2),
                rng.uniform(0, 360),
            )
        ):
            pen.path("M0,-10 Q9,-2 0,11 Q-9,-2 0,-10 Z", "#f6a9c4")


def raindrops(pen: Pen, scene: Scene, rng: random.Random) -> None:
    """Slanted streaks of rain."""
    streaks = []
    for _ in range(70):
        x, y, r = rng.uniform(0, scene.width), rng.uniform(-40, scene.height), rng.uniform(22, 46)
        streaks.append(f"M{x:.0f},{y:.0f} L{x - r * 0.22:.0f},{y + r:.0f}")
    pen.line(" ".join(streaks), "#dfeaf5", 2.6, 0.75)
