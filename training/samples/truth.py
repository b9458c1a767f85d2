"""What is known about a drawing: the values that say what a picture shows, and the picture that carries them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


@dataclass(frozen=True, slots=True)
class Box:
    """One visible thing: `xyxy` float pixels in the picture, x to the right and y down."""

    label: str
    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        if not (self.x1 > self.x0 and self.y1 > self.y0):
            raise ValueError(f"{self.label}: expected x0 < x1 and y0 < y1, got {self.xyxy}")

    @property
    def xyxy(self) -> tuple[float, float, float, float]:
        """The corners as a tuple."""
        return (self.x0, self.y0, self.x1, self.y1)

    def mirrored(self, width: float) -> Box:
        """The same box in the picture flipped left to right."""
        return Box(self.label, width - self.x1, self.y0, width - self.x0, self.y1)


@dataclass(frozen=True, slots=True)
class Degradation:
    """How the finished picture was spoilt: kind (`none` for a clean one) and strength 0..1."""

    kind: str = "none"
    strength: float = 0.0


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything that a drawing is known to show; `tags` are sorted and hold no rating."""

    tags: tuple[str, ...]
    boxes: tuple[Box, ...]
    caption: str
    rating: str
    style: str
    seed: int
    width: int
    height: int
    degradation: Degradation = Degradation()

    def to_json(self) -> str:
        """The truth as one JSON object, boxes as `{"label", "xyxy"}` rounded to hundredths of a pixel."""
        fields = asdict(self)
        fields["boxes"] = [{"label": b.label, "xyxy": [round(v, 2) for v in b.xyxy]} for b in self.boxes]
        return json.dumps(fields, indent=1)

    def danbooru_text(self) -> str:
        """The tags as a `.txt` sidecar holds them: comma-separated, underscores as spaces."""
        return ", ".join(tag.replace("_", " ") for tag in self.tags)


@dataclass(frozen=True, slots=True)
class Drawing:
    """An RGB picture and the truth about it."""

    image: Image.Image
    truth: Truth

    def save(self, path: Path, *, sidecar: bool = False, quality: int = 92) -> Path:
        """Write the picture (PNG, JPEG or WebP by suffix), its truth beside it as `.json`, and a `.txt` if asked."""
        kind = FORMATS.get(path.suffix.lower())
        if kind is None:
            raise ValueError(f"{path.name}: expected a suffix among {sorted(FORMATS)}, got {path.suffix!r}")
        self.image.save(path, kind, **({} if kind == "PNG" else {"quality": quality}))
        path.with_suffix(".json").write_text(self.truth.to_json() + "\n", encoding="utf-8")
        if sidecar:
            path.with_suffix(".txt").write_text(self.truth.danbooru_text() + "\n", encoding="utf-8")
        return path
