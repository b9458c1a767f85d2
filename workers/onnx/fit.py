"""Whether a manifest fits its graph, and what it leaves to the graph: the input's size and the labels."""

from collections.abc import Mapping
from pathlib import Path

from schemas import labels as label_texts
from schemas.errors import ManifestError
from schemas.models import Label, LabelSource, Manifest
from schemas.models import Step as Said
from workers.onnx.session import Session, Tensor
from workers.steps.image import IMAGE_STEPS
from workers.steps.program import InputProgram
from workers.steps.registry import Step


def mismatches(manifest: Manifest, session: Session) -> list[str]:
    """What a manifest says of its graph's input and output that is not so, in sentences."""
    wanted = manifest.input
    found = next((each for each in session.inputs if each.name == wanted.name), None)
    wrong: list[str] = []
    if found is None or len(session.inputs) != 1:
        wrong.append(f"input.name is {wanted.name!r}, the graph takes {_names(session.inputs)}")
    else:
        wrong += _input_mismatches(manifest, found)
    if manifest.output.name not in [each.name for each in session.outputs]:
        wrong.append(f"output.name is {manifest.output.name!r}, the graph gives {_names(session.outputs)}")
    return wrong


def _input_mismatches(manifest: Manifest, found: Tensor) -> list[str]:
    wanted, wrong = manifest.input, []
    if found.dtype != wanted.dtype:
        wrong.append(f"input.dtype is {wanted.dtype}, the graph takes {found.dtype}")
    channels = found.shape[{"NHWC": -1, "NCHW": 1}[wanted.layout]] if len(found.shape) == 4 else 0
    if channels not in (3, None):
        wrong.append(f"input.layout is {wanted.layout}, the graph takes the shape {found.shape}")
        return wrong
    size = _graph_size(found, wanted.layout)
    if wanted.size is None and None in size:
        wrong.append(f"the graph leaves the size free ({found.shape}): set input.size = [height, width]")
    if wanted.size is not None and any(a not in (b, None) for a, b in zip(size, wanted.size, strict=True)):
        wrong.append(f"input.size is {wanted.size}, the graph takes {size}")
    return wrong


def program_for(manifest: Manifest, session: Session) -> InputProgram:
    """The image steps for the decoding pool; a step that needs a size and names none gets the graph's."""
    said = manifest.input
    size = said.size or _graph_size(tensor(session.inputs, said.name), said.layout)
    if size[0] is None or size[1] is None:
        raise ManifestError(f"{manifest.id}: the graph leaves the size free; set input.size = [height, width]")
    fixed = (size[0], size[1])
    try:
        return InputProgram(tuple(_sized(step, fixed) for step in manifest.image_steps), fixed)
    except ManifestError as error:
        raise ManifestError(f"{manifest.id}: image_steps: {error}") from error


def _sized(step: Said, size: tuple[int, int]) -> Step:
    known = IMAGE_STEPS.get(step.op)
    missing = known is not None and "size" in known.params and "size" not in step.params
    return Step(step.op, {**step.params, "size": size} if missing else step.params)


def read_labels(manifest: Manifest, paths: Mapping[str, Path], session: Session) -> tuple[Label, ...]:
    """The label list of a manifest. ManifestError when it cannot be read."""
    said = manifest.labels
    if said.source is LabelSource.GRAPH:
        return label_texts.from_names(session.metadata.get("names"), manifest.id, said.category)
    if said.source is LabelSource.NONE:
        return (Label(said.category, said.category),)
    text = paths[said.file].read_text(encoding="utf-8-sig")
    document = f"{manifest.id}: {said.file}"
    if said.source is LabelSource.CSV:
        return label_texts.from_csv(text, document)
    return label_texts.from_json(text, document, said.category)


def _graph_size(found: Tensor, layout: str) -> tuple[int | None, int | None]:
    return (found.shape[1], found.shape[2]) if layout == "NHWC" else (found.shape[2], found.shape[3])


def tensor(tensors: tuple[Tensor, ...], name: str) -> Tensor:
    """One of them by name."""
    return next(each for each in tensors if each.name == name)


def _names(tensors: tuple[Tensor, ...]) -> str:
    return ", ".join(f"{each.name!r} {each.dtype} {each.shape}" for each in tensors)
