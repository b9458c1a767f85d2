"""Backgrounds: one painter a setting, in canvas pixels, with the tags that each makes true."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from training.samples import palette
from training.samples import scenery as part
from training.samples.pen import Pen
from training.samples.scene import Scene

Painter = Callable[[Pen, Scene, random.Random], None]


@dataclass(frozen=True, slots=True)
class Backdrop:
    """A setting: how it is painted, the tags it shows, how a caption says it, and what falls in front of people."""

    paint: Painter
    tags: tuple[str, ...]
    words: str
    front: Painter | None = None
    shadows: bool = True


def _white(pen: Pen, scene: Scene, rng: random.Random) -> None:
    part.fill(pen, scene, "#ffffff")


def _plain(pen: Pen, scene: Scene, rng: random.Random) -> None:
    part.fill(pen, scene, scene.setting.colour)


def _gradient(pen: Pen, scene: Scene, rng: random.Random) -> None:
    top = palette.tint(scene.setting.colour, 0.55)
    part.fill(pen, scene, pen.gradient(top, palette.saturate(palette.shade(scene.setting.colour, 0.12), 1.3)))
    for _ in range(9):
        r = rng.uniform(0.03, 0.16) * scene.width
        part.disc(
            pen,
            rng.uniform(0, scene.width),
            rng.uniform(0, scene.height),
            r,
            "#ffffff",
            rng.uniform(0.1, 0.3),
        )


def _sky(pen: Pen, scene: Scene, rng: random.Random) -> None:
    part.fill(pen, scene, pen.gradient("#4f9be8", "#cfeafb"))
    part.clouds(pen, scene, rng, 5, 0.0, 0.75, "#ffffff")


def _beach(pen: Pen, scene: Scene, rng: random.Random) -> None:
    part.fill(pen, scene, pen.gradient("#58abf0", "#d6f0fb"))
    part.clouds(pen, scene, rng, 2, 0.04, 0.3, "#ffffff")
    part.sea(pen, scene, 0.46, 0.72, "#2f9fd0")
    part.sand(pen, scene, rng, 0.68)
    part.palm(pen, scene, rng.choice((0.1, 0.9)))


def _city(pen: Pen, scene: Scene, rng: random.Random) -> None:
    part.fill(pen, scene, pen.gradient("#6fb0ea", "#e4f2fa"))
    part.clouds(pen, scene, rng, 2, 0.02, 0.3, "#ffffff")
    part.skyline(pen, scene, rng, ("#b4c2d6", "#98a8c2"), "#e8f1f8", 0.3)
    part.street(pen, scene)


def _night(pen: Pen, scene: Scene, rng: random.Random) -> None:
    part.fill(pen, scene, pen.gradient("#10163e", "#4a4690"))
    part.stars(pen, scene, rng, 46)
    part.moon(pen, scene, rng)
    part.hills(pen, scene, rng, 0.82, ("#232a58", "#181d42"))


def _city_night(pen: Pen, scene: Scene, rng: random.Random) -> None:
    part.fill(pen, scene, pen.gradient("#161a44", "#6a4a8a"))
    part.skyline(pen, scene, rng, ("#33386a", "#232748"), "#ffd873", 0.22)
    part.street(pen, scene, "#2a2c48")


def _forest(pen: Pen, scene: Scene, rng: random.Random) -> None:
    part.fill(pen, scene, pen.gradient("#d8efc0", "#86bd7c"))
    part.trunks(pen, scene, rng)
    part.ground(pen, scene, 0.82, "#5f9a4e")


def _sunset(pen: Pen, scene: Scene, rng: random.Random) -> None:
    stops = '<stop stop-color="{}"/><stop offset=".45" stop-color="{}"/><stop offset="1" stop-color="{}"/>'
    part.fill(
        pen,
        scene,
        pen.gradient("", "", stops=stops.format(*(pen.tone(c) for c in ("#5b4a94", "#f0795a", "#ffd27a")))),
    )
    part.sun(pen, scene, rng)
    part.clouds(pen, scene, rng, 3, 0.05, 0.45, "#f7a98e")
    part.hills(pen, scene, rng, 0.8, ("#8a4a6e", "#5c3358"))


def _room(pen: Pen, scene: Scene, rng: random.Random) -> None:
    part.wall(pen, scene, "#f3e3cb", "#c08a5a")
    part.window(pen, scene, rng.choice((0.04, 0.56)), 0.1)
    part.shelf(pen, scene, rng)


def _classroom(pen: Pen, scene: Scene, rng: random.Random) -> None:
    part.wall(pen, scene, "#eef0e4", "#b98d62")
    part.chalkboard(pen, scene)
    part.desks(pen, scene)


def _snow(pen: Pen, scene: Scene, rng: random.Random) -> None:
    part.fill(pen, scene, pen.gradient("#9db8d8", "#e6eef6"))
    part.pines(pen, scene, rng)
    part.ground(pen, scene, 0.78, "#f8fbff")


def _cherry(pen: Pen, scene: Scene, rng: random.Random) -> None:
    part.fill(pen, scene, pen.gradient("#8cc6f2", "#f6f0f6"))
    part.ground(pen, scene, 0.84, "#9ac47c")
    part.cherry_tree(pen, scene, rng)


def _mountain(pen: Pen, scene: Scene, rng: random.Random) -> None:
    part.fill(pen, scene, pen.gradient("#5fa8ee", "#e0f2fc"))
    part.peaks(pen, scene, rng)
    part.ground(pen, scene, 0.74, "#7ab85c")
    part.tufts(pen, scene, rng)


def _rain(pen: Pen, scene: Scene, rng: random.Random) -> None:
    part.fill(pen, scene, pen.gradient("#6d7a8e", "#aab6c2"))
    part.clouds(pen, scene, rng, 5, -0.05, 0.2, "#8d99aa")
    part.hills(pen, scene, rng, 0.8, ("#6c8078", "#55685f"))


SETTINGS: dict[str, Backdrop] = {
    "white": Backdrop(_white, ("simple_background", "white_background"), "on a white background", shadows=False),
    "plain": Backdrop(_plain, ("simple_background",), "in front of a plain wall of colour", shadows=False),
    "gradient": Backdrop(_gradient, ("gradient_background",), "in front of soft lights", shadows=False),
    "sky": Backdrop(_sky, ("sky", "cloud", "outdoors"), "under a blue sky with clouds"),
    "beach": Backdrop(_beach, ("beach", "ocean", "sky", "outdoors", "tree"), "at the beach"),
    "city": Backdrop(_city, ("city", "sky", "outdoors"), "in the city"),
    "night": Backdrop(_night, ("night", "star_(sky)", "moon", "sky", "outdoors"), "under the moon and stars at night"),
    "city_night": Backdrop(_city_night, ("city", "night", "outdoors"), "in the city at night"),
    "forest": Backdrop(_forest, ("forest", "tree", "grass", "outdoors"), "in a forest"),
    "sunset": Backdrop(_sunset, ("sunset", "sky", "cloud", "outdoors"), "at sunset"),
    "room": Backdrop(_room, ("indoors", "window"), "in a room with a window"),
    "classroom": Backdrop(_classroom, ("indoors", "classroom"), "in a classroom"),
    "snow": Backdrop(_snow, ("snow", "tree", "outdoors"), "in the snow", part.snowflakes),
    "cherry": Backdrop(_cherry, ("cherry_blossoms", "tree", "outdoors"), "under cherry blossoms", part.petals),
    "mountain": Backdrop(_mountain, ("mountain", "sky", "grass", "outdoors"), "in front of mountains"),
    "rain": Backdrop(_rain, ("rain", "outdoors"), "in the rain", part.raindrops),
}
