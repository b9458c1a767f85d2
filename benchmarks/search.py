"""Search at scale: `python -m benchmarks.search [--on postgres|opensearch|both] [--records N] [--json FILE]`.

Synthetic records of 60 tags out of 10,000 by Zipf's law, drawn independently (the hard case: most pairs are broad) or,
with --themed, half of them from one of 200 themes, so that tags go together as they do in life. Queries are two tags
of a random record. Records are loaded through the index's own `write`. One client; a first round warms the caches, and
answers that OpenSearch keeps are dropped after it. The servers are the embedded PostgreSQL and the stack's OpenSearch
(heap 1 GiB); with `both`, they are measured one after the other, the other one being down.
"""

import argparse
import contextlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.indexes import Measurable, on_opensearch, on_postgres
from benchmarks.synthetic import PER_RECORD, document, drawn_tags, pairs
from infra.search.postgres import PostgresSearch
from schemas.document import Document
from schemas.search import FACETS, MODERATORS_ONLY, FacetPage, HitPage, SearchIndex, SearchRequest, Viewer, parse

VIEWER = Viewer()
FACET_NAMES = tuple(name for name in FACETS if name not in MODERATORS_ONLY)
SERVERS = {"postgres": on_postgres, "opensearch": on_opensearch}


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


def load(measurable: Measurable, records: int, themed: bool) -> float:
    """Write all records in batches of 500; returns the seconds that the index took."""
    index, rng, spent = measurable.index, np.random.default_rng(1), 0.0
    batch: list[Document] = []
    for record, tags in enumerate(drawn_tags(records, 7, themed), 1):
        batch.append(document(record, tags, rng))
        if len(batch) == 500 or record == records:
            began = time.perf_counter()
            index.write(batch, at_once=False)
            spent += time.perf_counter() - began
            batch = []
    measurable.settle()
    return spent


class Runs:
    """The kinds of request that are measured, over one index."""

    def __init__(self, index: SearchIndex, queries: list[tuple[int, int]]) -> None:
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


def honesty(index: PostgresSearch, texts: Sequence[str]) -> dict[str, float]:
    """How far estimates are off: totals, and sampled counts of at least 1,000, in per cent (median, p95)."""
    exactly = PostgresSearch(index._pool, sample_above=10**9)
    totals, counts, sampled = [], [], 0
    for text in texts:
        request = SearchRequest(parse(text), VIEWER)
        guess = index.facets(request, ("general", "status"), 50)
        if guess.sampled is None:
            continue
        sampled += 1
        truth = exactly.facets(request, ("general", "status"), 10**3)
        known = {value.value: value.count for facet in truth.facets for value in facet.values}
        total = sum(value.count for value in truth.facets[1].values)
        totals.append(abs(index.hits(request).total - total) / total * 100)
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


def writes(index: SearchIndex, records: int, watch: Stopwatch) -> list[Line]:
    """Rewriting 100 known records with one changed tag, and adding 100 new ones, on the full index."""
    rng = np.random.default_rng(5)
    drawn = list(drawn_tags(2000, 11, False))
    fresh = [document(records + 1 + n, tags, rng) for n, tags in enumerate(drawn)]
    index.write(fresh[:100])
    added = [partial(index.write, fresh[n : n + 100]) for n in range(100, 2000, 100)]
    again = [partial(index.write, fresh[n : n + 100]) for n in range(0, 2000, 100)]
    return [
        watch.measured("write 100 new records", list(added)),
        watch.measured("write 100 known records", list(again)),
    ]


@dataclass(frozen=True, slots=True)
class Report:
    """What one server gave. estimates: how far they are off, in per cent; load: the machine's average at the end."""

    server: str
    records: int
    megabytes: int
    load_seconds: float
    load: float
    estimates: dict[str, float]
    lines: tuple[Line, ...]


def measure(measurable: Measurable, records: int, queries: int, themed: bool) -> Report:
    """Load, warm, measure. Records that are there already are not loaded again."""
    index = measurable.index
    spent = load(measurable, records, themed) if index.count() < records else 0.0
    runs = Runs(index, pairs(records, queries, themed))
    watch = Stopwatch(measurable.pid)
    runs.lines(watch)
    measurable.forget()
    lines = runs.lines(watch)
    off = honesty(index, runs.texts) if isinstance(index, PostgresSearch) else {}
    megabytes = round(measurable.size() / 2**20)
    lines += writes(index, records, watch)
    load_average = round(os.getloadavg()[0], 1)
    return Report(measurable.name, records, megabytes, round(spent, 1), load_average, off, tuple(lines))


def show(report: Report) -> None:
    """Print what one server gave."""
    print(
        f"{report.server}: {report.records} records of about {PER_RECORD} tags, {report.megabytes} MB, "
        f"loaded in {report.load_seconds:.0f} s of writing; load {report.load}"
    )
    print(f"{'milliseconds':40} {'runs':>5} {'p50':>8} {'p95':>8} {'worst':>8} {'cpu':>8}")
    for line in report.lines:
        print(f"{line.name:40} {line.runs:5} {line.p50:8.1f} {line.p95:8.1f} {line.worst:8.1f} {line.cpu:8.1f}")
    for name, value in report.estimates.items():
        print(f"{name:40} {value:5}", flush=True)


def beside(reports: Sequence[Report]) -> list[str]:
    """Lines of a table in Markdown: p50 / p95 of each server. Only what was measured on all of them is in it."""
    of = [{line.name: line for line in report.lines} for report in reports]
    rows = ["| milliseconds, p50 / p95 | " + " | ".join(report.server for report in reports) + " |"]
    rows.append("|---" * (len(reports) + 1) + "|")
    for name in (name for name in of[0] if all(name in each for each in of)):
        rows.append(f"| {name} | " + " | ".join(f"{each[name].p50:.1f} / {each[name].p95:.1f}" for each in of) + " |")
    return rows


def main() -> None:
    """Measure what was asked for, print tables and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on", choices=(*SERVERS, "both"), default="postgres")
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--themed", action="store_true", help="tags that go together")
    parser.add_argument("--folder", type=Path, help="keep the servers' folders here and use them again")
    parser.add_argument("--json", type=Path, help="write the figures here")
    asked = parser.parse_args()
    reports = []
    with tempfile.TemporaryDirectory() as temporary:
        for name in SERVERS if asked.on == "both" else (asked.on,):
            folder = (asked.folder or Path(temporary)) / name
            folder.mkdir(parents=True, exist_ok=True)
            with SERVERS[name](folder) as measurable:
                reports.append(measure(measurable, asked.records, asked.queries, asked.themed))
            show(reports[-1])
    if len(reports) > 1:
        print("\n".join(beside(reports)))
    if asked.json:
        asked.json.write_text(json.dumps([asdict(report) for report in reports], indent=1) + "\n")


if __name__ == "__main__":
    main()
