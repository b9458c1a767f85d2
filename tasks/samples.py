"""Sample pictures: drawn with known truth by `training.samples`, and put into the bucket like any upload."""

import io
import itertools
from collections.abc import Iterator

from schemas.events import EventKind, ObjectEvent
from tasks.listen import take_in
from tasks.services import Services
from training.samples import Drawing, draw

PREFIX = "samples/"
# What the pages and the README propose to look for: girls with blonde hair and a red hat.
_PROPOSED = (1_003_646, 1_001_002, 1_002_308, 1_002_700, 1_000_324)
_FIRST_SEED = 1_000_000
_AT_ONCE = 16


def put_samples(services: Services, count: int) -> int:
    """Draw what is missing of `count` samples and put it into the bucket; returns how many were put."""
    bucket = services.settings.bucket
    there = {head.key for head in services.store.list(bucket, PREFIX)}
    put = 0
    for chunk in _chunks(range(count), _AT_ONCE):
        events = []
        for number in chunk:
            key = f"{PREFIX}drawing-{number:04}.jpg"
            if key not in there:
                services.store.put(bucket, key, _jpeg(draw(seed_of(number))), "image/jpeg")
                events.append(ObjectEvent(EventKind.CREATED, bucket, key, source="samples"))
        put += len(events)
        take_in(services, events)
    return put


def seed_of(number: int) -> int:
    """The seed of a sample."""
    return _PROPOSED[number] if number < len(_PROPOSED) else _FIRST_SEED + number


def _jpeg(drawing: Drawing) -> bytes:
    file = io.BytesIO()
    drawing.image.save(file, "JPEG", quality=90)
    return file.getvalue()


def _chunks(numbers: range, size: int) -> Iterator[list[int]]:
    source = iter(numbers)
    while chunk := list(itertools.islice(source, size)):
        yield chunk
