"""A small works: folder stores, real decoders, the ledgers, pictures to put in; for tests of ingest and analysis."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Barrier

from PIL import Image

from infra.objects.folder import FolderStore
from schemas.errors import NafudaError
from schemas.images import ObjectHead
from tests.decode.pictures import save
from tests.records.books import Books
from workers.cache import InputCache
from workers.decode.pool import DecodePool
from workers.fetching import Several
from workers.ingest.ingest import THUMBNAILS, Ingest
from workers.steps.program import InputProgram

LIMIT = 50_000


def picture(colour: tuple[int, int, int], size: tuple[int, int] = (16, 16)) -> bytes:
    """A PNG of one colour."""
    return save(Image.new("RGB", size, colour), "PNG")


class WatchedStore(FolderStore):
    """The folder store, with something that happens just before an object is read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, create=True)
        self.before: Callable[[ObjectHead], None] = lambda head: None

    def read(self, head: ObjectHead, limit: int) -> bytes:
        self.before(head)
        return super().read(head, limit)


def in_pairs() -> Callable[[ObjectHead], None]:
    """For `before`: nobody reads alone, each waits until another one is at it."""
    both = Barrier(2, timeout=30)

    def wait(_: ObjectHead) -> None:
        both.wait()

    return wait


@dataclass
class Plant:
    """Objects in one bucket, and ingest over them."""

    folder: Path
    books: Books
    decoder: DecodePool
    programs: tuple[InputProgram, ...] = ()
    inputs: InputCache = field(default_factory=InputCache)
    at_once: int = 4 * LIMIT
    several: Several = field(default_factory=partial(Several, 4))

    def __post_init__(self) -> None:
        self.store = WatchedStore(self.folder / "buckets")
        self.store.make_bucket("images")
        self.derived = FolderStore(self.folder / "derived", create=True)
        self.derived.make_bucket(THUMBNAILS)

    def put(self, **objects: bytes) -> None:
        """Store objects; underscores in names stand for dots."""
        for name, content in objects.items():
            self.store.put("images", name.replace("_", "."), content)

    def ingest(self, *keys: str) -> dict[str, NafudaError]:
        """Hint at keys and ingest them as one chunk; returns errors by key."""
        rows = self.books.note(*keys)
        return self.again(*keys) if rows else {}

    def again(self, *keys: str) -> dict[str, NafudaError]:
        """Ingest keys as one chunk."""
        names = {row.id: row.key for row in self.books.rows(*keys)}
        worker = Ingest(
            self.store,
            self.derived,
            self.books.objects,
            self.decoder,
            self.inputs,
            self.programs,
            self.several,
            LIMIT,
            self.at_once,
        )
        return {names[number]: error for number, error in worker.run(list(names)).items()}

    def state(self, *keys: str) -> list[str]:
        """The objects' states."""
        return [row.state for row in self.books.rows(*keys)]

    def images(self, *keys: str) -> Sequence[int]:
        """The images that objects hold."""
        return [row.image or 0 for row in self.books.rows(*keys)]
