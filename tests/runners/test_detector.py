"""Detectors: the YOLO family's heads, geometry undone to the original picture, broken outputs (R4)."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from schemas.errors import ManifestError
from schemas.results import ModelOutput
from tests.runners import graphs, manifests
from workers.batching.batch import Batch, Runner
from workers.runners import load_runner
from workers.steps.geometry import Geometry
from workers.steps.program import run_program

UINT8 = 'name = "image"\nlayout = "NHWC"\ndtype = "uint8"'
FLOAT = 'name = "images"\nlayout = "NCHW"\ndtype = "float32"'
NAMES = "{0: 'face', 1: 'hand', 2: 'head'}"

# Two faces that overlap by 0.72, a hand over the first face (0.9), a weak head, a head in the padding.
CORNERS = np.array([[8, 8, 28, 28], [8, 10, 28, 31], [8, 8, 28, 27], [40, 40, 50, 60], [70, 70, 80, 80]], np.float32)
SCORES = np.array([[0.9, 0, 0], [0.8, 0.1, 0], [0, 0.7, 0], [0, 0, 0.06], [0, 0, 0.9]], np.float32)


def centred(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = corners[:, :2], corners[:, 2:]
    return np.concatenate([(low + high) / 2, high - low], axis=1)


def v8_table() -> NDArray[np.float32]:
    return np.concatenate([centred(CORNERS), SCORES], axis=1).T


def v5_table() -> NDArray[np.float32]:
    sure = np.full((5, 1), 0.95, np.float32)
    return np.concatenate([centred(CORNERS), sure, SCORES / sure], axis=1)


def final_table() -> NDArray[np.float32]:
    rows = np.concatenate([CORNERS, SCORES.max(1)[:, None], SCORES.argmax(1)[:, None]], axis=1)
    return np.concatenate([rows[[0, 2, 3, 4]], np.zeros((4, 6))]).astype(np.float32)


def detector(folder: Path, table: NDArray[np.float32], *, head: str = "auto", nms: str = "class_aware") -> Runner:
    graph = graphs.table_detector(folder / "model.onnx", table, size=64, names=NAMES)
    give = f'name = "output0"\ndecode = "yolo"\nhead = "{head}"\nnms = "{nms}"\niou = 0.7'
    steps = manifests.LETTERBOX + manifests.PLANES
    manifest, paths = manifests.write(graph, runner="detector", steps=steps, take=FLOAT, give=give)
    return load_runner(manifest, paths, ["cpu"])


def answer(runner: Runner, geometry: Geometry | None = None) -> ModelOutput:
    pixels = np.zeros((1, 64, 64, 3), np.uint8)
    found = runner.forward(Batch(pixels, (geometry or Geometry(64, 64),)))[0]
    assert isinstance(found, ModelOutput), found
    return found


@pytest.mark.parametrize("table", [v8_table(), v5_table(), final_table()], ids=["v8", "v5", "end to end"])
def test_each_head_finds_the_same_boxes(tmp_path: Path, table: NDArray[np.float32]) -> None:
    found = answer(detector(tmp_path, table))
    assert found.boxes is not None
    assert found.labels.tolist() == [0, 1, 2]
    assert found.scores.tolist() == pytest.approx([0.9, 0.7, 0.06])
    assert np.allclose(found.boxes, CORNERS[[0, 2, 3]], atol=1e-4)


def test_class_agnostic_suppression_drops_the_hand_over_the_face(tmp_path: Path) -> None:
    assert answer(detector(tmp_path, v8_table(), nms="class_agnostic")).labels.tolist() == [0, 2]


def test_boxes_are_told_in_pixels_of_the_original_and_clipped_to_it(tmp_path: Path) -> None:
    # A picture of 100 x 50 in an input of 64 x 64: scale .64, 16 rows of padding above and below.
    geometry = Geometry(100, 50, 0.64, 0.64, 0, 16)
    found = answer(detector(tmp_path, v8_table()), geometry)
    assert found.boxes is not None
    assert np.allclose(found.boxes[0], [12.5, 0, 43.75, 18.75], atol=1e-4)
    assert found.boxes.min() >= 0
    assert (found.boxes.max(axis=0) <= [100, 50, 100, 50]).all()


@pytest.mark.parametrize("size", [(100, 60), (60, 100), (64, 64), (31, 17), (17, 90), (128, 128)])
@pytest.mark.parametrize(
    "steps", [manifests.LETTERBOX, manifests.STRETCH, manifests.PAD], ids=["box", "stretch", "pad"]
)
def test_a_rectangle_is_found_to_a_pixel_whatever_the_way_in(tmp_path: Path, size: tuple[int, int], steps: str) -> None:
    graph = graphs.red_finder(tmp_path / "model.onnx", size=64)
    give = 'name = "output0"\ndecode = "yolo"\nhead = "anchor_free"'
    manifest, paths = manifests.write(graph, runner="detector", steps=steps, take=UINT8, give=give)
    runner = load_runner(manifest, paths, ["cpu"])
    image = Image.new("RGB", size, "black")
    box = (size[0] // 4, size[1] // 3, size[0] * 3 // 4, size[1] * 2 // 3)
    ImageDraw.Draw(image).rectangle((box[0], box[1], box[2] - 1, box[3] - 1), fill=(255, 0, 0))

    pixels, geometry = run_program(image, runner.program)
    found = answer_for(runner, pixels, geometry)

    assert found.boxes is not None
    # One pixel of the original, or of the input where that is coarser.
    slack = max(1.0, max(size) / 64)
    assert np.abs(found.boxes[0] - box).max() <= slack


def answer_for(runner: Runner, pixels: NDArray[np.uint8], geometry: Geometry) -> ModelOutput:
    found = runner.forward(Batch(pixels[None], (geometry,)))[0]
    assert isinstance(found, ModelOutput), found
    return found


def test_an_image_without_anything_has_no_boxes(tmp_path: Path) -> None:
    empty = np.zeros((7, 9), np.float32)
    found = answer(detector(tmp_path, empty))
    assert found.boxes is not None
    assert found.boxes.shape == (0, 4)


def test_not_a_number_in_the_output_is_that_images_error(tmp_path: Path) -> None:
    table = v8_table()
    table[1, 1] = np.nan
    runner = detector(tmp_path, table)
    found = runner.forward(Batch(np.zeros((2, 64, 64, 3), np.uint8), (Geometry(64, 64),) * 2))
    assert [getattr(each, "code", "") for each in found] == ["bad-output", "bad-output"]


@pytest.mark.parametrize(
    ("head", "shape", "message"),
    [
        ("auto", (9, 11), "3 labels need"),
        ("anchor_free", (20, 8), "does not fit"),
        ("anchor_based", (7, 20), "does not fit"),
        ("auto", (7, 8), "anchor_free or anchor_based"),
    ],
)
def test_a_head_that_does_not_fit_is_refused_at_load(
    tmp_path: Path, head: str, shape: tuple[int, int], message: str
) -> None:
    with pytest.raises(ManifestError, match=message):
        detector(tmp_path, np.zeros(shape, np.float32), head=head)


def test_a_deepghs_export_runs_with_a_plain_stretch(tmp_path: Path) -> None:
    # deepghs YOLO: NCHW RGB 0..1, plain stretch, names in the metadata, class-agnostic suppression.
    graph = graphs.table_detector(tmp_path / "model.onnx", v8_table(), names=NAMES, imgsz="[64, 64]")
    give = 'name = "output0"\ndecode = "yolo"\nnms = "class_agnostic"\niou = 0.7'
    steps = manifests.STRETCH + manifests.PLANES
    manifest, paths = manifests.write(graph, runner="detector", steps=steps, take=FLOAT, give=give)
    runner = load_runner(manifest, paths, ["cpu"])
    pixels, geometry = run_program(Image.new("RGB", (128, 32)), runner.program)
    found = answer_for(runner, pixels, geometry)
    assert found.boxes is not None
    assert np.allclose(found.boxes[0], [16, 4, 56, 14], atol=1e-3)
