"""One person, assembled from body, clothes, face, hair and accessories in the right order of depth."""

from __future__ import annotations

from training.samples import accessories, clothes, face, hair, objects, palette
from training.samples.pen import Extent, Pen, multiply, oval, place
from training.samples.scene import Person


def draw(pen: Pen, person: Person, *, legs: bool) -> tuple[Extent, Extent, Extent | None]:
    """Draw the person; returns the extents of the whole figure, the face, and the held object if there is one."""
    at = person.at
    skin = palette.SKIN[person.skin]
    whole, head, held = Extent(), Extent(), Extent() if person.holding else None
    # The head turns about the neck's base, so that it stays on the body.
    tilt = multiply(multiply(place(0, 110), place(0, 0, 1, at.tilt)), place(0, -110))
    with pen.moved(place(at.x, at.y, at.scale)):
        if legs:
            pen.path(oval(0, 1146, 190, 24), "#2a2440", opacity=0.22)
        with pen.measured(whole):
            with pen.moved(tilt):
                hair.draw_back(pen, person)
            if legs:
                clothes.draw_lower(pen, person.outfit, skin)
            clothes.draw_body(pen, person, skin)
            accessories.draw_on_neck(pen, person)
            with pen.moved(tilt):
                _head(pen, person, skin, head)
        if person.holding and held is not None:
            _held(pen, person, skin, held)
    return whole, head, held


def _head(pen: Pen, person: Person, skin: str, extent: Extent) -> None:
    with pen.measured(extent):
        # The visible face begins under the fringe, which an invisible stroke marks.
        pen.path("M-96,-52 L96,-52 L96,40 L60,110 L0,136 L-60,110 L-96,40 Z", opacity=0)
    face.draw(pen, person, skin)
    accessories.draw_beard(pen, person)
    face.draw_mouth(pen, person.expression, person.at.look, 0 if person.is_girl else 6)
    accessories.draw_glasses(pen, person)
    hair.draw_front(pen, person)
    accessories.draw_on_head(pen, person)


def _held(pen: Pen, person: Person, skin: str, extent: Extent) -> None:
    assert person.holding is not None
    x, y = clothes.hand(person)
    thing = person.holding
    with pen.moved(place(x + thing.x, y + thing.y, thing.scale, thing.turn)), pen.measured(extent):
        objects.draw(pen, thing)
    pen.area(oval(x, y + 4, 26, 24), skin, soft=False)
    pen.line(
        f"M{x - 14:.0f},{y - 2:.0f} L{x + 10:.0f},{y - 2:.0f} M{x - 14:.0f},{y + 9:.0f} L{x + 10:.0f},{y + 9:.0f}",
        palette.shade(skin, 0.35),
        3,
        0.7,
    )
