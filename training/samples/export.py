"""Trained networks to the files that are shipped: ONNX with half-precision weights, label files, metadata."""

# Checked with and without torch, which is an extra.
# mypy: allow-subclassing-any, no-warn-unused-ignores, no-warn-return-any
from __future__ import annotations

import copy
import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training.samples.nets import Eye
from training.samples.preprocess import SIDE
from training.samples.vocabulary import CLASSES, RATINGS, TAGS, category

OPSET = 18
Net = TypeVar("Net", bound=nn.Module)
# Ratings carry the ids that WD's label files give them; ours follow from 1.
RATING_IDS = dict(zip(RATINGS, (9999999, 9999998, 9999997, 9999996), strict=True))


class TaggerGraph(nn.Module):
    """Trunk, tagging head and sigmoid: pixels to probabilities."""

    def __init__(self, eye: Eye) -> None:
        super().__init__()
        self.trunk, self.head = eye.trunk, eye.tags

    def forward(self, image: Tensor) -> Tensor:
        """`(N, SIDE, SIDE, 3) uint8` to `(N, 4 + T) float32` in 0..1."""
        return torch.sigmoid(self.head(self.trunk(image)))


class DetectorGraph(nn.Module):
    """Trunk and detection head in the form of Ultralytics' YOLOv8 exports."""

    def __init__(self, eye: Eye) -> None:
        super().__init__()
        self.trunk, self.head = eye.trunk, eye.boxes

    def forward(self, image: Tensor) -> Tensor:
        """`(N, SIDE, SIDE, 3) uint8` to `(N, 4 + C, A) float32`: centre, width, height, class scores."""
        boxes, logits = self.head(self.trunk(image))
        low, high = boxes[..., :2], boxes[..., 2:]
        return torch.cat([(low + high) / 2, high - low, torch.sigmoid(logits)], -1).transpose(1, 2)


def tagger(eye: Eye, folder: Path, counts: dict[str, int] | None = None) -> Path:
    """Write `model.onnx` and `selected_tags.csv` (WD's header, ratings first)."""
    folder.mkdir(parents=True, exist_ok=True)
    path = write(TaggerGraph(folded(eye)), folder / "model.onnx", PICTURE, ["scores"], {"imgsz": str(SIDE)})
    with (folder / "selected_tags.csv").open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(("tag_id", "name", "category", "count"))
        for number, name in enumerate((*RATINGS, *TAGS), 1 - len(RATINGS)):
            rows.writerow((RATING_IDS.get(name, number), name, category(name), (counts or {}).get(name, 0)))
    return path


def detector(eye: Eye, folder: Path) -> Path:
    """Write `model.onnx`, whose metadata has `names`, `imgsz` and `stride`, and `labels.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    names = dict(enumerate(CLASSES))
    metadata = {"names": str(names), "imgsz": str([SIDE, SIDE]), "stride": "32", "task": "detect"}
    path = write(DetectorGraph(folded(eye)), folder / "model.onnx", PICTURE, ["output0"], metadata)
    (folder / "labels.json").write_text(json.dumps(list(CLASSES)) + "\n", encoding="utf-8")
    return path


def folded(eye: Net) -> Net:
    """A copy whose batch norms are folded into the convolutions before them."""
    eye = copy.deepcopy(eye).to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
    for block in [m for m in eye.modules() if isinstance(m, nn.Sequential)]:
        for i in range(len(block) - 1):
            before, norm = block[i], block[i + 1]
            if isinstance(before, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                block[i], block[i + 1] = fuse_conv_bn_eval(before, norm), nn.Identity()
    return eye


def write(
    graph: nn.Module,
    path: Path,
    examples: Mapping[str, Tensor],
    outputs: Sequence[str],
    metadata: Mapping[str, str],
    free: Mapping[str, Mapping[int, str]] | None = None,
    *,
    half: bool = True,
) -> Path:
    """Write a graph with named inputs (by example) and outputs; its first dimension is free.

    free: further free dimensions by input, each with its name. half: whether big weights are kept as float16.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    program = torch.onnx.export(
        graph.eval(), tuple(examples.values()), dynamo=True, opset_version=OPSET, input_names=list(examples),
        output_names=list(outputs), dynamic_shapes=_shapes(examples, free or {}), verbose=False,
    )  # fmt: skip
    assert program is not None
    program.optimize()
    model = program.model_proto
    if half:
        _halve(model)
    _sign(model, metadata)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    return path


def _shapes(examples: Mapping[str, Tensor], free: Mapping[str, Mapping[int, str]]) -> tuple[dict[int, Any], ...]:
    """Free dimensions by axis, for each input; those of one name are one size."""
    dims = {name: torch.export.Dim(name) for name in {"N", *(name for axes in free.values() for name in axes.values())}}
    batched = {name: {0: dims["N"]} if each.ndim and name != "position" else {} for name, each in examples.items()}
    return tuple(
        {**axes, **{axis: dims[one] for axis, one in free.get(name, {}).items()}} for name, axes in batched.items()
    )


def _sign(model: onnx.ModelProto, metadata: Mapping[str, str]) -> None:
    """Our metadata and name; the exporter's notes name files of the machine that it ran on."""
    del model.metadata_props[:]
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    helper.set_model_props(model, dict(metadata))
    model.producer_name, model.producer_version = "nafuda", ""


PICTURE = {"image": torch.zeros(2, SIDE, SIDE, 3, dtype=torch.uint8)}


def _halve(model: onnx.ModelProto) -> None:
    """Store big float32 weights as float16 with a Cast in front: half the file, and the session folds it at load."""
    casts = []
    for weight in model.graph.initializer:
        if weight.data_type != TensorProto.FLOAT or np.prod(weight.dims) < 256:
            continue
        values = numpy_helper.to_array(weight).astype(np.float16)
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values, f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *nodes])


def counts(tags: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> dict[str, int]:
    """How many training pictures carry each rating and tag."""
    return dict(zip((*RATINGS, *TAGS), (int(n) for n in tags.sum(0)), strict=True))
