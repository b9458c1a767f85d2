"""What is said between the pool and a decoding process. Requests are pickled; answers are JSON and raw pixels only,
so a process that a hostile picture took over can lie about that picture but runs nothing outside."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from schemas.images import Colour, ImageFacts
from workers.steps.geometry import Geometry
from workers.steps.program import InputProgram

MAX_REPLY = 64 * 1024
THUMBNAIL_ROOM = 1024 * 1024

Input = tuple[NDArray[np.uint8], Geometry]


@dataclass(frozen=True, slots=True)
class Analyse:
    """Facts (when asked for) and one input a program."""

    programs: tuple[InputProgram, ...]
    facts: bool

    @property
    def room(self) -> int:
        """Bytes that the answer's pixels and thumbnail need at most."""
        return sum(program.nbytes for program in self.programs) + (THUMBNAIL_ROOM if self.facts else 0)


@dataclass(frozen=True, slots=True)
class Render:
    """One JPEG of at most `longest` pixels a side."""

    longest: int

    @property
    def room(self) -> int:
        """No JPEG of this size at our quality is larger than its raw pixels and a header."""
        return self.longest * self.longest * 3 + 64 * 1024


Job = Analyse | Render


class FactsLine(TypedDict):
    """ImageFacts without the thumbnail, which lies in shared memory."""

    format: str
    frames: int
    phash: int
    colours: list[tuple[str, list[int], float]]
    notes: list[str]
    thumbnail: int  # its length


class Reply(TypedDict):
    """One answer. error: "" or "refused", "manifest", "failed"; code and message belong to it."""

    error: str
    code: str
    message: str
    width: int
    height: int
    millis: float
    geometries: list[list[float]]
    facts: FactsLine | None
    bytes: int  # of the rendered JPEG


def failure(error: str, code: str, message: str) -> Reply:
    """An answer that says what went wrong."""
    return Reply(
        error=error,
        code=code,
        message=message[:2000],
        width=0,
        height=0,
        millis=0.0,
        geometries=[],
        facts=None,
        bytes=0,
    )


def facts_line(facts: ImageFacts) -> FactsLine:
    """What of the facts goes into the answer's JSON."""
    return FactsLine(
        format=facts.format,
        frames=facts.frames,
        phash=facts.phash,
        colours=[(colour.name, list(colour.rgb), colour.share) for colour in facts.colours],
        notes=list(facts.notes),
        thumbnail=len(facts.thumbnail),
    )


def facts_of(reply: Reply, thumbnail: bytes) -> ImageFacts | None:
    """The facts of an answer, when there are any."""
    line = reply["facts"]
    if line is None:
        return None
    colours = tuple(
        Colour(str(name), (int(rgb[0]), int(rgb[1]), int(rgb[2])), float(share)) for name, rgb, share in line["colours"]
    )
    return ImageFacts(
        format=str(line["format"]),
        width=int(reply["width"]),
        height=int(reply["height"]),
        frames=int(line["frames"]),
        phash=int(line["phash"]),
        colours=colours,
        thumbnail=thumbnail,
        notes=tuple(str(note) for note in line["notes"]),
    )


def geometry_line(geometry: Geometry) -> list[float]:
    """The six numbers of a geometry, in the order of its fields."""
    return [
        geometry.width,
        geometry.height,
        geometry.scale_x,
        geometry.scale_y,
        geometry.offset_x,
        geometry.offset_y,
    ]


def geometries(reply: Reply, count: int) -> Sequence[Geometry]:
    """The geometries of an answer. ValueError unless there are as many as programs."""
    lines = reply["geometries"]
    if len(lines) != count:
        raise ValueError(f"{len(lines)} geometries for {count} programs")
    return [Geometry(*(float(value) for value in line)) for line in lines]


def dump(reply: Reply) -> bytes:
    """An answer as bytes."""
    return json.dumps(reply).encode()


def load(line: bytes) -> Reply:
    """An answer from bytes. ValueError or KeyError when it is none."""
    reply: Reply = json.loads(line)
    if not isinstance(reply, dict) or set(reply) != set(Reply.__annotations__):
        raise ValueError("not an answer")
    return reply
