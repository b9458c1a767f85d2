"""A plant with two taggers in front of real graphs; decoders are shared."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from infra.records.pool import Pool
from schemas.ledger import Claim
from schemas.pipeline import TAGGING
from schemas.results import Failure, StageResult
from tests.ingest.plant import LIMIT, Plant
from tests.records.books import STAGES, Books
from tests.runners import graphs, manifests
from workers.analysis.analysis import Analysis, LoadedModel
from workers.batching.batch import Runner
from workers.cache import InputCache
from workers.decode.pool import DecodePool
from workers.runners import batcher_for, load_runner


@dataclass
class Bench:
    """Analysis over a plant. models: by id, each gives red / 255 and 1 / green of a picture's first pixel."""

    plant: Plant
    models: dict[int, LoadedModel]
    inputs: InputCache = field(default_factory=InputCache)
    at_once: int = 4 * LIMIT

    def claims(self) -> list[Claim]:
        return self.plant.books.work().claim(STAGES, 32)

    def run(self, claims: list[Claim]) -> tuple[list[StageResult], list[Failure]]:
        worker = Analysis(
            self.plant.store,
            self.plant.books.objects,
            self.plant.decoder,
            self.inputs,
            self.models,
            self.plant.several,
            LIMIT,
            self.at_once,
        )
        return worker.run(claims)


@pytest.fixture(scope="session")
def decoder() -> Iterator[DecodePool]:
    with DecodePool(1) as decoder:
        yield decoder


@pytest.fixture
def bench(tmp_path: Path, pool: Pool, decoder: DecodePool) -> Iterator[Bench]:
    books = Books(pool)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "labels.json").write_text(json.dumps(["red", "inverse green"]))
    manifest, paths = manifests.write(
        graphs.fussy_tagger(folder / "model.onnx"),
        steps=manifests.PAD,
        take='name = "image"\nlayout = "NHWC"\ndtype = "uint8"',
        give='name = "scores"\ndecode = "probabilities"',
        labels='source = "json"\nfile = "labels.json"',
    )
    models = {}
    for name in ("one", "two"):
        runner: Runner = load_runner(manifest, paths, ["cpu"])
        number = books.model(name)
        models[number] = LoadedModel(number, name, TAGGING, runner, batcher_for(manifest, runner))
    books.collection(*models)
    plant = Plant(tmp_path, books, decoder, programs=(runner.program,))
    yield Bench(plant, models, plant.inputs)
    for model in models.values():
        model.batcher.close(timedelta(seconds=30))
