"""A whole site in a test's folder and database: real ledgers, index, stores and desk, and images put in at once."""

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from infra.records.accounts import PostgresAccounts
from infra.settings import Settings
from schemas.events import EventKind, ObjectEvent
from schemas.ledger import Found
from schemas.merging import RegisteredModel
from schemas.models import Label
from schemas.results import ModelOutput, StageResult
from schemas.review import Role
from schemas.rules import Action, Policy
from schemas.services import WebServices
from tasks.merge import refresh
from tasks.serve import web_services
from tasks.services import Services
from workers.decode.facts import describe
from workers.decode.limits import DecodeLimits
from workers.decode.pixels import decode
from workers.ingest.ingest import THUMBNAILS, thumbnail_key

SECRET = "known to the storage server"
PASSWORD = "correct horse battery staple"
GENERAL = ("smile", "hat", "glasses", "blonde_hair", "sword", "solo", "tall&<b>bold</b>")
TAGS = (*(Label(name, "general") for name in GENERAL), Label("miku", "character"), Label("general", "rating"))
OBJECTS = (Label("face", "object"), Label("person", "object"))
POLICY = Policy("weapons", "tag:sword", 0.6, "medium", Action.HOLD, "weapons")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a model is made to say of an image: tags with scores, boxes xyxy with labels and scores."""

    tags: tuple[tuple[str, float], ...] = (("smile", 0.9),)
    boxes: tuple[tuple[str, tuple[float, float, float, float], float], ...] = ()


def png(colour: str = "navy", size: tuple[int, int] = (40, 40)) -> bytes:
    """A small picture as a file."""
    stream = BytesIO()
    Image.new("RGB", size, colour).save(stream, "PNG")
    return stream.getvalue()


class Site:
    """The parts of a web process on a fresh database, and ways to fill it."""

    def __init__(
        self,
        folder: Path,
        database: str,
        *,
        tags: Sequence[Label] = TAGS,
        objects: Sequence[Label] = OBJECTS,
        policies: Sequence[Policy] = (POLICY,),
    ) -> None:
        self.closing = ExitStack()
        self.services = Services(
            Settings(
                data=folder,
                database_url=database,
                broker_url="memory://",
                max_bytes=200_000,
                events_secret=SECRET,
            )
        )
        self.closing.callback(self.services.close)
        self.services.store.make_bucket("images")
        for bucket in (THUMBNAILS, "views"):
            self.services.derived.make_bucket(bucket)
        rules = self.services.rules
        collection = rules.ensure_collection("main", "images")
        self.tags, self.objects = tuple(tags), tuple(objects)
        self.tagger = rules.register(
            RegisteredModel(0, "sample-tagger", "tagging", "a" * 64, True, self.tags, {"*": 0.5}, 0.05)
        )
        self.detector = rules.register(
            RegisteredModel(0, "sample-detector", "detection", "b" * 64, True, self.objects, {"*": 0.5}, 0.05)
        )
        rules.ensure_plan(collection, [self.tagger, self.detector])
        rules.set_policies(policies, "test")
        self.accounts = PostgresAccounts(self.services.pool)
        self.web: WebServices = self.closing.enter_context(web_services(self.services))

    def people(self) -> None:
        """One person for each role, named like it, all with PASSWORD."""
        for role in Role:
            self.accounts.create(role.value, PASSWORD, role)

    def add(self, key: str, shown: Shown = Shown(), picture: Image.Image | None = None) -> int:
        """Put an image in, analysed and searchable; returns its record."""
        image = picture or Image.new("RGB", (90, 120), tuple(hashlib.sha256(key.encode()).digest()[:3]))
        stream = BytesIO()
        image.save(stream, "PNG")
        record = self.found(key, stream.getvalue())
        number = self.services.records.record(record).image
        self.services.results.store(
            [
                StageResult(number, self.tagger, "tagging", self._said(shown), 8.4, 16),
                StageResult(number, self.detector, "detection", self._seen(shown), 21.0, 16),
            ]
        )
        refresh(self.services, [record])
        return record

    def found(self, key: str, content: bytes) -> int:
        """What ingest does for one object: stored, noted, taken in; nothing is analysed yet."""
        services = self.services
        head = services.store.put("images", key, content)
        services.objects.note([ObjectEvent(EventKind.CREATED, "images", key, etag=head.etag, size=head.size)])
        facts = describe(decode(content, DecodeLimits()))
        digest = hashlib.sha256(content).hexdigest()
        services.derived.put(THUMBNAILS, thumbnail_key(digest), facts.thumbnail)
        with services.pool.connection() as connection:
            found = connection.execute("SELECT id, checks FROM objects WHERE key = %s", (key,)).fetchone()
        assert found is not None
        services.objects.found([Found(int(found[0]), int(found[1]), head, digest, facts, None)])
        with services.pool.connection() as connection:
            row = connection.execute(
                "SELECT r.id FROM records r JOIN objects o ON o.image = r.image WHERE o.key = %s", (key,)
            ).fetchone()
        assert row is not None
        refresh(services, [int(row[0])])
        return int(row[0])

    def close(self) -> None:
        """Let everything go."""
        self.closing.close()

    def _said(self, shown: Shown) -> ModelOutput:
        names = [label.name for label in self.tags]
        labels = [names.index(name) for name, _ in shown.tags]
        return ModelOutput(np.array(labels, np.int16), np.array([score for _, score in shown.tags], np.float32))

    def _seen(self, shown: Shown) -> ModelOutput:
        names = [label.name for label in self.objects]
        return ModelOutput(
            np.array([names.index(name) for name, _, _ in shown.boxes], np.int16),
            np.array([score for _, _, score in shown.boxes], np.float32),
            np.array([box for _, box, _ in shown.boxes], np.float32).reshape(-1, 4),
        )
