"""Versioned rules that merging and moderation read: vocabulary, thresholds, policies. Pure data and look-ups."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class RuleKind(StrEnum):
    """What a version of rules is about."""

    VOCABULARY = "vocabulary"
    THRESHOLDS = "thresholds"
    POLICIES = "policies"
    SCORING = "scoring"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Aliases (directed, applied first), implications (transitive, no cycles), and combinations that cannot be.

    `exclusive` lists sets of tags of which an image can have one: the most confident stays (R15).
    """

    version: int = 0
    aliases: Mapping[str, str] = field(default_factory=dict)
    implications: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exclusive: tuple[frozenset[str], ...] = ()


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Overrides of the manifests' thresholds. Keys: "category" or "category:tag", or "model/…" before either."""

    version: int = 0
    values: Mapping[str, float] = field(default_factory=dict)


class Action(StrEnum):
    """What a policy asks for: look at it some time, or hold it back until somebody did."""

    REVIEW = "review"
    HOLD = "hold"


class Severity(StrEnum):
    """How bad it would be if nobody looked; ordered from least to most."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """1 for low, 2 for medium, 3 for high."""
        return list(Severity).index(self) + 1


@dataclass(frozen=True, slots=True)
class Policy:
    """Flags an image when a label, tag or rating has at least a score. queue is where a person finds it.

    name: up to three levels of a taxonomy, such as "violence/weapons". A policy that watches several subjects
    is one `Policy` for each, all under one name.
    """

    name: str
    subject: str  # "tag:sword", "label:sword", "rating:explicit"
    at_least: float
    severity: str  # "low", "medium", "high"
    action: Action
    queue: str


@dataclass(frozen=True, slots=True)
class Policies:
    """One version of a collection's policies."""

    version: int = 0
    policies: tuple[Policy, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A policy that matched an image: who said it (the model's name), how surely, and what that asks for."""

    policy: str
    version: int
    subject: str
    score: float
    threshold: float
    source: str
    severity: str
    action: Action
    queue: str
