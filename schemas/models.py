"""Models as data: what a manifest says about one model, and what counts as a revision of it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

UNPINNED = "0" * 40  # in a commit's place
UNKNOWN = "0" * 64  # in a digest's place
StepValue = bool | int | float | str | tuple[int, ...] | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """What a model can say: a name and the category that it belongs to ("general", "rating", "object" …)."""

    name: str
    category: str


@dataclass(frozen=True, slots=True)
class Step:
    """One preparation of the input: a function of the closed registry by name, with its parameters."""

    op: str
    params: Mapping[str, StepValue] = field(default_factory=dict)


class SourceKind(StrEnum):
    """Where a model's files come from: the package itself, a repository of the Hugging Face hub, another model."""

    PACKAGE = "package"
    HUB = "hub"
    EXTRA = "extra"  # files that an installed distribution carries and loads by itself
    MODEL = "model"  # some of another model's files: what that is pinned to counts


@dataclass(frozen=True, slots=True)
class Source:
    """The files of a model. name: folder in the package, `owner/repository` on the hub, a distribution or a model.

    revision: 40 hexadecimal digits of a commit, "" for a model that is not on the hub; all 0: not pinned yet.
    files: path → SHA-256; all 0: not known yet. graph: which of the files is the graph, or holds the weights; "" for
    a distribution.
    """

    kind: SourceKind
    name: str
    revision: str
    files: Mapping[str, str]
    graph: str = "model.onnx"

    @property
    def has_commit(self) -> bool:
        """False for a model of the hub of which nobody said yet which commit is meant."""
        return self.kind is not SourceKind.HUB or self.revision != UNPINNED

    @property
    def pinned(self) -> bool:
        """False for a model of the hub while its commit or the digest of a file is not known."""
        return self.kind is not SourceKind.HUB or (self.has_commit and UNKNOWN not in self.files.values())


@dataclass(frozen=True, slots=True)
class Needs:
    """What must be there: one of these extras, and so much memory in MiB (0: not measured)."""

    extras: tuple[str, ...] = ("cpu", "cuda", "tensorrt")
    memory_mib: int = 0


@dataclass(frozen=True, slots=True)
class Input:
    """The graph's image input. size is (height, width) in pixels, or None: the graph says it.

    layout: "NHWC", "NCHW", or "none" for a model that takes other models' answers. dtype: numpy's name.
    """

    name: str
    layout: str
    dtype: str
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """The graph's answer and how to read it.

    floor: lower scores are not kept at all, so it belongs to the revision, unlike a threshold.
    """

    name: str
    decode: str
    params: Mapping[str, StepValue] = field(default_factory=dict)
    floor: float = 0.05


class LabelSource(StrEnum):
    """Where the labels are: a CSV as WD taggers have, a JSON list, `names` in the graph's metadata, or nowhere."""

    CSV = "csv"
    JSON = "json"
    GRAPH = "graph"
    NONE = "none"  # one label, named like its category


@dataclass(frozen=True, slots=True)
class Labels:
    """The label list. file: "" for the graph's own. category: of labels whose source names none."""

    source: LabelSource
    file: str = ""
    category: str = "object"


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """Default thresholds in [0, 1], applied at merge: by category, else `default`.

    text: of an embedder, the cosine in [-1, 1] from which a picture is a hit of a description; applied when asked.
    """

    default: float
    category: Mapping[str, float] = field(default_factory=dict)
    text: float = 0.0

    def of(self, label: Label) -> float:
        """The score from which this label holds."""
        return self.category.get(label.category, self.default)


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How many images may run at once; `preferred` sizes (ascending) are padded to, none: any size runs."""

    max: int = 32
    preferred: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that is needed to run a model of a known shape, and nothing that runs."""

    id: str
    title: str
    stage: str
    runner: str
    licence: str
    sample: bool
    source: Source
    needs: Needs
    input: Input
    image_steps: tuple[Step, ...]
    batch_steps: tuple[Step, ...]
    output: Output
    labels: Labels
    thresholds: Cutoffs
    batch: BatchLimits


def revision(manifest: Manifest, digests: Mapping[str, str]) -> str:
    """SHA-256 over files, preprocessing and decoding: the same revision gives the same raw results.

    digests: path → SHA-256 of every file. Thresholds, title, needs and batch sizes are left out on purpose.
    """
    said = asdict(manifest)
    keys = ("stage", "runner", "input", "image_steps", "batch_steps", "output", "labels")
    parts = {key: said[key] for key in keys}
    parts["files"] = dict(digests)
    parts["graph"] = manifest.source.graph
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
