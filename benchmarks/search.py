"""Search at scale on the embedded PostgreSQL: `python -m benchmarks.search [--records N] [--json FILE]`.

Synthetic records of 60 tags out of 10,000 by Zipf's law, drawn independently (the hard case: most pairs are broad) or,
with --themed, half of them from one of 200 themes, so that tags go together as they do in life. Queries are two tags
of a random record. Records are loaded through the index's own `write`. One client; a first round warms the cache.
"""

import argparse
import contextlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infra.embedded.postgres import EmbeddedPostgres
from infra.records.migrate import migrate
from infra.records.pool import Pool, open_pool, session
from infra.search.postgres import PostgresSearch
from schemas.document import Document, DocumentTag
from schemas.record import Status, Visibility
from schemas.search import FACETS, MODERATORS_ONLY, FacetPage, HitPage, SearchRequest, Viewer, parse

TAGS, PER_RECORD, THEMES, THEME_TAGS = 10_000, 60, 200, 300
CATEGORIES = ("general",) * 7 + ("character", "copyright", "artist", "meta")[:3]
OBJECTS = ("person", "face", "cat", "dog", "car", "book", "cup", "ball", "flower", "umbrella")
COLOURS = ("red", "blue", "green", "white", "black", "yellow", "pink", "brown", "purple", "grey")
RATINGS = ("general", "sensitive", "questionable", "explicit")
FORMATS = ("jpeg", "png", "webp")
STARTED = datetime(2026, 1, 1, tzinfo=UTC)
VIEWER = Viewer()
FACET_NAMES = tuple(name for name in FACETS if name not in MODERATORS_ONLY)


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


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: milliseconds over the runs; cpu is the mean of client and server together."""

    name: str
    runs: int
    p50: float
    p95: float
    worst: float
    cpu: float


class Stopwatch:
    """Measures calls by the clock and by processor time, which a busy machine disturbs less."""

    def __init__(self, postmaster: int) -> None:
        self._postmaster = postmaster
        self._tick = 1000 / os.sysconf("SC_CLK_TCK")

    def measured(self, name: str, calls: Sequence[Callable[[], object]]) -> Line:
        """Run each call once, in order."""
        times = []
        worked = self._worked()
        for call in calls:
            began = time.perf_counter()
            call()
            times.append((time.perf_counter() - began) * 1000)
        cpu = (self._worked() - worked) / len(calls)
        p50, p95 = np.percentile(times, [50, 95])
        return Line(name, len(times), *(round(float(value), 2) for value in (p50, p95, max(times), cpu)))

    def _worked(self) -> float:
        """Processor milliseconds so far: ours, the server's processes', and those that it has already ended."""
        spent = time.process_time() * 1000
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == self._postmaster:
                    spent += (int(fields[11]) + int(fields[12])) * self._tick
                elif int(folder.name) == self._postmaster:
                    spent += sum(map(int, fields[11:15])) * self._tick
        return spent


def load(pool: Pool, records: int, themed: bool) -> float:
    """Write all records in batches of 500; returns the seconds that the index took."""
    index, rng, spent = PostgresSearch(pool), np.random.default_rng(1), 0.0
    batch: list[Document] = []
    for record, tags in enumerate(drawn_tags(records, 7, themed), 1):
        batch.append(document(record, tags, rng))
        if len(batch) == 500 or record == records:
            began = time.perf_counter()
            index.write(batch)
            spent += time.perf_counter() - began
            batch = []
    with session(pool) as connection:
        for name in ("search_document", "search_count", "search_term"):
            connection.execute(f"VACUUM (ANALYZE) {name}")
    return spent


def pairs(records: int, count: int, themed: bool) -> list[tuple[int, int]]:
    """Two tags of each of some random records."""
    rng = np.random.default_rng(23)
    wanted = set(rng.integers(0, records, count).tolist())
    drawn = (tags for record, tags in enumerate(drawn_tags(records, 7, themed)) if record in wanted)
    return [tuple(rng.choice(tags, 2, replace=False).tolist()) for tags in drawn]


class Runs:
    """The kinds of request that are measured, over one index."""

    def __init__(self, index: PostgresSearch, queries: list[tuple[int, int]]) -> None:
        self.index = index
        self.texts = [f"tag_{one} tag_{two}" for one, two in queries]
        self.firsts = [f"tag_{one}" for one, _ in queries]

    def hits(self, texts: list[str], after: str = "") -> list[Callable[[], HitPage]]:
        requests = [SearchRequest(parse(text), VIEWER, after=after) for text in texts]
        return [partial(self.index.hits, request) for request in requests]

    def facets(self, texts: list[str]) -> list[Callable[[], FacetPage]]:
        requests = [SearchRequest(parse(text), VIEWER) for text in texts]
        return [partial(self.index.facets, request, FACET_NAMES, 50) for request in requests]

    def lines(self, watch: Stopwatch) -> list[Line]:
        """Everything once; call twice and keep the second."""
        broad = [text for text, call in zip(self.texts, self.hits(self.texts), strict=True) if call().total > 20_000]
        few = self.texts[:100]
        plans: list[tuple[str, Sequence[Callable[[], object]]]] = [
            ("two tags: hits", self.hits(self.texts)),
            ("two tags: facets", self.facets(self.texts)),
            (f"broad two tags ({len(broad)}): hits", self.hits(broad)),
            (f"broad two tags ({len(broad)}): facets", self.facets(broad)),
            ("one tag: hits", self.hits(self.firsts[:100])),
            ("one tag: facets", self.facets(self.firsts[:100])),
            ("two tags and rating: facets", self.facets([f"{text} rating:general" for text in few])),
            ("tag without tag: hits", self.hits([text.replace(" ", " -") for text in few])),
            ("tag or tag: hits", self.hits([text.replace(" ", " or ") for text in few])),
            ("ai:tag,>=80%: hits", self.hits([f"ai:{text},>=80%" for text in self.firsts[:100]])),
            ("two tags, largest first: hits", self.hits([f"{text} order:size" for text in few])),
            ("tag and width: hits", self.hits([f"{text} width:>3500" for text in self.firsts[:100]])),
            ("words: hits", self.hits([f'"word{number}"' for number in range(50)])),
            ("wildcard: hits", self.hits([f"tag_{number}*" for number in range(100, 150)])),
            ("nothing asked: hits", self.hits([""] * 50)),
            ("nothing asked: facets", self.facets([""] * 50)),
            ("suggest", [partial(self.index.suggest, f"tag_{n}", 10, VIEWER) for n in range(50)]),
        ]
        return [watch.measured(name, calls) for name, calls in plans if calls]

    def honesty(self) -> dict[str, float]:
        """How far estimates are off: totals, and sampled counts of at least 1,000, in per cent (median, p95)."""
        exactly = PostgresSearch(self.index._pool, sample_above=10**9)
        totals, counts, sampled = [], [], 0
        for text in self.texts:
            request = SearchRequest(parse(text), VIEWER)
            guess = self.index.facets(request, ("general", "status"), 50)
            if guess.sampled is None:
                continue
            sampled += 1
            truth = exactly.facets(request, ("general", "status"), 10**3)
            known = {value.value: value.count for facet in truth.facets for value in facet.values}
            total = sum(value.count for value in truth.facets[1].values)
            totals.append(abs(self.index.hits(request).total - total) / total * 100)
            counts += [
                abs(value.count - known[value.value]) / known[value.value] * 100
                for value in guess.facets[0].values
                if known.get(value.value, 0) >= 1000
            ]
        if not sampled:
            return {"sampled queries": 0}
        ends = {"total": totals, "facet counts": counts}
        found = {
            f"{name} off by, {word} %": round(float(np.percentile(values, part)), 1)
            for name, values in ends.items()
            for word, part in (("median", 50), ("p95", 95))
        }
        return {"sampled queries": sampled, **found}


def writes(pool: Pool, records: int, watch: Stopwatch) -> list[Line]:
    """Rewriting 100 known records with one changed tag, and adding 100 new ones, on the full index."""
    index, rng = PostgresSearch(pool), np.random.default_rng(5)
    drawn = list(drawn_tags(2000, 11, False))
    fresh = [document(records + 1 + n, tags, rng) for n, tags in enumerate(drawn)]
    index.write(fresh[:100])
    added = [partial(index.write, fresh[n : n + 100]) for n in range(100, 2000, 100)]
    again = [partial(index.write, fresh[n : n + 100]) for n in range(0, 2000, 100)]
    return [
        watch.measured("write 100 new records", list(added)),
        watch.measured("write 100 known records", list(again)),
    ]


def main() -> None:
    """Load, warm, measure, print a table and write JSON."""
    parser = argparse.ArgumentParser(description="search over synthetic records on the embedded PostgreSQL")
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--themed", action="store_true", help="tags that go together")
    parser.add_argument("--folder", type=Path, help="keep the server's folder here and use it again")
    parser.add_argument("--json", type=Path, help="write the figures here")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        server = EmbeddedPostgres(folder / "postgres", folder / "postgres.log")
        server.start()
        try:
            report(server, asked)
        finally:
            server.stop()


def report(server: EmbeddedPostgres, asked: argparse.Namespace) -> None:
    """Measure on a running server."""
    records, themed = int(asked.records), bool(asked.themed)
    migrate(server.conninfo)
    pool = open_pool(server.conninfo, size=2, name="benchmark")
    index = PostgresSearch(pool)
    spent = load(pool, records, themed) if index.count() < records else 0.0
    runs = Runs(index, pairs(records, asked.queries, themed))
    watch = Stopwatch(server.pid or 0)
    runs.lines(watch)
    lines = runs.lines(watch)
    off = runs.honesty()
    lines += writes(pool, records, watch)
    with session(pool) as connection:
        size = connection.execute("SELECT pg_total_relation_size('search_document')").fetchone()
    pool.close()
    megabytes = round(int(size[0]) / 2**20) if size else 0
    print(f"{records} records of about {PER_RECORD} tags, {megabytes} MB, loaded in {spent:.0f} s of writing")
    print(f"{'milliseconds':40} {'runs':>5} {'p50':>8} {'p95':>8} {'worst':>8} {'cpu':>8}")
    for line in lines:
        print(f"{line.name:40} {line.runs:5} {line.p50:8.1f} {line.p95:8.1f} {line.worst:8.1f} {line.cpu:8.1f}")
    for name, value in off.items():
        print(f"{name:40} {value:5}")
    if asked.json:
        figures = {"records": records, "megabytes": megabytes, "load_seconds": round(spent, 1), "estimates": off}
        asked.json.write_text(json.dumps({**figures, "lines": [asdict(line) for line in lines]}, indent=1) + "\n")


if __name__ == "__main__":
    main()
