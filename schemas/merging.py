"""What merging reads and gives: everything known about one image in one collection, and the rules in force."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from schemas.images import Colour
from schemas.models import Label
from schemas.record import Place, Record
from schemas.results import ModelOutput
from schemas.rules import Policies, Thresholds, Vocabulary
from schemas.scores import Scoring


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """A model revision as the ledger knows it. thresholds: the manifest's defaults by category, "*" for the rest."""

    id: int
    name: str
    stage: str
    revision: str
    sample: bool
    labels: tuple[Label, ...]
    thresholds: Mapping[str, float]
    floor: float


@dataclass(frozen=True, slots=True)
class Said:
    """One model's stored answer about the image."""

    model: int
    output: ModelOutput
    millis: float
    batch: int


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Work of the image that is pending, failed or quarantined."""

    stage: str
    model: int
    state: str
    attempts: int
    reason: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A person's latest word on a tag: "add", "remove", or "clear" for neither."""

    tag: str
    category: str
    action: str
    person: str


@dataclass(frozen=True, slots=True)
class Beside:
    """Tags that came along with an object: source is "file" or "metadata"."""

    source: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImageForm:
    """What ingest stored of the content."""

    id: int
    sha256: str
    bytes: int
    format: str
    width: int
    height: int
    frames: int
    phash: int
    colours: tuple[Colour, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MergeInput:
    """Everything known about one record at one moment. `dirty` is the count of reasons that this merge answers."""

    record: int
    collection: str
    hold: bool
    plan: int
    models: tuple[int, ...]
    dirty: int
    revision: int
    created_at: datetime
    image: ImageForm
    places: tuple[Place, ...] = ()
    said: tuple[Said, ...] = ()
    unfinished: tuple[Unfinished, ...] = ()
    edits: tuple[Edit, ...] = ()
    beside: tuple[Beside, ...] = ()
    published: Record | None = None  # as it stands, to leave out changes that change nothing


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules in force and the models that have ever spoken, by id."""

    vocabulary: Vocabulary
    thresholds: Thresholds
    policies: Policies
    models: Mapping[int, RegisteredModel]
    scoring: Scoring = field(default_factory=Scoring)

    def threshold(self, model: RegisteredModel, label: Label) -> float:
        """From which score a label of a model holds: the most particular override, else the manifest's (R14)."""
        values = self.thresholds.values
        keys = (
            f"{model.name}/{label.category}:{label.name}",
            f"{model.name}/{label.category}",
            f"{label.category}:{label.name}",
            label.category,
        )
        for key in keys:
            if key in values:
                return values[key]
        return model.thresholds.get(label.category, model.thresholds["*"])

    def holds(self, model: RegisteredModel, label: Label, score: float) -> bool:
        """Whether a score reaches the threshold. Scores are float32: the one nearest to .35 is below .35, and holds."""
        return bool(np.float32(score) >= np.float32(self.threshold(model, label)))
