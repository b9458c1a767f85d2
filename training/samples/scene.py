"""A picture before it is drawn: the whole of what will be visible, as plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Hair:
    """Hair of one head; `cut` names a row of `hair.CUTS`, `bangs` one of `hair.BANGS`."""

    colour: str
    cut: str
    bangs: str
    ahoge: bool = False


@dataclass(frozen=True, slots=True)
class Expression:
    """A face's mood: mouth, eyes and brows by name, blush and tears on top."""

    mouth: str = "smile"  # smile, grin, open, frown, line, pout
    eyes: str = "open"  # open, closed, wink
    brows: str = "calm"  # calm, angry, worried
    blush: bool = False
    tears: bool = False


@dataclass(frozen=True, slots=True)
class Outfit:
    """Clothes: `kind` of the upper part, `lower` (skirt, pants, none for one-pieces) and colours by name."""

    kind: str
    colour: str
    lower: str
    lower_colour: str
    accent: str


@dataclass(frozen=True, slots=True)
class Hat:
    """A hat by kind and colour name."""

    kind: str
    colour: str


@dataclass(frozen=True, slots=True)
class Worn:
    """What else a person wears; an empty string or None means nothing."""

    hat: Hat | None = None
    hair_bow: str = ""
    hair_flower: str = ""
    cat_ears: bool = False
    glasses: str = ""
    earrings: bool = False
    necklace: bool = False
    scarf: str = ""
    headphones: str = ""
    beard: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a figure stands: the head's centre in pixels, pixels per figure unit, head tilt in degrees, gaze."""

    x: float
    y: float
    scale: float
    tilt: float = 0.0
    look: float = 0.0


@dataclass(frozen=True, slots=True)
class Person:
    """One person; `arms` are the poses of the left and right arm as seen, `holding` an object in the right hand."""

    gender: str
    skin: str
    eye_colour: str
    hair: Hair
    expression: Expression
    outfit: Outfit
    worn: Worn
    at: Placement
    arms: tuple[str, str] = ("down", "down")
    holding: Thing | None = None

    @property
    def is_girl(self) -> bool:
        """Drawn as a girl, otherwise as a boy."""
        return self.gender == "girl"


@dataclass(frozen=True, slots=True)
class Thing:
    """An object of a detector class: its centre in pixels (or hand units when held), pixels per unit, colour."""

    label: str
    colour: str
    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    turn: float = 0.0


@dataclass(frozen=True, slots=True)
class Setting:
    """The background: `kind` names a row of `settings.SETTINGS`; `mood` varies it, `colour` paints plain ones."""

    kind: str
    colour: str = "#ffffff"
    mood: int = 0


@dataclass(frozen=True, slots=True)
class Scene:
    """A whole picture: canvas in pixels, framing, setting, people from back to front, things on the ground."""

    seed: int
    style: str
    width: int
    height: int
    framing: str  # portrait, upper, full, wide, none
    setting: Setting
    people: tuple[Person, ...] = field(default=())
    things: tuple[Thing, ...] = field(default=())
