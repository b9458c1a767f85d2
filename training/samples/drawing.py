"""From a scene to a finished drawing: paint everything in order of depth, rasterise, measure, state the truth."""

from __future__ import annotations

import io
import random

import resvg_py
from PIL import Image

from training.samples import captions, figure, finish, objects, sampling, settings, tags
from training.samples.pen import Extent, Pen, oval, place
from training.samples.scene import Scene, Thing
from training.samples.styles import STYLES
from training.samples.truth import Box, Drawing, Truth

# A thing that is mostly outside the picture, or a sliver, is not claimed to be there.
_MIN_SHARE, _MIN_SIDE = 0.3, 0.02


def draw(seed: int, *, style: str | None = None) -> Drawing:
    """The drawing of a seed: the same pixels and truth in every process; `style` overrides the seed's own."""
    if style is not None and style not in STYLES:
        raise ValueError(f"style: expected one of {sorted(STYLES)}, got {style!r}")
    return render(sampling.scene(seed, style))


def render(scene: Scene, *, zoom: float = 1.0) -> Drawing:
    """Draw a scene as RGB, `zoom` times its canvas; the truth's boxes and sizes stay in canvas pixels."""
    pen = Pen(STYLES[scene.style])
    boxes = _paint(pen, scene)
    svg = pen.svg(scene.width, scene.height)
    png = resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, width=round(scene.width * zoom))
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image = finish.apply(image, STYLES[scene.style].finish, scene.seed)
    return Drawing(
        image,
        Truth(
            tags=tags.tags(scene), boxes=tuple(boxes), caption=captions.caption(scene), rating=tags.rating(scene),
            style=scene.style, seed=scene.seed, width=scene.width, height=scene.height,
        ),
    )  # fmt: skip


def _paint(pen: Pen, scene: Scene) -> list[Box]:
    backdrop = settings.SETTINGS[scene.setting.kind]
    rng = random.Random(scene.setting.mood)
    backdrop.paint(pen, scene, rng)
    found: list[tuple[str, Extent]] = []
    far = [t for t in scene.things if t.label in ("car", "balloon")]
    near = [t for t in scene.things if t not in far]
    found += [(t.label, _thing(pen, t, backdrop.shadows)) for t in far]
    for person in scene.people:
        whole, face, held = figure.draw(pen, person, legs=scene.framing in ("full", "wide"))
        found += [("person", whole), ("face", face)]
        if held is not None and person.holding:
            found.append((person.holding.label, held))
    found += [(t.label, _thing(pen, t, backdrop.shadows and scene.framing != "upper")) for t in near]
    if backdrop.front:
        backdrop.front(pen, scene, rng)
    return [box for label, extent in found if (box := _box(label, extent, scene)) is not None]


def _thing(pen: Pen, thing: Thing, shadow: bool) -> Extent:
    extent = Extent()
    with pen.moved(place(thing.x, thing.y, thing.scale, thing.turn)):
        if shadow and thing.label in ("cat", "dog", "ball", "cup"):
            pen.path(oval(0, 98, 104, 15), "#2a2440", opacity=0.22)
        with pen.measured(extent):
            objects.draw(pen, thing)
    return extent


def _box(label: str, extent: Extent, scene: Scene) -> Box | None:
    x0, y0 = max(0.0, extent.x0), max(0.0, extent.y0)
    x1, y1 = min(float(scene.width), extent.x1), min(float(scene.height), extent.y1)
    least = _MIN_SIDE * max(scene.width, scene.height)
    if x1 - x0 < least or y1 - y0 < least:
        return None
    whole = (extent.x1 - extent.x0) * (extent.y1 - extent.y0)
    if label not in ("person", "face") and (x1 - x0) * (y1 - y0) < _MIN_SHARE * whole:
        return None
    return Box(label, x0, y0, x1, y1)
