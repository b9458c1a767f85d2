"""A stand-in for taste: how much is going on in a drawing. Declared as such, it teaches only the sample model."""

from __future__ import annotations

from training.samples.scene import Scene

_PLAIN = {"white": 0.0, "plain": 0.0, "gradient": 1.0}
_STYLES = {"soft": 1.0, "shaded": 1.5, "pastel": 1.0, "cel": 0.5, "poster": 0.0, "ink": 0.5, "pixel": 0.0}


def appeal(scene: Scene) -> float:
    """1 (bare) to 10 (rich): a worked-out place, shading, accessories, a smile, something held or beside."""
    found = 2.5 + _PLAIN.get(scene.setting.kind, 2.5) + _STYLES.get(scene.style, 0.5)
    found += min(1.0, 0.5 * len(scene.things))
    for person in scene.people[:1]:
        worn = person.worn
        accessories = (
            worn.hat,
            worn.hair_bow,
            worn.hair_flower,
            worn.glasses,
            worn.scarf,
            worn.cat_ears,
            worn.headphones,
        )
        found += min(1.5, 0.5 * sum(bool(each) for each in accessories))
        found += 0.5 * (person.expression.mouth in ("smile", "grin")) + 0.5 * (person.holding is not None)
    return min(10.0, max(1.0, found))
