"""The way from a manifest to answers: load, prepare, batch, read (R61)."""

import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from schemas import model_ops
from schemas.errors import NafudaError
from schemas.models import BatchLimits, Manifest
from schemas.results import ModelOutput
from tests.runners import graphs, manifests
from workers.batching.batch import Batch, Prepared, Runner
from workers.detection.yolo import HEADS
from workers.runners import ANSWER_RUNNERS, OWN_RUNNERS, RUNNERS, batcher_for, load_runner, on_a_cpu
from workers.steps.program import InputProgram, run_program
from workers.tagging.tagger import DECODINGS

SOON = timedelta(seconds=30)


def pictures(count: int, program: InputProgram) -> list[Prepared]:
    random = np.random.default_rng(5)
    sizes = random.integers(5, 60, (count, 2))
    images = [Image.fromarray(random.integers(0, 256, (h, w, 3), np.uint8)) for h, w in sizes]
    return [Prepared(*run_program(image, program)) for image in images]


def tagger(folder: Path, batch: str) -> tuple[Manifest, Runner]:
    """A small tagger on the CPU. batch: what its manifest says of batches."""
    (folder / "selected_tags.csv").write_text(manifests.WD_CSV)
    graph = graphs.wd_tagger(folder / "model.onnx", 5)
    labels = 'source = "csv"\nfile = "selected_tags.csv"'
    manifest, paths = manifests.write(graph, labels=labels, batch=batch)
    return manifest, load_runner(manifest, paths, ["cpu"])


def test_a_batcher_in_front_of_a_model_answers_as_the_model_does_image_by_image(tmp_path: Path) -> None:
    manifest, runner = tagger(tmp_path, "max = 4\npreferred = [2, 4]")
    prepared = pictures(30, runner.program)
    alone = [runner.forward(Batch(each.pixels[None], (each.geometry,)))[0] for each in prepared]

    batcher = batcher_for(manifest, runner)
    found: dict[int, list[object]] = {}

    def call(start: int) -> None:
        ticket = batcher.submit(prepared[start : start + 10])
        found[start] = [outcome.value for outcome in ticket.results(SOON)]

    callers = [threading.Thread(target=call, args=(start,)) for start in (0, 10, 20)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert batcher.close(SOON)

    merged = found[0] + found[10] + found[20]
    for one, other in zip(alone, merged, strict=True):
        assert isinstance(one, ModelOutput)
        assert isinstance(other, ModelOutput)
        assert one.labels.tolist() == other.labels.tolist()
        assert np.allclose(one.scores, other.scores, atol=1e-6)


def test_every_runner_that_a_manifest_may_name_exists() -> None:
    assert RUNNERS.keys() | OWN_RUNNERS.keys() | ANSWER_RUNNERS.keys() == model_ops.DECODINGS.keys()
    assert ANSWER_RUNNERS.keys() == model_ops.FROM_ANSWERS.keys()


def test_every_decoding_that_a_manifest_may_name_exists() -> None:
    assert DECODINGS.keys() == model_ops.TAG_DECODINGS.keys()
    head = model_ops.DETECTION_DECODINGS["yolo"]["head"].kind
    assert all(head.test(name) for name in (*HEADS, "auto"))


@pytest.mark.parametrize(
    ("allowed", "used"),
    [
        (BatchLimits(32), BatchLimits(8)),
        (BatchLimits(4), BatchLimits(4)),
        (BatchLimits(32, (4, 8, 32)), BatchLimits(8, (4, 8))),
        (BatchLimits(32, (16, 32)), BatchLimits(16, (16,))),
    ],
)
def test_on_a_cpu_a_batch_is_what_its_caches_hold(allowed: BatchLimits, used: BatchLimits) -> None:  # R61
    assert on_a_cpu(allowed) == used


def test_a_chunk_has_room_at_a_model_on_the_cpu_however_small_its_batches(tmp_path: Path) -> None:
    """Else whoever hands it in would wait for the model before the next one had anything to do."""
    manifest, runner = tagger(tmp_path, "max = 32")
    sizes: list[int] = []
    going = threading.Event()

    class Held:
        labels, program, providers = runner.labels, runner.program, runner.providers

        def forward(self, batch: Batch) -> Sequence[ModelOutput | NafudaError]:
            going.wait(10)
            sizes.append(len(batch))
            return runner.forward(batch)

    batcher = batcher_for(manifest, Held())
    ticket = batcher.submit(pictures(32, runner.program), timeout=timedelta(seconds=2))
    going.set()
    assert len(ticket.results(SOON)) == 32
    assert batcher.close(SOON)
    assert max(sizes) == 8
