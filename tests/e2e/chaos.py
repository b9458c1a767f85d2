"""Chaos: uploads with duplicates, broken files and shuffled events, while processes are killed at random moments.

`python -m tests.e2e.chaos` runs it and prints the table of docs/reliability.md; the test runs a shortened one.
"""

import argparse
import io
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from schemas.errors import NafudaError
from schemas.events import EventKind, ObjectEvent
from tasks.listen import take_in
from tasks.services import Services
from tests.e2e.instance import Instance, wait_for
from training.samples import draw

BUCKET = "images"
SETTLED = 60  # seconds after the last kill, and what the work itself takes
EACH = 0.1  # seconds an object
_SEED = 8_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """How many objects, how many of them copies and broken, how many kills, and the seed of every choice."""

    objects: int
    kills: int
    seed: int = 1

    @property
    def copies(self) -> int:
        """10 % of the objects hold the bytes of another."""
        return self.objects // 10

    @property
    def broken(self) -> int:
        """1 % of the objects are no whole image."""
        return max(1, self.objects // 100)


@dataclass(frozen=True, slots=True)
class Count:
    """What was there in the end, and how long it took to settle after the last kill."""

    objects: int
    contents: int
    images: int
    records: int
    results: int
    wanted_results: int
    documents: int
    refused: int
    broken: int
    without_reason: int
    pending: int
    quarantined: int
    repeated: int
    settled_after: float
    killed: dict[str, int]

    @property
    def sound(self) -> bool:
        """Nothing lost, nothing doubled, nothing left over."""
        once = self.images == self.contents and self.records == self.contents and self.documents == self.contents
        results = self.results == self.wanted_results
        return once and results and self.refused == self.broken and not (self.without_reason or self.pending)


def files(plan: Plan) -> dict[str, bytes]:
    """Keys and bytes: distinct drawings, copies of some of them, and broken ones."""
    choose = random.Random(plan.seed)
    distinct = plan.objects - plan.copies - plan.broken
    made: dict[str, bytes] = {}
    for number in range(distinct):
        file = io.BytesIO()
        draw(_SEED + number).image.save(file, "JPEG", quality=88)
        made[f"chaos/{number:05}.jpg"] = file.getvalue()
    originals = list(made.values())
    for number in range(plan.copies):
        made[f"chaos/copy-{number:05}.jpg"] = choose.choice(originals)
    for number in range(plan.broken):
        made[f"chaos/broken-{number:05}.jpg"] = choose.choice(originals)[: choose.randrange(40, 3000)]
    return made


def upload(instance: Instance, contents: dict[str, bytes], seed: int) -> None:
    """Put everything in random order and say so again, shuffled and doubled; what fails is told once more."""
    choose = random.Random(seed)
    keys = list(contents)
    choose.shuffle(keys)
    said = [ObjectEvent(EventKind.CREATED, BUCKET, key, source="chaos") for key in keys * 2]
    choose.shuffle(said)
    with instance.services() as services:
        for key in keys:
            services.store.put(BUCKET, key, contents[key])
        for start in range(0, len(said), 20):
            _insist(services, said[start : start + 20])
            time.sleep(0.01)


def _insist(services: Services, events: list[ObjectEvent]) -> None:
    for _ in range(300):
        try:
            take_in(services, events)
            return
        except NafudaError:
            time.sleep(0.2)
    raise AssertionError("the database did not come back")


def kill_at_random(instance: Instance, plan: Plan, pause: float) -> Counter[str]:
    """kill −9 of one random child process after another: workers, decoders, web, the database."""
    choose = random.Random(plan.seed + 1)
    killed: Counter[str] = Counter()
    while killed.total() < plan.kills:
        time.sleep(choose.uniform(0.3, 1.7) * pause)
        children = instance.children()
        if children:
            name = choose.choice(sorted(children))
            os.kill(children[name], signal.SIGKILL)
            killed[name] += 1
    return killed


def run(plan: Plan, folder: Path, pause: float = 1.5) -> Count:
    """Start, upload while killing, wait until nothing is pending, and count."""
    contents = files(plan)
    instance = Instance(folder, "--no-samples").start()
    try:
        uploader = threading.Thread(target=upload, args=(instance, contents, plan.seed))
        uploader.start()
        killed = kill_at_random(instance, plan, pause)
        last = time.monotonic()
        uploader.join()
        limit = SETTLED + EACH * plan.objects
        wait_for(lambda: _pending(instance, len(contents)) == 0, limit, lambda: _state(instance))
        return _count(instance, contents, killed, time.monotonic() - last)
    finally:
        instance.stop()


_PENDING = """
SELECT (SELECT count(*) FROM work WHERE state = 'pending') + (SELECT count(*) FROM records WHERE dirty > merged)
     + (SELECT count(*) FROM index_state WHERE revision > indexed)
     + (SELECT count(*) FROM objects WHERE checked < checks)
     + greatest(0, %d - (SELECT count(*) FROM objects))
"""


def _pending(instance: Instance, objects: int) -> int:
    return int(instance.sql(_PENDING % objects)[0][0])


def _state(instance: Instance) -> str:
    rows = instance.sql("SELECT stage, state, claimed_by, code, reason, count(*) FROM work GROUP BY 1, 2, 3, 4, 5")
    return f"{rows}\n{instance.logs()}"


def _count(instance: Instance, contents: dict[str, bytes], killed: Counter[str], settled: float) -> Count:
    def one(query: str) -> int:
        return int(instance.sql(query)[0][0])

    whole = {content for key, content in contents.items() if "broken" not in key}
    models = one("SELECT cardinality(models) FROM plans ORDER BY version DESC LIMIT 1")
    with instance.services() as services:
        documents = services.index.count()
    return Count(
        objects=one("SELECT count(*) FROM objects"),
        contents=len(whole),
        images=one("SELECT count(*) FROM images"),
        records=one("SELECT count(*) FROM records WHERE live AND status = 'complete'"),
        results=one("SELECT count(*) FROM results"),
        wanted_results=len(whole) * models,
        documents=documents,
        refused=one("SELECT count(*) FROM objects WHERE state = 'refused'"),
        broken=sum("broken" in key for key in contents),
        without_reason=one("SELECT count(*) FROM objects WHERE state = 'refused' AND error = ''"),
        pending=_pending(instance, len(contents)),
        quarantined=one("SELECT count(*) FROM work WHERE state <> 'pending'"),
        repeated=one("SELECT coalesce(sum(computed - 1), 0) FROM results"),
        settled_after=round(settled, 1),
        killed=dict(killed),
    )


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        count = run(Plan(options.objects, options.kills, options.seed), Path(folder) / "data")
    for name, value in asdict(count).items():
        print(f"{name:16} {value}")
    print("sound" if count.sound else "NOT SOUND")
    raise SystemExit(0 if count.sound else 1)


if __name__ == "__main__":
    main()
