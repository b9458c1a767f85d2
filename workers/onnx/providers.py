"""Execution providers: what was asked for, in ONNX Runtime's words, and whether that is what runs.

ONNX Runtime falls back to the CPU with no more than a warning; a GPU worker that silently runs on the CPU is
forty times too slow and looks healthy. So what was asked for by name is compared with what the session says.
The TensorRT and CUDA options were prepared from ONNX Runtime's documentation and have not run on a GPU yet.
"""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigurationError

log = logging.getLogger(__name__)

NAMES = {
    "tensorrt": "TensorrtExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Profile:
    """Batch sizes that a TensorRT engine is built for: out of min..max the engine would be built again."""

    least: int
    best: int
    most: int


@dataclass(frozen=True, slots=True)
class EngineKey:
    """What a built engine depends on; a change of any of these needs a new engine (R62)."""

    sha256: str
    precision: str
    profile: Profile
    versions: str


def choose(asked: Sequence[str], available: Sequence[str]) -> tuple[str, ...]:
    """The short names to open a session with, best first. asked: names in order of preference, or ("auto",).

    Raises ConfigurationError for an unknown name and for one that the installed ONNX Runtime has not got.
    """
    if tuple(asked) == (AUTO,):
        return tuple(name for name, full in NAMES.items() if full in available)
    if not asked:
        raise ConfigurationError(f"no execution provider is named; set providers to {AUTO} or some of {_known()}")
    for name in asked:
        if name not in NAMES:
            raise ConfigurationError(f"unknown execution provider {name!r}; known: {_known()}, or {AUTO} alone")
        if NAMES[name] not in available:
            here = ", ".join(short for short, full in NAMES.items() if full in available)
            raise ConfigurationError(
                f"the installed ONNX Runtime has no {name} provider (it has {here}); install nafuda[{name}] "
                f"instead of the present extra, or take {name} out of the setting providers"
            )
    return tuple(asked)


def compare(asked: Sequence[str], chosen: Sequence[str], running: Sequence[str], model: str) -> tuple[str, ...]:
    """The short names that really run. running: `session.get_providers()`.

    Raises ConfigurationError when one that was asked for by name is not there; with "auto" it is logged.
    """
    names = tuple(name for name, full in NAMES.items() if full in running)
    lost = [name for name in chosen if name not in names]
    if tuple(asked) == (AUTO,):
        log.info("%s runs on %s (chosen by auto)", model, ", ".join(names))
        if lost:
            log.warning("%s: the provider %s is installed but did not start", model, ", ".join(lost))
    elif lost:
        raise ConfigurationError(
            f"{model}: asked for {', '.join(asked)}, but ONNX Runtime runs it on {', '.join(names)}: "
            f"{', '.join(lost)} did not start; check driver and libraries, or change the setting providers"
        )
    return names


def engine_folder(cache: Path, key: EngineKey) -> Path:
    """Where the engines of one key are kept: nothing else may be read from or written there."""
    profile = key.profile
    text = json.dumps([key.sha256, key.precision, profile.least, profile.best, profile.most, key.versions])
    return cache / hashlib.sha256(text.encode()).hexdigest()[:32]


def tensorrt_options(key: EngineKey, input_name: str, sample: Sequence[int], cache: Path) -> Mapping[str, str]:
    """Provider options: explicit profile shapes and an engine cache. sample: one image's shape, without N."""
    folder = str(engine_folder(cache, key))

    def shapes(count: int) -> str:
        return f"{input_name}:{'x'.join(str(size) for size in (count, *sample))}"

    return {
        "trt_profile_min_shapes": shapes(key.profile.least),
        "trt_profile_opt_shapes": shapes(key.profile.best),
        "trt_profile_max_shapes": shapes(key.profile.most),
        "trt_fp16_enable": "1" if key.precision == "float16" else "0",
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": folder,
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": folder,
        "trt_max_workspace_size": str(1 << 30),
    }


def _known() -> str:
    return ", ".join(NAMES)
