"""Figures made of figures: commercial score, ladder, classes, market scores and filter. Pure; unknown stays unknown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from schemas.market import MarketChoice, MarketTag
from schemas.record import Record, Score, Tag
from schemas.scores import KINDS, QualityClass, Scoring

_LADDER = ((0.9, "score_9"), (0.8, "score_8"), (0.7, "score_7"), (0.6, "score_6"), (0.5, "score_5"), (0.4, "score_4"))
BELOW = "below"


def commercial(
    nima: float | None = None,
    clip_score: float | None = None,
    brisque: float | None = None,
    aesthetic: float | None = None,
) -> float | None:
    """R26: .4 NIMA + .3 CLIPScore + .2 BRISQUE + .1 aesthetic, each brought to 0..1; the weights of what is missing are
    shared out among the others; None when all are.

    nima and aesthetic: 1..10. clip_score: 0..2.5, 1 and more count as 1. brisque: 0 best … 100 worst.
    """
    parts = (
        (0.4, None if nima is None else (nima - 1) / 9),
        (0.3, clip_score),
        (0.2, None if brisque is None else 1 - brisque / 100),
        (0.1, None if aesthetic is None else (aesthetic - 1) / 9),
    )
    known = [(weight, min(1.0, max(0.0, value))) for weight, value in parts if value is not None]
    total = sum(weight for weight, _ in known)
    return sum(weight * value for weight, value in known) / total if known else None


def ladder(percentile: float | None) -> str | None:
    """R28: score_9 for the top tenth of the calibration set, … score_4, "below" beneath; None when unknown."""
    if percentile is None:
        return None
    return next((name for cut, name in _LADDER if percentile >= cut), BELOW)


def quality_class(percentile: float | None, cuts: Mapping[QualityClass, float]) -> QualityClass | None:
    """R29: the best of the seven classes whose cut is reached; None when unknown."""
    if percentile is None:
        return None
    return max((name for name in QualityClass if percentile >= cuts[name]), key=lambda name: cuts[name])


def market(tags: Sequence[tuple[str, float]], weights: Mapping[str, float]) -> tuple[float, float] | None:
    """R30: Σ c·w / n, and Σ c·w / Σ c, of (name, confidence) pairs; None when there are no tags or all are of 0."""
    total = sum(confidence for _, confidence in tags)
    if not tags or total == 0:
        return None
    worth = sum(confidence * weights.get(name, 1.0) for name, confidence in tags)
    return worth / len(tags), worth / total


def market_tags(record: Record, rules: Scoring) -> MarketChoice:
    """R30: tags ranked by confidence · weight, gated by quality. The record itself keeps them all."""
    worths = [MarketTag(tag, round(_sure(tag) * rules.weights.get(tag.name, 1.0), 4)) for tag in record.tags]
    ranked = sorted(worths, key=lambda each: (-each.worth, each.tag.name))
    wanted = rules.market
    if wanted.least_quality and _step(record.ladder) < wanted.least_quality:
        reason = f"the picture is {record.ladder or 'not scored'}, wanted is score_{wanted.least_quality} or better"
        return MarketChoice((), tuple(replace(each, reason=reason) for each in ranked), rules.version)
    kept: list[MarketTag] = []
    dropped: list[MarketTag] = []
    for each in ranked:
        if each.worth < wanted.at_least:
            dropped.append(replace(each, reason=f"its worth of {each.worth:.3f} is below {wanted.at_least:g}"))
        elif len(kept) >= wanted.keep:
            dropped.append(replace(each, reason=f"{wanted.keep} tags are worth more"))
        else:
            kept.append(each)
    return MarketChoice(tuple(kept), tuple(dropped), rules.version)


def _step(name: str | None) -> int:
    return int(name.removeprefix("score_")) if name and name != BELOW else 0


def _sure(tag: Tag) -> float:
    return 1.0 if tag.confidence is None else tag.confidence


def derived(said: Iterable[Score], tags: Iterable[Tag], rules: Scoring) -> tuple[Score, ...]:
    """What is known with what follows from it, in the order of `KINDS`."""
    found = {score.kind: score for score in said}
    value = {kind: score.value for kind, score in found.items()}
    whole = commercial(
        value.get("nima_aesthetic", value.get("nima_technical")),
        value.get("clip_score"),
        value.get("brisque"),
        value.get("aesthetic"),
    )
    if whole is not None:
        found["commercial"] = Score("commercial", round(whole, 4), "derived")
    worth = market([(tag.name, _sure(tag)) for tag in tags], rules.weights)
    if worth is not None:
        found["market"] = Score("market", round(worth[0], 4), "derived")
        found["market_weighted"] = Score("market_weighted", round(worth[1], 4), "derived")
    return tuple(found[kind] for kind in KINDS if kind in found)
