"""From a scene to its tags and rating: only what can be seen at the size that models look at."""

from __future__ import annotations

from collections.abc import Iterator

from training.samples import accessories, clothes, hair
from training.samples.scene import Person, Scene
from training.samples.settings import SETTINGS
from training.samples.styles import STYLES

# Longest side in pixels of what a model sees; a figure's size there decides which details count as visible.
MODEL_SIDE = 192
FINE, MEDIUM = 0.155, 0.1
_FRAMING = {"portrait": "portrait", "upper": "upper_body", "full": "full_body", "wide": "full_body"}


def tags(scene: Scene) -> tuple[str, ...]:
    """All tags of the scene, sorted."""
    style = STYLES[scene.style]
    found = set(_people(scene))
    found.update(SETTINGS[scene.setting.kind].tags)
    if scene.framing not in ("full", "wide", "none"):
        found.discard("grass")
    for person in scene.people:
        found.update(_person(person, scene))
    for label in [t.label for t in scene.things] + [p.holding.label for p in scene.people if p.holding]:
        found.add(label)
        found.update({"cat": ["animal"], "dog": ["animal"], "sword": ["weapon"]}.get(label, []))
    if style.monochrome:
        found = {tag for tag in found if not _is_colour(tag)} | {"monochrome"}
    if style.finish == "pixels":
        found.add("pixel_art")
    if style.finish == "watercolour":
        found.add("traditional_media")
    return tuple(sorted(found))


def rating(scene: Scene) -> str:
    """`sensitive` where somebody wears a swimsuit, otherwise `general`; nothing beyond is ever drawn."""
    return "sensitive" if any(p.outfit.kind == "swimsuit" for p in scene.people) else "general"


def _is_colour(tag: str) -> bool:
    named = tag.endswith(("_hair", "_eyes", "_headwear")) and tag.partition("_")[0] not in (
        "short",
        "medium",
        "long",
        "curly",
        "spiked",
        "closed",
    )
    return named or tag in ("dark_skin", "sunset", "blush", "white_background")


def _people(scene: Scene) -> Iterator[str]:
    if not scene.people:
        yield "no_humans"
        return
    yield _FRAMING[scene.framing]
    girls = sum(p.is_girl for p in scene.people)
    boys = len(scene.people) - girls
    if len(scene.people) == 1:
        yield "solo"
    if girls:
        yield {1: "1girl", 2: "2girls", 3: "3girls"}[girls]
    if girls > 1:
        yield "multiple_girls"
    if boys in (1, 2):
        yield {1: "1boy", 2: "2boys"}[boys]
    if boys > 1:
        yield "multiple_boys"


def detail(person: Person, scene: Scene) -> float:
    """Pixels per figure unit in a model's input."""
    return person.at.scale * MODEL_SIDE / max(scene.width, scene.height)


def _person(person: Person, scene: Scene) -> Iterator[str]:
    size = detail(person, scene)
    yield f"{person.hair.colour}_hair"
    yield from filter(None, (hair.LENGTHS[person.hair.cut], hair.SHAPES.get(person.hair.cut, "")))
    yield from _dressed(person, scene, size)
    worn = person.worn
    if worn.hat:
        yield from ("hat", accessories.HAT_TAGS[worn.hat.kind])
        # A straw hat shows its colour on the ribbon only.
        if worn.hat.kind != "straw" and worn.hat.colour in ("red", "blue"):
            yield f"{worn.hat.colour}_headwear"
    yield from (name for name in ("cat_ears", "headphones", "hair_bow", "scarf", "beard") if getattr(worn, name))
    if person.skin == "dark":
        yield "dark_skin"
    if person.holding:
        yield "holding"
    if size >= MEDIUM:
        yield from _medium(person)
    if size >= FINE:
        yield from _fine(person)


def _dressed(person: Person, scene: Scene, size: float) -> Iterator[str]:
    outfit = person.outfit
    below = {"necktie"} if size < MEDIUM else set()
    # A scarf lies over knot and collar.
    if person.worn.scarf:
        below |= {"necktie", "collared_shirt"}
    yield from (tag for tag in clothes.TAGS[outfit.kind] if tag not in below)
    if scene.framing in ("full", "wide") and outfit.lower:
        yield outfit.lower


def _medium(person: Person) -> Iterator[str]:
    mood = person.expression
    if mood.eyes == "closed":
        yield "closed_eyes"
    else:
        yield f"{person.eye_colour}_eyes"
    if mood.mouth in ("grin", "open"):
        yield "open_mouth"
    if mood.blush:
        yield "blush"
    if person.worn.hair_flower:
        yield "hair_flower"
    if person.worn.glasses:
        yield "glasses"
    if person.worn.necklace:
        yield "necklace"
    if person.hair.ahoge:
        yield "ahoge"


def _fine(person: Person) -> Iterator[str]:
    mood = person.expression
    if mood.eyes == "wink":
        yield "one_eye_closed"
    if mood.mouth in ("smile", "grin"):
        yield "smile"
    if mood.mouth == "frown":
        yield "frown"
    if mood.brows == "angry":
        yield "angry"
    if mood.tears:
        yield "tears"
    if person.worn.earrings:
        yield "earrings"
    if person.hair.bangs == "blunt" and not person.worn.hat:
        yield "blunt_bangs"
