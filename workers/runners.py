"""From a manifest to a loaded runner: the registry of runners, and the one function that opens a model."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from schemas.models import Manifest
from workers.batching.batch import Runner
from workers.batching.batcher import Batcher, BatcherOptions
from workers.detection.detector import Detector
from workers.onnx.fit import program_for
from workers.onnx.model import OnnxModel, join
from workers.onnx.providers import Profile
from workers.onnx.session import Session, SessionOptions, open_session
from workers.tagging.tagger import Tagger

RUNNERS: Mapping[str, Callable[[OnnxModel], Runner]] = {"tagger": Tagger, "detector": Detector}


def load_runner(
    manifest: Manifest,
    paths: Mapping[str, Path],
    providers: Sequence[str] = ("auto",),
    threads: int = 1,
    cache: Path | None = None,
) -> Runner:
    """Open a model's graph, check it against its manifest, and run it once.

    paths: the manifest's files on this machine. cache: folder for TensorRT engines.
    Raises ConfigurationError for providers that are not there, ManifestError for a model that does not fit.
    """
    return runner_on(manifest, paths, open_model(manifest, paths, providers, threads, cache))


def open_model(
    manifest: Manifest,
    paths: Mapping[str, Path],
    providers: Sequence[str] = ("auto",),
    threads: int = 1,
    cache: Path | None = None,
) -> Session:
    """A session on a manifest's graph, unchecked."""
    graph = manifest.source.graph
    sizes = manifest.batch.preferred or (manifest.batch.max,)
    options = SessionOptions(
        providers=providers,
        threads=threads,
        sha256=manifest.source.files[graph],
        precision=manifest.input.dtype if manifest.input.dtype == "float16" else "float32",
        profile=Profile(1, sizes[-1], manifest.batch.max),
        cache=cache,
    )
    return open_session(paths[graph], options)


def runner_on(manifest: Manifest, paths: Mapping[str, Path], session: Session) -> Runner:
    """The runner that a manifest names, on a session."""
    return RUNNERS[manifest.runner](join(manifest, paths, session))


def batcher_for(manifest: Manifest, runner: Runner, delay: timedelta = timedelta(milliseconds=5)) -> Batcher:
    """A started batcher with the manifest's batch sizes in front of a runner."""
    limits = manifest.batch
    options = BatcherOptions(runner.program.size, limits.max, limits.preferred, delay)
    return Batcher(runner.forward, options, manifest.id)


__all__ = ["RUNNERS", "batcher_for", "load_runner", "open_model", "program_for", "runner_on"]
