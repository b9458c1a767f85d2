"""Scores: every kind of figure that there is, and the rules that make ladders, classes and market scores of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Better(StrEnum):
    """Which end of a range is the good one."""

    HIGH = "high"
    LOW = "low"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class ScoreKind:
    """A kind of figure: its range, which end is better, and what it says. An unknown figure is absent, never 0."""

    title: str
    low: float
    high: float
    better: Better
    meaning: str


KINDS: Mapping[str, ScoreKind] = {
    "nima_technical": ScoreKind("Technical quality", 1, 10, Better.HIGH, "mean of ten bins; blur, noise, compression"),
    "nima_technical_deviation": ScoreKind(
        "… its deviation", 0, 4.5, Better.NEITHER, "standard deviation of the bins: how far opinions would differ"
    ),
    "nima_aesthetic": ScoreKind("Aesthetic quality", 1, 10, Better.HIGH, "mean of ten bins; taste"),
    "nima_aesthetic_deviation": ScoreKind("… its deviation", 0, 4.5, Better.NEITHER, "standard deviation of the bins"),
    "aesthetic": ScoreKind("Aesthetic", 1, 10, Better.HIGH, "what a head on the picture's vector was taught to like"),
    "brisque": ScoreKind("BRISQUE", 0, 100, Better.LOW, "how unnatural the picture's statistics are; 0 is best"),
    "clip_score": ScoreKind("CLIPScore", 0, 2.5, Better.HIGH, "how well the caption fits: 2.5 · max(cos, 0)"),
    "commercial": ScoreKind("Commercial", 0, 1, Better.HIGH, "quality, caption fit and taste as one weighted mean"),
    "market": ScoreKind("Market", 0, 10, Better.HIGH, "mean of confidence · weight over the tags"),
    "market_weighted": ScoreKind("Market, weighted", 0, 10, Better.HIGH, "mean weight of the tags, by confidence"),
}


@dataclass(frozen=True, slots=True)
class Calibration:
    """A frozen set of pictures' commercial scores, kept as ascending quantiles at equal steps from 0 to 1.

    name: of the set, with its version: a figure without it says nothing.
    """

    name: str = ""
    quantiles: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if len(self.quantiles) == 1 or list(self.quantiles) != sorted(self.quantiles):
            raise ValueError("quantiles: expected none, or at least two in ascending order")

    def percentile(self, value: float) -> float | None:
        """The share of the set that lies below a value, 0..1, interpolated; None without a set."""
        marks = self.quantiles
        if not marks:
            return None
        if value <= marks[0]:
            return 0.0
        if value >= marks[-1]:
            return 1.0
        place = next(number for number, mark in enumerate(marks) if mark > value)
        low, high = marks[place - 1], marks[place]
        return (place - 1 + (value - low) / (high - low)) / (len(marks) - 1)


class QualityClass(StrEnum):
    """The seven classes of quality, worst first (R29)."""

    WORST = "worst quality"
    BAD = "bad quality"
    NORMAL = "normal quality"
    GREAT = "great quality"
    AMAZING = "amazing quality"
    BEST = "best quality"
    MASTERPIECE = "masterpiece"


DEFAULT_CUTS: Mapping[QualityClass, float] = {
    QualityClass.WORST: 0.0,
    QualityClass.BAD: 0.1,
    QualityClass.NORMAL: 0.25,
    QualityClass.GREAT: 0.5,
    QualityClass.AMAZING: 0.75,
    QualityClass.BEST: 0.85,
    QualityClass.MASTERPIECE: 0.95,
}
DEFAULT_WEIGHTS: Mapping[str, float] = {"cute": 1.8, "elegant": 1.5, "detailed": 1.3, "simple_background": 0.7}


# What a step of the ladder is good for; 6 and lower are only marked, the commercial output drops them by setting.
ADVICE: Mapping[str, str] = {
    "score_9": "premium",
    "score_8": "standard",
    "score_7": "mass market",
    **{name: "filtering recommended" for name in ("score_6", "score_5", "score_4", "below")},
}


@dataclass(frozen=True, slots=True)
class MarketFilter:
    """Which tags a commercial output keeps. keep: at most so many. at_least: c · w from here on.

    least_quality: a ladder step 4..9 below which a picture is left out of commercial output, 0: none is.
    """

    keep: int = 30
    at_least: float = 0.0
    least_quality: int = 0


@dataclass(frozen=True, slots=True)
class Scoring:
    """One version of the rules about figures. weights: of tags in the market, 1 where none is given."""

    version: int = 0
    calibration: Calibration = field(default_factory=Calibration)
    cuts: Mapping[QualityClass, float] = field(default_factory=lambda: DEFAULT_CUTS)
    weights: Mapping[str, float] = field(default_factory=lambda: DEFAULT_WEIGHTS)
    market: MarketFilter = field(default_factory=MarketFilter)
