"""Short ways to say what is known of an image, for tests of merging."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from schemas.merging import Beside, Edit, ImageForm, MergeInput, RegisteredModel, Rules, Said, Unfinished
from schemas.models import Label
from schemas.pipeline import DETECTION, TAGGING
from schemas.record import Place, Record
from schemas.results import ModelOutput
from schemas.rules import Policies, Thresholds, Vocabulary
from workers.merging import merge

GENERAL = ("sword", "weapon", "tool", "solo", "2girls", "beach", "outdoors", "indoors", "female", "no_humans")
TAGS = (
    *(Label(name, "general") for name in GENERAL),
    Label("miku", "character"),
    Label("vocaloid", "copyright"),
    Label("safe", "rating"),
    Label("lewd", "rating"),
)
BOXES = (Label("person", "object"), Label("sword", "object"))


def model(number: int, name: str, *, boxes: bool = False, sample: bool = False, **thresholds: float) -> RegisteredModel:
    stage, labels = (DETECTION, BOXES) if boxes else (TAGGING, TAGS)
    return RegisteredModel(number, name, stage, f"r{number}", sample, labels, {"*": 0.5, **thresholds}, 0.05)


MODELS = {
    1: model(1, "alpha", character=0.75),
    2: model(2, "beta"),
    3: model(3, "finder", boxes=True),
    4: model(4, "toy", sample=True),
}
FORM = ImageForm(7, "ab" * 32, 100, "PNG", 8, 8, 1, 0, (), ("animated",))
EMPTY = MergeInput(1, "main", False, 3, (1, 3), 1, 4, datetime(2026, 1, 1, tzinfo=UTC), FORM, (Place("images", "a"),))


def rules(
    thresholds: dict[str, float] | None = None,
    *,
    aliases: dict[str, str] | None = None,
    implications: Mapping[str, tuple[str, ...]] | None = None,
    exclusive: tuple[frozenset[str], ...] = (),
) -> Rules:
    vocabulary = Vocabulary(5, aliases or {}, implications or {}, exclusive)
    return Rules(vocabulary, Thresholds(6, thresholds or {}), Policies(), MODELS)


def said(number: int, scores: dict[str, float], millis: float = 1.0) -> Said:
    """What a model says; a detector's boxes are all at one place."""
    names = [label.name for label in MODELS[number].labels]
    labels = np.array([names.index(name) for name in scores], np.int16)
    places = np.tile(np.array([1, 2, 3, 4], np.float32), (len(scores), 1)) if number == 3 else None
    return Said(number, ModelOutput(labels, np.array(list(scores.values()), np.float32), places), millis, 1)


def merged(
    *answers: Said,
    by: Rules | None = None,
    edits: tuple[Edit, ...] = (),
    beside: tuple[str, ...] = (),
    unfinished: tuple[Unfinished, ...] = (),
) -> Record:
    """The record of what was said."""
    known = replace(EMPTY, said=answers, edits=edits, unfinished=unfinished)
    if beside:
        known = replace(known, beside=(Beside("file", beside),))
    return merge(known, by or rules())


def add(tag: str, category: str = "general", person: str = "mia") -> Edit:
    return Edit(tag, category, "add", person)


def remove(tag: str, person: str = "mia") -> Edit:
    return Edit(tag, "general", "remove", person)


def names(record: Record) -> list[str]:
    return sorted(tag.name for tag in record.tags)


def sources(record: Record) -> dict[str, str]:
    return {tag.name: tag.source for tag in record.tags}


def reasons(record: Record) -> dict[str, str]:
    return {tag.name: tag.reason for tag in record.dropped}
