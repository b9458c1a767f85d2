"""Sessions: a loaded graph that is fed arrays and gives arrays, whatever runtime is below."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.errors import ConfigurationError, ManifestError
from workers.onnx.providers import NAMES, EngineKey, Profile, choose, compare, engine_folder, tensorrt_options

if TYPE_CHECKING:
    import types

    import onnxruntime

log = logging.getLogger(__name__)

Array = NDArray[np.generic]

# ONNX Runtime's names of tensor types that a model of ours may have, in numpy's words.
DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output as the graph declares it. shape: None where it is free. dtype: numpy's name."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


class Session(Protocol):
    """A loaded graph. `run` may be called from any thread, but only one at a time gains anything."""

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the graph takes."""

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """What the graph gives."""

    @property
    def metadata(self) -> Mapping[str, str]:
        """Free texts that came with the graph."""

    @property
    def providers(self) -> tuple[str, ...]:
        """What it runs on: "tensorrt", "cuda", "cpu", best first."""

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Run once: every input by name → every output by name."""


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How to open a session.

    providers: in order of preference, or ("auto",). threads: of one operation, 0: as many as cores.
    sha256, precision, profile, cache: only for TensorRT's engines; no engine is kept without a cache folder.
    """

    providers: Sequence[str] = ("auto",)
    threads: int = 1
    sha256: str = ""
    precision: str = "float32"
    profile: Profile = field(default_factory=lambda: Profile(1, 32, 32))
    cache: Path | None = None


class OrtSession:
    """A Session on ONNX Runtime. Made by `open_session`."""

    def __init__(self, inner: onnxruntime.InferenceSession, providers: tuple[str, ...]) -> None:
        self._inner = inner
        self._providers = providers
        self._inputs = tuple(_tensor(each) for each in inner.get_inputs())
        self._outputs = tuple(_tensor(each) for each in inner.get_outputs())
        self._metadata = dict(inner.get_modelmeta().custom_metadata_map)

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the graph takes."""
        return self._inputs

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """What the graph gives."""
        return self._outputs

    @property
    def metadata(self) -> Mapping[str, str]:
        """Free texts that came with the graph."""
        return self._metadata

    @property
    def providers(self) -> tuple[str, ...]:
        """What it runs on, best first."""
        return self._providers

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Run once. ONNX Runtime's own exceptions come through: the batcher decides what they mean."""
        names = [each.name for each in self._outputs]
        values = self._inner.run(names, dict(feeds))
        return {name: np.asarray(value) for name, value in zip(names, values, strict=True)}


def open_session(path: Path, options: SessionOptions) -> OrtSession:
    """Load a graph. ConfigurationError: a provider is missing; ManifestError: the file is no usable graph."""
    runtime = _runtime()
    chosen = choose(options.providers, runtime.get_available_providers())
    settings = runtime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    # Cores are shared with decoding: a thread that waits must sleep, not spin.
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    settings.log_severity_level = 3
    try:
        inner = runtime.InferenceSession(str(path), settings, providers=_providers(runtime, path, chosen, options))
    except Exception as error:
        raise ManifestError(f"{path}: ONNX Runtime cannot load it: {_first_line(error)}") from error
    return OrtSession(inner, compare(options.providers, chosen, inner.get_providers(), path.name))


def _runtime() -> types.ModuleType:
    try:
        import onnxruntime
    except ImportError as error:
        raise ConfigurationError(
            "ONNX Runtime is not installed; install one of nafuda[cpu], nafuda[cuda] and nafuda[tensorrt]"
        ) from error
    found: types.ModuleType = onnxruntime
    return found


def _providers(
    runtime: types.ModuleType, path: Path, chosen: Sequence[str], options: SessionOptions
) -> list[tuple[str, dict[str, str]]]:
    """Provider names and options; the CPU is always last, for operators that others have not got."""
    found: list[tuple[str, dict[str, str]]] = []
    for name in (*chosen, "cpu"):
        wanted: dict[str, str] = {}
        if name == "tensorrt" and options.cache is not None:
            wanted = dict(_engine_options(runtime, path, options, options.cache))
        if NAMES[name] not in [each for each, _ in found]:
            found.append((NAMES[name], wanted))
    return found


def _engine_options(runtime: types.ModuleType, path: Path, options: SessionOptions, cache: Path) -> Mapping[str, str]:
    """TensorRT's options need the input's name and shape: the graph is opened once on the CPU to ask."""
    asked = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    first = _tensor(asked.get_inputs()[0])
    sample = [size for size in first.shape[1:] if size is not None]
    if len(sample) != len(first.shape) - 1:
        raise ManifestError(f"{path}: TensorRT needs a fixed image size, the graph says {first.shape}")
    key = EngineKey(options.sha256, options.precision, options.profile, _versions(runtime))
    engine_folder(cache, key).mkdir(parents=True, exist_ok=True)
    return tensorrt_options(key, first.name, sample, cache)


def _versions(runtime: types.ModuleType) -> str:
    try:
        builder = metadata.version("tensorrt")
    except metadata.PackageNotFoundError:
        builder = "of the system"
    return f"onnxruntime {runtime.__version__}, tensorrt {builder}"


def _tensor(node: onnxruntime.NodeArg) -> Tensor:
    shape = tuple(size if isinstance(size, int) and size > 0 else None for size in node.shape)
    return Tensor(node.name, shape, DTYPES.get(node.type, node.type))


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
