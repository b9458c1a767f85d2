"""From a manifest to a loaded runner: the registry of runners, and the one function that opens a model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from schemas.errors import ManifestError
from schemas.models import BatchLimits, Manifest
from workers.batching.batch import Runner
from workers.batching.batcher import Batcher, BatcherOptions
from workers.batching.turns import Turns
from workers.captioning.blip import Blip
from workers.captioning.captioner import Captioner
from workers.detection.detector import Detector
from workers.embedding.embedder import Embedder
from workers.embedding.texts import TextEncoder
from workers.onnx.fit import program_for, read_labels
from workers.onnx.model import join
from workers.onnx.providers import Profile
from workers.onnx.session import Session, SessionOptions, open_session
from workers.reading.reader import Reader
from workers.scoring.answers import AnswerRunner, ClipScore, VectorScorer
from workers.scoring.scorer import Scorer
from workers.tagging.tagger import Tagger

CPU_BATCH = 8  # images
_RING = 3  # batches of the size that the manifest allows


@dataclass(frozen=True, slots=True)
class Opening:
    """A model that is about to run: its manifest, its files on this machine, and how sessions are opened here."""

    manifest: Manifest
    paths: Mapping[str, Path]
    providers: Sequence[str] = ("auto",)
    threads: int = 1
    cache: Path | None = None

    def session(self, graph: str = "") -> Session:
        """A session on one of the model's graphs, unchecked; the main one by default."""
        manifest = self.manifest
        name = graph or manifest.source.graph
        sizes = manifest.batch.preferred or (manifest.batch.max,)
        options = SessionOptions(
            providers=self.providers,
            threads=self.threads,
            sha256=manifest.source.files[name],
            precision=manifest.input.dtype if manifest.input.dtype == "float16" else "float32",
            profile=Profile(1, sizes[-1], manifest.batch.max),
            cache=self.cache,
        )
        return open_session(self.paths[name], options)


def _captioner(opening: Opening, session: Session) -> Runner:
    decoder = opening.session(str(opening.manifest.output.params["decoder"]))
    return Captioner(join(opening.manifest, opening.paths, session), decoder, opening.paths)


RUNNERS: Mapping[str, Callable[[Opening, Session], Runner]] = {
    "tagger": lambda opening, session: Tagger(join(opening.manifest, opening.paths, session)),
    "detector": lambda opening, session: Detector(join(opening.manifest, opening.paths, session)),
    "embedder": lambda opening, session: Embedder(join(opening.manifest, opening.paths, session)),
    "scorer": lambda opening, session: Scorer(join(opening.manifest, opening.paths, session)),
    "captioner": _captioner,
}
# What loads its files by itself has no session of ours.
OWN_RUNNERS: Mapping[str, Callable[[Opening], Runner]] = {
    "blip": lambda opening: Blip(opening.manifest, opening.paths),
    "reader": lambda opening: Reader(opening.manifest, opening.threads),
}
ANSWER_RUNNERS: Mapping[str, Callable[[Opening, Session], AnswerRunner]] = {
    "clip_score": lambda opening, session: ClipScore(
        opening.manifest, session, opening.paths, read_labels(opening.manifest, opening.paths, session)
    ),
    "vector_scorer": lambda opening, session: VectorScorer(
        opening.manifest, session, opening.paths, read_labels(opening.manifest, opening.paths, session)
    ),
}


def load_runner(
    manifest: Manifest,
    paths: Mapping[str, Path],
    providers: Sequence[str] = ("auto",),
    threads: int = 1,
    cache: Path | None = None,
) -> Runner:
    """Open the graphs of a model of pictures, check them against its manifest, and run them once.

    paths: the manifest's files on this machine. cache: folder for TensorRT engines.
    Raises ConfigurationError for providers that are not there, ManifestError for a model that does not fit.
    """
    opening = Opening(manifest, paths, providers, threads, cache)
    if manifest.runner in OWN_RUNNERS:
        return OWN_RUNNERS[manifest.runner](opening)
    return RUNNERS[manifest.runner](opening, opening.session())


def load_model(opening: Opening) -> Runner | AnswerRunner:
    """A model of pictures or of other models' answers; errors as in `load_runner`."""
    if opening.manifest.runner in OWN_RUNNERS:
        return OWN_RUNNERS[opening.manifest.runner](opening)
    return runner_on(opening, opening.session())


def open_model(manifest: Manifest, paths: Mapping[str, Path], providers: Sequence[str] = ("auto",)) -> Session:
    """A session on a manifest's main graph, unchecked."""
    return Opening(manifest, paths, providers).session()


def runner_on(opening: Opening, session: Session) -> Runner | AnswerRunner:
    """The runner that a manifest names, on a session of its main graph."""
    name = opening.manifest.runner
    return RUNNERS[name](opening, session) if name in RUNNERS else ANSWER_RUNNERS[name](opening, session)


def load_text_encoder(opening: Opening) -> TextEncoder:
    """The text half of an embedder. ManifestError when it has none."""
    manifest = opening.manifest
    params = manifest.output.params
    if manifest.runner != "embedder" or not params["text"]:
        raise ManifestError(f"{manifest.id} has no text graph: name one in output.text")
    tokenizer = opening.paths[str(params["tokenizer"])]
    session = opening.session(str(params["text"]))
    length, pad = int(str(params["length"])), int(str(params["pad_id"]))
    return TextEncoder(session, tokenizer, manifest.id, str(params["text_output"]), length, pad)


def batcher_for(
    manifest: Manifest,
    runner: Runner,
    delay: timedelta = timedelta(milliseconds=5),
    turns: Turns | None = None,
) -> Batcher:
    """A started batcher with the manifest's batch sizes in front of a runner; on the CPU smaller ones, by `turns`."""
    limits, on_cpu = manifest.batch, runner.providers[0] == "cpu"
    used = on_a_cpu(limits) if on_cpu else limits
    slots = _RING * limits.max // used.max  # a chunk has room as a whole, however small its batches
    options = BatcherOptions(runner.program.size, used.max, used.preferred, delay, slots)
    return Batcher(runner.forward, options, manifest.id, turns if on_cpu else None)


def on_a_cpu(limits: BatchLimits) -> BatchLimits:
    """Batches that a core's caches hold, out of those that a manifest allows: larger ones cost more for each image
    (benchmarks/batch_sizes.py) and in memory, and others wait longer for their turn.

    Of sizes that are padded to, those that are no larger; if there are none, the smallest.
    """
    sizes = tuple(size for size in limits.preferred if size <= CPU_BATCH) or limits.preferred[:1]
    return BatchLimits(sizes[-1] if sizes else min(limits.max, CPU_BATCH), sizes)


__all__ = [
    "ANSWER_RUNNERS",
    "CPU_BATCH",
    "OWN_RUNNERS",
    "RUNNERS",
    "Opening",
    "batcher_for",
    "load_model",
    "load_runner",
    "load_text_encoder",
    "on_a_cpu",
    "open_model",
    "program_for",
    "runner_on",
]
