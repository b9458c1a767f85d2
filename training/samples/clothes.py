"""Clothes: torso, collar, arms and what is worn below, in figure coordinates (the head's centre is 0,0)."""

from __future__ import annotations

from collections.abc import Callable

from training.samples import palette
from training.samples.pen import Pen, oval, place
from training.samples.scene import Outfit, Person

# Tags of each outfit's upper part; those of the lower part are added when it is in the picture.
TAGS: dict[str, tuple[str, ...]] = {
    "serafuku": ("school_uniform", "serafuku"), "hoodie": ("hoodie",), "dress": ("dress",), "kimono": ("kimono",),
    "shirt": ("collared_shirt",), "tie_shirt": ("collared_shirt", "necktie"), "striped": ("striped_shirt",),
    "suit": ("suit", "collared_shirt", "necktie"), "sweater": ("sweater",), "overalls": ("overalls",),
    "swimsuit": ("swimsuit",),
}  # fmt: skip
GIRL_OUTFITS = (
    "serafuku",
    "serafuku",
    "hoodie",
    "dress",
    "dress",
    "kimono",
    "shirt",
    "striped",
    "sweater",
    "overalls",
    "suit",
    "tie_shirt",
)
BOY_OUTFITS = (
    "hoodie",
    "hoodie",
    "shirt",
    "striped",
    "sweater",
    "suit",
    "suit",
    "tie_shirt",
    "kimono",
    "overalls",
)
ONE_PIECE = ("dress", "kimono", "overalls", "swimsuit")
FIXED_COLOUR = {"serafuku": "white", "shirt": "white", "tie_shirt": "white"}

_GIRL_TORSO = (
    "M-30,158 C-60,182 -118,184 -140,214 C-150,240 -128,330 -118,400 C-112,450 -112,470 -116,520 L-128,630 L128,630 "
    "L116,520 C112,470 112,450 118,400 C128,330 150,240 140,214 C118,184 60,182 30,158 Q0,180 -30,158 Z"
)
_BOY_TORSO = (
    "M-36,160 C-76,182 -150,184 -176,216 C-182,250 -152,340 -142,410 C-138,460 -136,480 -136,520 L-140,630 L140,630 "
    "L136,520 C136,480 138,460 142,410 C152,340 182,250 176,216 C150,184 76,182 36,160 Q0,184 -36,160 Z"
)
# Elbow and hand of each pose, for the arm on the right of the picture.
_ARMS: dict[str, tuple[float, float, float, float]] = {
    "down": (186, 390, 168, 560), "hip": (262, 400, 136, 500), "wave": (250, 330, 262, 120),
    "chest": (206, 420, 70, 430), "hold": (212, 400, 150, 350),
}  # fmt: skip
HOLDING_POSE = "hold"


def torso(person: Person) -> str:
    """The outline of the upper body as a path."""
    return _GIRL_TORSO if person.is_girl else _BOY_TORSO


def hand(person: Person) -> tuple[float, float]:
    """Where the right hand is, in figure coordinates."""
    return _ARMS[person.arms[1]][2:]


def draw_body(pen: Pen, person: Person, skin: str) -> None:
    """Neck, torso with its clothes, then the arms."""
    outfit = person.outfit
    colour = palette.CLOTH[outfit.colour]
    shape = torso(person)
    bare = outfit.kind in ("swimsuit", "overalls", "dress")
    wide = 30 if person.is_girl else 38
    pen.area(f"M-{wide},90 L-{wide},170 Q0,214 {wide},170 L{wide},90 Z", skin, soft=False)
    pen.area(shape, palette.tint("#f3f1ee", 0.1) if outfit.kind == "overalls" else skin if bare else colour)
    with pen.clipped(shape):
        _UPPER[outfit.kind](pen, colour, palette.CLOTH[outfit.accent], skin)
        pen.shadow("M-200,150 L-90,180 C-112,320 -92,430 -120,640 L-200,640 Z", colour, 0.4)
    neck = f"M-{wide - 2},92 L-{wide - 2},128 Q0,176 {wide - 2},128 L{wide - 2},92 Z"
    pen.shadow(neck, skin)
    _COLLARS.get(outfit.kind, _round_collar)(pen, colour, palette.CLOTH[outfit.accent], skin)
    for side in (-1, 1):
        _arm(pen, person, skin, colour, side)


def _arm(pen: Pen, person: Person, skin: str, colour: str, side: int) -> None:
    ex, ey, hx, hy = _ARMS[person.arms[0 if side < 0 else 1]]
    sx = 118 if person.is_girl else 152
    wide = 54 if person.is_girl else 64
    kind = person.outfit.kind
    d = f"M{sx},232 C{(sx + ex) / 2 + 26:.0f},{(232 + ey) / 2:.0f} {ex},{ey - 10} {hx:.0f},{hy:.0f}"
    with pen.moved(place(0, 0, mirror=side < 0)):
        pen.area(oval(hx, hy + 4, 27, 29), skin, soft=False)
        if kind in ("swimsuit", "dress", "striped", "overalls"):
            pen.limb(d, skin, wide - 10)
            if kind != "swimsuit":
                sleeve = colour if kind in ("dress", "striped") else "#f6f4f1"
                pen.area(_short_sleeve(sx, ex, kind == "dress"), sleeve)
        elif kind == "kimono":
            pen.limb(d, colour, wide + 6)
            pen.area(_wide_sleeve(ex, ey, hx, hy), colour)
            pen.area(oval(hx, hy + 6, 25, 27), skin, soft=False)
        else:
            pen.limb(d, colour, wide)
            pen.area(oval(hx, hy + 4, 27, 29), skin, soft=False)
            cx, cy = hx + (ex - hx) * 0.17, hy + (ey - hy) * 0.17
            pen.limb(f"M{cx - 9:.0f},{cy:.0f} L{cx + 9:.0f},{cy:.0f}", palette.shade(colour, 0.16), 30)


def _short_sleeve(sx: float, ex: float, puffed: bool) -> str:
    lean = (ex - 186) * 0.3
    if puffed:
        return (
            f"M{sx - 26},190 C{sx + 36},178 {sx + 66 + lean:.0f},226 {sx + 58 + lean:.0f},296 "
            f"Q{sx + 26 + lean:.0f},318 {sx - 6},306 C{sx - 16},280 {sx - 22},240 {sx - 26},190 Z"
        )
    return (
        f"M{sx - 26},190 C{sx + 26},182 {sx + 52 + lean:.0f},236 {sx + 64 + lean:.0f},318 "
        f"L{sx + 2 + lean * 0.6:.0f},334 C{sx - 8},290 {sx - 14},260 {sx - 26},190 Z"
    )


def _wide_sleeve(ex: float, ey: float, hx: float, hy: float) -> str:
    """A kimono sleeve: it hangs from the forearm, so straight down from wherever wrist and elbow are."""
    low = max(ey, hy)
    if hy > 300 and abs(hx - ex) > 80:
        return (
            f"M{ex + 20},{ey - 46} L{hx:.0f},{hy - 34:.0f} L{hx:.0f},{hy + 30:.0f} "
            f"Q{hx + 4:.0f},{low + 110:.0f} {hx + 40:.0f},{low + 130:.0f} "
            f"L{ex + 4},{low + 120:.0f} Q{ex + 40},{low + 40:.0f} {ex + 20},{ey - 46} Z"
        )
    if hy > 300:
        return (
            f"M{ex - 34},{ey - 60} L{ex + 34},{ey - 70} "
            f"Q{hx + 74:.0f},{hy - 40:.0f} {hx + 66:.0f},{hy - 6:.0f} L{hx - 50:.0f},{hy - 2:.0f} "
            f"Q{ex - 34},{ey + 40} {ex - 34},{ey - 60} Z"
        )
    return (
        f"M{ex - 40},{ey - 20} L{hx - 30:.0f},{hy + 40:.0f} L{hx + 34:.0f},{hy + 30:.0f} "
        f"L{hx + 56:.0f},{ey + 60} Q{hx + 20:.0f},{ey + 110} {ex - 30},{ey + 80} Z"
    )


def _plain(pen: Pen, colour: str, accent: str, skin: str) -> None:
    pen.line("M-60,330 Q0,350 60,330 M-70,470 Q-20,490 40,470", palette.shade(colour, 0.35), 3.5, 0.5)


def _dress(pen: Pen, colour: str, accent: str, skin: str) -> None:
    pen.area("M-180,190 L-70,186 Q0,290 70,186 L180,190 L180,640 L-180,640 Z", colour)
    pen.area("M-150,470 Q0,505 150,470 L150,512 Q0,545 -150,512 Z", accent, soft=False)
    pen.line("M-40,300 Q-34,400 -44,470 M40,300 Q34,400 44,470", palette.shade(colour, 0.35), 3.5, 0.6)


def _kimono(pen: Pen, colour: str, accent: str, skin: str) -> None:
    for x, y in ((-90, 250), (84, 300), (-60, 380), (96, 590), (-96, 600), (100, 215)):
        _blossom(pen, x, y, 18, accent)
    pen.area("M-160,440 L160,440 L160,560 L-160,560 Z", accent)
    pen.area("M-160,490 L160,490 L160,510 L-160,510 Z", palette.tint(colour, 0.3), soft=False)


def _blossom(pen: Pen, x: float, y: float, r: float, colour: str) -> None:
    petals = ((0, -1), (0.95, -0.31), (0.59, 0.81), (-0.59, 0.81), (-0.95, -0.31))
    for dx, dy in petals:
        pen.path(oval(x + dx * r * 0.6, y + dy * r * 0.6, r * 0.5, r * 0.5), palette.tint(colour, 0.35))
    pen.path(oval(x, y, r * 0.32, r * 0.32), "#f6d860")


def _stripes(pen: Pen, colour: str, accent: str, skin: str) -> None:
    pen.path("M-200,150 L200,150 L200,650 L-200,650 Z", "#f8f6f2")
    for y in range(222, 640, 62):
        pen.path(f"M-200,{y} Q0,{y + 26} 200,{y} L200,{y + 30} Q0,{y + 56} -200,{y + 30} Z", colour)


def _buttons(pen: Pen, colour: str, accent: str, skin: str) -> None:
    pen.line("M0,210 L0,640", palette.shade(colour, 0.35), 3.5, 0.8)
    for y in range(260, 640, 72):
        pen.path(oval(12, y, 6, 6), palette.shade(colour, 0.5))
    pen.line("M-96,330 L-40,330 L-40,384 Q-68,398 -96,384 Z", palette.shade(colour, 0.35), 3.5, 0.6)


def _suit(pen: Pen, colour: str, accent: str, skin: str) -> None:
    pen.path("M-60,150 L60,150 L0,470 Z", "#fbfaf7")
    pen.line("M0,440 L0,640", palette.shade(colour, 0.5), 4)
    for y in (490, 550):
        pen.path(oval(14, y, 8, 8), palette.shade(colour, 0.6))


def _hoodie(pen: Pen, colour: str, accent: str, skin: str) -> None:
    pen.area("M-84,480 L84,480 L112,600 L-112,600 Z", palette.shade(colour, 0.1), soft=False)
    pen.line("M0,230 L0,640", palette.shade(colour, 0.4), 4, 0.7)


def _sweater(pen: Pen, colour: str, accent: str, skin: str) -> None:
    for y in (300, 372, 444):
        points = " ".join(f"L{x},{y + (20 if i % 2 else -20)}" for i, x in enumerate(range(-200, 201, 28)))
        pen.line("M" + points[1:], palette.tint(colour, 0.45), 9)
    pen.path("M-180,590 L180,590 L180,640 L-180,640 Z", palette.shade(colour, 0.2))


def _overalls(pen: Pen, colour: str, accent: str, skin: str) -> None:
    pen.area("M-88,330 L88,330 L100,450 L170,520 L170,640 L-170,640 L-170,520 L-100,450 Z", colour)
    for side in (-1, 1):
        pen.area(f"M{side * 96},180 L{side * 62},180 L{side * 58},350 L{side * 86},350 Z", colour, soft=False)
        pen.path(oval(side * 72, 348, 12, 12), "#e8c65a", palette.shade("#e8c65a", 0.4), 3)
    pen.area("M-46,390 L46,390 L46,450 Q0,474 -46,450 Z", palette.shade(colour, 0.14), soft=False)


def _swimsuit(pen: Pen, colour: str, accent: str, skin: str) -> None:
    pen.area(
        "M-92,170 L-66,170 Q-60,260 0,272 Q60,260 66,170 L92,170 Q98,260 150,300 L150,640 "
        "L-150,640 L-150,300 Q-98,260 -92,170 Z",
        colour,
    )
    pen.area(
        "M-150,500 Q-110,560 -75,520 Q-38,570 0,524 Q38,570 75,520 Q110,560 150,500 L150,560 Q0,640 -150,560 Z",
        palette.tint(colour, 0.4),
        soft=False,
    )
    pen.path("M-120,400 Q0,430 120,400 L120,420 Q0,452 -120,420 Z", "#fbfaf7")


def _round_collar(pen: Pen, colour: str, accent: str, skin: str) -> None:
    pen.path("M-40,162 Q0,214 40,162 L31,150 Q0,190 -31,150 Z", palette.shade(colour, 0.25))


def _turtle(pen: Pen, colour: str, accent: str, skin: str) -> None:
    pen.area("M-46,122 Q0,146 46,122 L52,176 Q0,206 -52,176 Z", colour, soft=False)
    pen.line("M-22,140 L-24,186 M0,144 L0,192 M22,140 L24,186", palette.shade(colour, 0.35), 4, 0.7)


def _dress_collar(pen: Pen, colour: str, accent: str, skin: str) -> None:
    for side in (-1, 1):
        with pen.moved(place(0, 0, mirror=side < 0)):
            pen.area("M0,226 C20,236 66,226 84,184 L42,160 C34,190 18,206 0,212 Z", "#fbfaf7", line=0.7, soft=False)
    pen.area(oval(0, 224, 14, 14), accent, line=0.7, soft=False)


def _open_collar(pen: Pen, colour: str, accent: str, skin: str) -> None:
    pen.path("M-26,156 L0,222 L26,156 Q0,180 -26,156 Z", skin)
    for side in (-1, 1):
        with pen.moved(place(0, 0, mirror=side < 0)):
            pen.area("M28,138 L0,222 L46,246 L70,172 Z", palette.tint(colour, 0.3), soft=False)


def _tie(pen: Pen, colour: str, accent: str, skin: str) -> None:
    _open_collar(pen, colour, accent, skin)
    pen.area("M-20,214 L20,214 L13,250 L30,420 L0,462 L-30,420 L-13,250 Z", accent, soft=False)
    pen.line("M-14,290 L18,270 M-19,340 L22,316 M-22,390 L26,362", palette.tint(accent, 0.55), 7, 0.8)


def _suit_collar(pen: Pen, colour: str, accent: str, skin: str) -> None:
    _tie(pen, "#fbfaf7", accent, skin)
    for side in (-1, 1):
        with pen.moved(place(0, 0, mirror=side < 0)):
            pen.area(
                "M40,148 L78,176 L118,300 L86,318 L100,338 L4,486 Q40,330 40,148 Z",
                palette.shade(colour, 0.14),
                soft=False,
            )


def _sailor(pen: Pen, colour: str, accent: str, skin: str) -> None:
    navy = "#2f4175"
    pen.path("M-32,156 L0,270 L32,156 Q0,180 -32,156 Z", skin)
    for side in (-1, 1):
        with pen.moved(place(0, 0, mirror=side < 0)):
            pen.area("M28,142 C60,160 108,172 138,206 L120,280 L6,306 C20,260 30,200 28,142 Z", navy, soft=False)
            pen.line("M122,216 L106,266 L22,286", "#ffffff", 6)
    for side in (-1, 1):
        with pen.moved(place(0, 0, mirror=side < 0)):
            pen.area(
                "M0,296 C26,256 66,250 78,270 C84,300 70,326 54,334 C34,330 14,316 0,296 Z",
                accent,
                soft=False,
            )
            pen.area("M2,304 L34,392 L4,372 Z", accent, soft=False)
    pen.area(oval(0, 298, 15, 17), palette.shade(accent, 0.15), soft=False)


def _hood(pen: Pen, colour: str, accent: str, skin: str) -> None:
    for side in (-1, 1):
        with pen.moved(place(0, 0, mirror=side < 0)):
            pen.area(
                "M0,236 C40,230 92,196 104,150 C96,128 74,120 44,126 C40,170 20,196 0,206 Z",
                palette.shade(colour, 0.1),
                soft=False,
            )
            pen.line("M26,226 L32,326", "#fbfaf7", 7)
            pen.path(oval(32, 330, 6, 9), "#fbfaf7")


def _crossed(pen: Pen, colour: str, accent: str, skin: str) -> None:
    pen.path("M-30,150 L4,262 L34,150 Q0,180 -30,150 Z", skin)
    pen.area("M52,150 L30,140 L-50,430 L-16,440 Z", palette.tint(accent, 0.55), line=0.8, soft=False)
    pen.area("M-52,150 L-30,140 L74,440 L34,440 Z", palette.tint(accent, 0.55), line=0.8, soft=False)


_Painter = Callable[[Pen, str, str, str], None]
_UPPER: dict[str, _Painter] = {
    "serafuku": _plain, "hoodie": _hoodie, "dress": _dress, "kimono": _kimono, "shirt": _buttons, "tie_shirt": _plain,
    "striped": _stripes, "suit": _suit, "sweater": _sweater, "overalls": _overalls, "swimsuit": _swimsuit,
}  # fmt: skip
_COLLARS: dict[str, _Painter] = {
    "serafuku": _sailor, "hoodie": _hood, "dress": _dress_collar, "kimono": _crossed, "shirt": _open_collar,
    "tie_shirt": _tie, "suit": _suit_collar, "sweater": _turtle, "swimsuit": lambda pen, colour, accent, skin: None,
}  # fmt: skip


def draw_lower(pen: Pen, outfit: Outfit, skin: str) -> None:
    """Legs, shoes and what covers them; drawn before the torso, which overlaps it."""
    colour = palette.CLOTH[outfit.lower_colour]
    upper = palette.CLOTH[outfit.colour]
    trousers = outfit.lower == "pants" or outfit.kind == "overalls"
    leg = upper if outfit.kind == "overalls" else colour if trousers else skin
    for side in (-1, 1):
        pen.area(
            f"M{side * 18},1128 Q{side * 20},1090 {side * 62},1088 "
            f"Q{side * 120},1096 {side * 116},1150 L{side * 18},1150 Z",
            "#5b4038",
            soft=False,
        )
        pen.limb(f"M{side * 62},620 Q{side * 68},860 {side * 60},1092", leg, 92 if trousers else 68)
        if not trousers:
            pen.limb(f"M{side * 61},1010 L{side * 60},1090", "#fbfaf7" if outfit.kind != "swimsuit" else skin, 66)
    if trousers:
        pen.area("M-128,560 L128,560 L122,680 Q0,720 -122,680 Z", leg, soft=False)
    if outfit.kind == "kimono":
        pen.area("M-128,560 L128,560 L150,1080 L-150,1080 Z", upper)
        pen.line("M30,600 Q50,840 20,1074", palette.shade(upper, 0.4), 4)
        for x, y in ((-86, 760), (90, 860), (-70, 960), (96, 1020), (-100, 1040)):
            _blossom(pen, x, y, 22, palette.CLOTH[outfit.accent])
    elif outfit.kind == "dress":
        _skirt(pen, upper, 860)
    elif outfit.kind == "swimsuit":
        pen.area("M-124,560 L124,560 L128,640 L40,700 L-40,700 L-128,640 Z", upper, soft=False)
    elif outfit.lower == "skirt":
        _skirt(pen, colour, 790)


def _skirt(pen: Pen, colour: str, hem: int) -> None:
    d = f"M-116,540 L116,540 L196,{hem} Q100,{hem + 30} 0,{hem + 22} Q-100,{hem + 30} -196,{hem} Z"
    pen.area(d, colour)
    folds = " ".join(f"M{x * 0.55:.0f},570 L{x},{hem + 14}" for x in (-130, -66, 0, 66, 130))
    pen.line(folds, palette.shade(colour, 0.4), 4, 0.7)
