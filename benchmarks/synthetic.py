"""Synthetic records for measuring the search: 60 tags each out of 10,000, and queries of two tags of a record."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from schemas.document import Document, DocumentTag
from schemas.record import Status, Visibility

TAGS, PER_RECORD, THEMES, THEME_TAGS = 10_000, 60, 200, 300
CATEGORIES = ("general",) * 7 + ("character", "copyright", "artist", "meta")[:3]
OBJECTS = ("person", "face", "cat", "dog", "car", "book", "cup", "ball", "flower", "umbrella")
COLOURS = ("red", "blue", "green", "white", "black", "yellow", "pink", "brown", "purple", "grey")
RATINGS = ("general", "sensitive", "questionable", "explicit")
FORMATS = ("jpeg", "png", "webp")
STARTED = datetime(2026, 1, 1, tzinfo=UTC)


def drawn_tags(records: int, seed: int, themed: bool) -> Iterator[NDArray[np.int64]]:
    """60 distinct tag numbers for each record by Zipf's law; themed: half of them by Zipf within its theme."""
    rng = np.random.default_rng(seed)
    common = np.cumsum(1.0 / np.arange(1, TAGS + 1))
    inner = np.cumsum(1.0 / np.arange(1, THEME_TAGS + 1))
    themes = rng.integers(0, TAGS, (THEMES, THEME_TAGS))
    for _ in range(records):
        kept: dict[int, None] = {}
        if themed:
            theme = themes[int(rng.integers(THEMES))]
            kept.update(dict.fromkeys(theme[np.searchsorted(inner / inner[-1], rng.random(PER_RECORD // 2))].tolist()))
        while len(kept) < PER_RECORD:
            drawn = np.searchsorted(common, rng.random(4 * PER_RECORD) * common[-1])
            kept.update(dict.fromkeys(drawn.tolist()))
        yield np.fromiter(kept, np.int64)[:PER_RECORD]


def document(record: int, tags: NDArray[np.int64], rng: np.random.Generator) -> Document:
    """A plausible document around its tags."""
    draw = rng.random(len(tags) + 8)
    width, height = 400 + int(draw[0] * 3600), 400 + int(draw[1] * 3600)
    return Document(
        record=record,
        revision=1,
        deleted=False,
        collection="library",
        visibility=Visibility.SHOWN if draw[2] < 0.98 else Visibility.HELD,
        status=Status.COMPLETE if draw[3] < 0.95 else Status.PARTIAL,
        sha256=rng.bytes(32).hex(),
        format=FORMATS[int(draw[4] * len(FORMATS))],
        width=width,
        height=height,
        bytes=int(draw[5] * width * height),
        created_at=STARTED + timedelta(seconds=37 * record),
        tags=tuple(
            DocumentTag(f"tag_{tag}", CATEGORIES[tag % 10], 0.35 + 0.65 * float(score))
            for tag, score in zip(tags.tolist(), draw[8:], strict=True)
        ),
        objects=tuple({OBJECTS[int(draw[6] * 10)], OBJECTS[int(draw[7] * 10)]}),
        people=int(draw[0] * 5),
        rating=RATINGS[int(draw[1] ** 2 * 4)],
        colours=tuple({COLOURS[int(draw[2] * 10)], COLOURS[int(draw[6] * 10)]}),
        words=("img", f"{record:06}", f"folder{record // 1000}", f"word{int(draw[7] * 500)}"),
        flags=(),
        review="",
        phash=0,
    )


def pairs(records: int, count: int, themed: bool) -> list[tuple[int, int]]:
    """Two tags of each of some random records."""
    rng = np.random.default_rng(23)
    wanted = set(rng.integers(0, records, count).tolist())
    drawn = (tags for record, tags in enumerate(drawn_tags(records, 7, themed)) if record in wanted)
    return [tuple(rng.choice(tags, 2, replace=False).tolist()) for tags in drawn]
