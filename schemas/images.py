"""An image as ingest found it: content, form and what can be told from its pixels without a model."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ObjectHead:
    """What a store says of an object without sending it. `etag` has no quotes; `metadata` keys are lower case."""

    bucket: str
    key: str
    version: str
    etag: str
    size: int
    modified: datetime
    content_type: str = ""
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Look:
    """What a store found under a key; `content`: the object's bytes, or None where they were not taken along."""

    head: ObjectHead
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Colour:
    """A dominant colour: name from the closed palette, sRGB bytes, share of the picture in [0, 1]."""

    name: str
    rgb: tuple[int, int, int]
    share: float


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What decoding found. width and height are pixels after EXIF orientation was applied.

    phash: 64-bit perceptual hash as a signed integer. thumbnail: JPEG bytes without any metadata.
    notes: remarks for people, such as "animated: 12 frames, the first was analysed".
    """

    format: str
    width: int
    height: int
    frames: int
    phash: int
    colours: tuple[Colour, ...]
    thumbnail: bytes
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What is known about an object from beside it: tags of a `.txt` file or of object metadata (R79)."""

    source: str
    tags: tuple[str, ...]
