"""Reading a manifest: TOML text to `Manifest`, strictly: a slip of the pen must not become a wrong result."""

import re
import tomllib

from schemas.errors import ManifestError
from schemas.model_ops import DECODINGS, FROM_ANSWERS, Operations
from schemas.models import (
    UNKNOWN,
    UNPINNED,
    BatchLimits,
    Cutoffs,
    Input,
    Labels,
    LabelSource,
    Manifest,
    Needs,
    Output,
    Source,
    SourceKind,
    Step,
    StepValue,
)
from schemas.pipeline import STAGES
from schemas.tables import Table

EXTRAS = ("cpu", "cuda", "tensorrt", "caption", "ocr")
ANSWERS = "none"
_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def parse(text: str, document: str) -> Manifest:
    """A manifest from TOML. document: the file's name, for messages.

    Raises ManifestError naming the document, the key and what is allowed there.
    """
    try:
        top = Table(tomllib.loads(text), document)
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{document}: not TOML: {error}") from error
    name = top.text("id")
    if not _ID.fullmatch(name):
        raise top.wrong("id", f"owner/name in letters, digits, '.', '_' and '-', got {name!r}")
    runner = top.text("runner", allowed=DECODINGS)
    manifest = Manifest(
        id=name,
        title=top.text("title"),
        stage=top.text("stage", allowed=[stage.name for stage in STAGES]),
        runner=runner,
        licence=top.text("licence"),
        sample=top.flag("sample", default=False),
        source=_source(top.table("source")),
        needs=_needs(top.table("needs", optional=True)),
        input=_input(top.table("input")),
        image_steps=tuple(_step(each) for each in top.tables("image_steps")),
        batch_steps=tuple(_step(each) for each in top.tables("batch_steps")),
        output=_output(top.table("output"), DECODINGS[runner]),
        labels=_labels(top.table("labels")),
        thresholds=_thresholds(top.table("thresholds")),
        batch=_batch(top.table("batch", optional=True)),
    )
    top.end()
    _agree(manifest, top)
    return manifest


def _agree(manifest: Manifest, top: Table) -> None:
    """What two tables say must fit together."""
    if manifest.labels.file and manifest.labels.file not in manifest.source.files:
        raise top.wrong("labels.file", f"a path listed in source.files, got {manifest.labels.file!r}")
    pictures = manifest.runner not in FROM_ANSWERS
    if pictures and not manifest.image_steps:
        raise top.wrong("image_steps", "at least one step that brings the image to the input's size")
    if not pictures and (manifest.image_steps or manifest.batch_steps):
        raise top.wrong("image_steps", f"no steps: a {manifest.runner} takes other models' answers, no picture")
    if pictures == (manifest.input.layout == ANSWERS):
        raise top.wrong("input.layout", f'"NHWC" or "NCHW" for pictures, "{ANSWERS}" for a runner that takes none')
    for key in ("decoder", "tokenizer", "text"):
        file = manifest.output.params.get(key)
        if file and file not in manifest.source.files:
            raise top.wrong(f"output.{key}", f"a path listed in source.files, got {file!r}")


def _source(table: Table) -> Source:
    kind = SourceKind(table.text("kind", allowed=list(SourceKind)))
    if kind is SourceKind.EXTRA:
        distribution = table.text("distribution")
        table.end()
        return Source(kind, distribution, "", {}, "")
    if kind is SourceKind.MODEL:
        return _borrowed(table)
    name = table.text("name" if kind is SourceKind.PACKAGE else "repo")
    revision = ""
    if kind is SourceKind.HUB:
        revision = table.text("revision")
        if not _COMMIT.fullmatch(revision):
            raise table.wrong("revision", f"a commit of 40 hexadecimal digits (no branch), got {revision!r}")
    graph = table.text("graph", "model.onnx")
    listed = table.table("files")
    files = {path: _digest(listed, path, digest) for path, digest in listed.rest().items()}
    if graph not in files:
        raise table.wrong("files", f"an entry for the graph, {graph!r}")
    table.end()
    return Source(kind, name, revision, files, graph)


def _borrowed(table: Table) -> Source:
    """Paths among another model's files; their digests are that model's to say."""
    name, graph, paths = table.text("model"), table.text("graph"), table.texts("files", ())
    if graph not in paths:
        raise table.wrong("files", f"an entry for the graph, {graph!r}")
    table.end()
    return Source(SourceKind.MODEL, name, UNPINNED, dict.fromkeys(paths, UNKNOWN), graph)


def _digest(table: Table, path: str, digest: object) -> str:
    parts = path.split("/")
    if path.startswith("/") or "\\" in path or any(part in ("", ".", "..") for part in parts):
        raise table.wrong(path, "a relative path inside the model's folder")
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        raise table.wrong(path, f"a SHA-256 of 64 lower-case hexadecimal digits, got {digest!r}")
    return digest


def _needs(table: Table) -> Needs:
    needs = Needs(table.texts("extras", EXTRAS[:3], allowed=EXTRAS), table.whole("memory_mib", 0))
    table.end()
    return needs


def _input(table: Table) -> Input:
    size = table.wholes("size", ())
    if len(size) not in (0, 2):
        raise table.wrong("size", f"[height, width] in pixels, or no key (the graph says it), got {list(size)}")
    found = Input(
        name=table.text("name"),
        layout=table.text("layout", allowed=("NHWC", "NCHW", ANSWERS)),
        dtype=table.text("dtype", allowed=("uint8", "float16", "float32", "int64")),
        size=(size[0], size[1]) if size else None,
    )
    table.end()
    return found


def _step(table: Table) -> Step:
    """A step with its parameters as they are: the registry in workers.steps knows which there may be."""
    op = table.text("op")
    params = {}
    for key, value in table.rest().items():
        if not _plain(value):
            raise table.wrong(key, f"true, false, a number, a text or a list of numbers, got {value!r}")
        params[key] = _value(value)
    return Step(op, params)


def _plain(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(each, int | float) for each in value)
    return isinstance(value, bool | int | float | str)


def _params(table: Table, registry: Operations, op: str) -> dict[str, StepValue]:
    """Parameters with the defaults spelled out, so that the change of a default is a new revision."""
    given = table.rest()
    known = registry[op]
    params: dict[str, StepValue] = {}
    for key in given:
        if key not in known:
            raise table.wrong(key, f"no such parameter; {op!r} takes {', '.join(known) or 'none'}")
    for key, parameter in known.items():
        value = given.get(key, parameter.default)
        if not parameter.kind.test(value):
            raise table.wrong(key, f"{parameter.kind.allowed}, got {value!r}")
        params[key] = _value(value)
    return params


def _value(value: object) -> StepValue:
    if isinstance(value, list | tuple):
        return tuple(value)
    if isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a parameter's kind let {value!r} pass")


def _output(table: Table, registry: Operations) -> Output:
    name = table.text("name")
    decode = table.text("decode", allowed=registry)
    floor = table.share("floor", 0.05)
    return Output(name, decode, _params(table, registry, decode), floor)


def _labels(table: Table) -> Labels:
    source = LabelSource(table.text("source", allowed=list(LabelSource)))
    file = "" if source in (LabelSource.GRAPH, LabelSource.NONE) else table.text("file")
    labels = Labels(source, file, table.text("category", "object"))
    table.end()
    return labels


def _thresholds(table: Table) -> Cutoffs:
    default = table.share("default")
    category = table.table("category", optional=True)
    values = {name: category.share(name) for name in category.names()}
    text = table.number("text", 0.0)
    if not -1 <= text <= 1:
        raise table.wrong("text", f"a cosine in -1..1, got {text!r}")
    table.end()
    return Cutoffs(default, values, text)


def _batch(table: Table) -> BatchLimits:
    limits = BatchLimits(table.whole("max", 32, least=1), table.wholes("preferred", ()))
    sizes = limits.preferred
    if list(sizes) != sorted(set(sizes)) or any(size > limits.max for size in sizes):
        raise table.wrong("preferred", f"ascending sizes up to max = {limits.max}, got {list(sizes)}")
    table.end()
    return limits
