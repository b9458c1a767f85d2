"""What a caption claims, piece by piece, so that a machine's caption can be counted against the true one."""

from __future__ import annotations

import re

_HAIR = re.compile(r"(?:(short|medium|long) )?(?:(curly|spiky|bobbed) )?(?:(\w+) )?hair(?: in (.+))?")
_COLOURED = re.compile(
    r"(black|white|red|blue|green|yellow|orange|pink|purple|brown|teal|navy|grey|beige|gold|blonde) (.+)"
)


def attributes(caption: str) -> frozenset[str]:
    """Every claim: who, each one's hair, eyes, clothes, accessories and mood, things, place.

    In a picture of several people each claim carries the place of its person, from the left.
    """
    text = caption.strip().rstrip(".")
    who, crowd, rest = text.partition(": ")
    if not crowd:
        return frozenset(claim for part in _parts(text) for claim in _claims(part))
    found = {f"who {word}" for word in who.lower().split(" and ")}
    people = re.split(r"(?:, | and )?\bone with ", rest)[1:]
    tail = people[-1].partition(", ")
    people[-1] = tail[0]
    for number, person in enumerate(people):
        hair, _, worn = person.strip(", ").partition(" and ")
        found.update(f"{number} {claim}" for claim in (*_claims(hair), *_claims(f"wearing {worn}")))
    return frozenset(found | {claim for part in _parts(tail[2]) for claim in _claims(part)})


def _parts(text: str) -> list[str]:
    """A sentence in pieces: commas, `with`, `and`; a place stays whole."""
    pieces: list[str] = []
    for part in text.split(", "):
        first, _, second = part.partition(" with ")
        if part.startswith(("in ", "at ", "on ", "under ", "wearing ")) or "open mouth" in part or "necktie" in part:
            pieces.append(part)
            continue
        words = [
            *([first] if not part.startswith("with ") else []),
            *(second or part.removeprefix("with ")).split(" and "),
        ]
        pieces += words if second or part.startswith("with ") else part.split(" and ")
    return [piece for piece in pieces if piece]


def _claims(part: str) -> list[str]:
    part = re.sub(r"^(a|an) ", "", part.strip()[:1].lower() + part.strip()[1:])
    hair = _HAIR.fullmatch(part)
    if hair:
        names = ("length", "shape", "colour", "cut")
        return [f"hair {name} {value}" for name, value in zip(names, hair.groups(), strict=True) if value]
    lead, _, thing = part.rpartition("wearing ") if "wearing " in part else ("", "", part)
    thing = re.sub(r"^(a|an) ", "", thing)
    verb = "wearing " if "wearing " in part else ""
    coloured = _COLOURED.fullmatch(thing)
    if coloured and not thing.startswith("white background"):
        colour, noun = coloured.groups()
        if noun == "eyes":
            return [f"eyes {colour}"]
        return [f"{verb}{noun}", f"{verb}{colour} {noun}", *([lead] if lead else [])]
    return [f"{verb}{thing}"]
