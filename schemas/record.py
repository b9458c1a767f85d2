"""The record: the merged truth about one image in one collection, as people and programs see it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from schemas.characters import Character
from schemas.images import Colour


class Status(StrEnum):
    """How far the analysis is, judged by the plan that was valid at ingest."""

    PENDING = "pending"  # no stage has ended yet
    PARTIAL = "partial"  # some stages ended, others wait or failed
    COMPLETE = "complete"


class Visibility(StrEnum):
    """Who sees it in search: everybody, moderators only until a decision, or nobody but moderators."""

    SHOWN = "shown"
    HELD = "held"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag that holds. confidence in [0, 1], or None when a person or a sidecar said so.

    source: the model's name, "human", "sidecar", or "implied by TAG". by: the person, when there is one.
    """

    name: str
    category: str
    confidence: float | None
    source: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class DroppedTag:
    """A tag that was said and does not hold, and why (R15). reason is a short code, detail a sentence."""

    name: str
    category: str
    confidence: float | None
    source: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Detection:
    """A box xyxy in original upright pixels, its label, confidence in [0, 1] and the model that saw it."""

    label: str
    box: tuple[float, float, float, float]
    confidence: float
    source: str


@dataclass(frozen=True, slots=True)
class Caption:
    """A sentence about the image, and the model (or "human") that said it."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Words read in the image, in their box xyxy in original upright pixels, with confidence in [0, 1]."""

    text: str
    box: tuple[float, float, float, float]
    confidence: float
    source: str


@dataclass(frozen=True, slots=True)
class Score:
    """One figure about the image. kind: a name of `schemas.scores.KINDS`, which gives range and direction."""

    kind: str
    value: float
    source: str


@dataclass(frozen=True, slots=True)
class StageState:
    """Where one model stands on this image: done, pending, failed or quarantined; millis and reason if known."""

    stage: str
    model: str
    state: str
    millis: float | None = None
    batch: int | None = None
    reason: str = ""
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bytes lie now."""

    bucket: str
    key: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class FlagView:
    """A policy's finding: what was measured against which threshold, by which version of the policy."""

    policy: str
    version: int
    severity: str
    action: str
    subject: str
    score: float
    threshold: float
    source: str
    verdict: str = ""  # "", "keep" or "remove"


@dataclass(frozen=True, slots=True)
class Record:
    """One image in one collection. id names it everywhere; revision grows with every published change."""

    id: int
    image: int
    sha256: str
    collection: str
    revision: int
    status: Status
    visibility: Visibility
    format: str
    width: int
    height: int
    bytes: int
    created_at: datetime
    places: tuple[Place, ...] = ()
    tags: tuple[Tag, ...] = ()
    dropped: tuple[DroppedTag, ...] = ()
    detections: tuple[Detection, ...] = ()
    rating: str | None = None
    rating_confidence: float | None = None
    people: int | None = None
    colours: tuple[Colour, ...] = ()
    character: Character = field(default_factory=Character)
    captions: tuple[Caption, ...] = ()  # the best first
    alt_text: str = ""  # for screen readers (R9); empty while nothing is known
    scores: tuple[Score, ...] = ()  # a kind that is unknown is not there
    ladder: str | None = None  # "score_9" … "score_4", "below", or None while no commercial score is known (R28)
    quality: str | None = None  # one of the seven classes (R29), or None
    calibration: int = 0  # version of the frozen calibration set behind ladder and quality
    readings: tuple[Reading, ...] = ()
    flags: tuple[FlagView, ...] = ()
    stages: tuple[StageState, ...] = ()
    notes: tuple[str, ...] = ()
    vocabulary: int = 0
    thresholds: int = 0
    plan: int = 0
    samples_only: bool = field(default=False)  # every model that spoke is a sample model
