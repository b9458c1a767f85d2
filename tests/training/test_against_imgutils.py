"""WD taggers, deepghs detectors and classifiers against dghs-imgutils, which their author wrote (R3, R10, R51).

The same graphs with random weights run in both, behind its public functions and their defaults. Pictures are upright
8-bit RGB: of others it makes something else (it pastes a picture with itself as the mask, so that black turns white in
grey ones, and ignores EXIF).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from imgutils.detect import detect_faces, detect_heads, detect_person
from imgutils.generic import classify, yolo
from imgutils.tagging import get_wd14_tags, wd14
from imgutils.validate import anime_rating_score, get_ai_created_score
from numpy.typing import NDArray
from PIL import Image

from schemas.models import Manifest
from schemas.results import ModelOutput
from tests.training import fed, hub_shelf
from workers.batching.batch import Batch
from workers.detection.boxes import Candidates, iou, suppress
from workers.runners import load_runner
from workers.steps.program import run_program

pytestmark = pytest.mark.training
SIZES = [(448, 448), (640, 640), (1200, 800), (801, 1200), (333, 100), (77, 300), (20, 31), (5, 900), (1, 1)]
WD = {
    "SmilingWolf/wd-swinv2-tagger-v3": "SwinV2_v3",
    "SmilingWolf/wd-vit-tagger-v3": "ViT_v3",
    "SmilingWolf/wd-convnext-tagger-v3": "ConvNext_v3",
    "SmilingWolf/wd-eva02-large-tagger-v3": "EVA02_Large",
}

# One level of 255 in few places, where the border was not painted, moves what the taggers' weights give by less.
CLOSE = 1e-4


@pytest.fixture(scope="module", autouse=True)
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = hub_shelf.fill(tmp_path_factory.mktemp("hub"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        for module in (wd14, yolo, classify):
            patch.setattr(module, "hf_hub_download", hub_shelf.Shelf(root))
        yield root


def patches(width: int, height: int, seed: int) -> Image.Image:
    """Coloured patches with hard edges, as drawings have them; and grain, so that no two places get equal scores
    (imgutils takes the later of two equals first, we the earlier)."""
    random = np.random.default_rng(seed)
    small = Image.fromarray(random.integers(30, 226, (9, 9, 3), np.uint8))
    flat = np.asarray(small.resize((width, height), Image.Resampling.NEAREST))
    return Image.fromarray((flat + random.integers(-30, 30, flat.shape)).astype(np.uint8))


def answer(root: Path, name: str, picture: Image.Image) -> tuple[Manifest, list[str], ModelOutput]:
    """What our runner says of a picture, and the names of its labels."""
    found = fed.opening(name, root / name)
    runner = load_runner(found.manifest, found.paths, ["cpu"])
    pixels, geometry = run_program(picture, runner.program)
    (said,) = runner.forward(Batch(pixels[None].copy(), (geometry,)))
    assert isinstance(said, ModelOutput)
    return found.manifest, [label.name for label in runner.labels], said


@pytest.mark.parametrize("name", WD)
@pytest.mark.parametrize("size", SIZES)
def test_wd_taggers_are_fed_its_pixels(root: Path, name: str, size: tuple[int, int]) -> None:
    for picture in (fed.picture(*size), patches(*size, seed=1)):
        found = fed.fed(fed.model(name, root / name), picture)
        wanted = wd14._prepare_image_for_tagging(picture, 448)
        # The border is not painted before resizing (workers/steps/border.py): one level of 255 in few places.
        assert found.shape == wanted.shape and np.abs(found - wanted).max() <= 1
        assert (found != wanted).mean() < 0.001


@pytest.mark.parametrize("name", WD)
@pytest.mark.parametrize("size", SIZES)
def test_wd_taggers_give_its_tags(root: Path, name: str, size: tuple[int, int]) -> None:
    picture = patches(*size, seed=2)
    manifest, names, said = answer(root, name, picture)
    rating, general, character, every = get_wd14_tags(
        picture, WD[name], fmt=("rating", "general", "character", "prediction")
    )
    limits = manifest.thresholds
    ours = {names[label]: float(score) for label, score in zip(said.labels, said.scores, strict=True)}
    assert {n: s for n, s in ours.items() if n in hub_shelf.RATINGS} == pytest.approx(
        {n: s for n, s in rating.items() if s >= manifest.output.floor}, abs=CLOSE
    )
    people = {tag for n, tag in enumerate(hub_shelf.TAGS) if n % 6 == 2}
    assert {n: s for n, s in ours.items() if n in people and s > limits.category["character"]} == pytest.approx(
        character, abs=CLOSE
    )
    others = set(hub_shelf.TAGS) - people
    assert {n: s for n, s in ours.items() if n in others and s > limits.default} == pytest.approx(general, abs=CLOSE)
    assert len(every) == len(names) and len(general) > 3


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["deepghs/anime_rating", "deepghs/anime_ai_check"])
def test_classifiers_are_fed_its_pixels_and_say_its_labels(root: Path, name: str, size: tuple[int, int]) -> None:
    picture = patches(*size, seed=3)
    found, wanted = fed.fed(fed.model(name, root / name), picture)[0], classify._img_encode(picture, (384, 384))
    np.testing.assert_allclose(found, wanted, atol=5e-7)  # single precision; it divides in double
    manifest, names, said = answer(root, name, picture)
    ours = {names[label]: float(score) for label, score in zip(said.labels, said.scores, strict=True)}
    if name.endswith("rating"):
        theirs = anime_rating_score(picture)
    else:
        theirs = {"ai": get_ai_created_score(picture)}
        theirs["human"] = 1 - theirs["ai"]
    assert ours == pytest.approx({n: s for n, s in theirs.items() if s >= manifest.output.floor}, abs=1e-5)


DETECTORS = {
    "deepghs/anime_face_detection": detect_faces,
    "deepghs/anime_head_detection": detect_heads,
    "deepghs/anime_person_detection": detect_person,
}


@pytest.mark.parametrize("size", SIZES)
def test_detectors_are_fed_its_pixels(root: Path, size: tuple[int, int]) -> None:
    picture = fed.picture(*size)
    for name in DETECTORS:
        resized, _, _ = yolo._image_preprocess(picture, (640, 640))
        np.testing.assert_allclose(
            fed.fed(fed.model(name, root / name), picture)[0], yolo.rgb_encode(resized), atol=1e-7
        )


def overlaps(boxes: NDArray[np.float32], more: float) -> NDArray[np.float32]:
    """Of every two boxes, (N, N); more: what is added to every width and height."""
    grown = boxes + np.array([0, 0, more, more], np.float32)
    return np.stack([iou(box, grown) for box in grown])


def decided(root: Path, name: str, picture: Image.Image) -> bool:
    """False when two of the candidates overlap so nearly by the limit that imgutils' extra pixel decides."""
    found = fed.opening(name, root / name)
    raw = found.session().run({"images": fed.fed(fed.model(name, root / name), picture)})["output0"][0]
    near = raw[:, raw[4] > found.manifest.thresholds.default]
    boxes = yolo._yolo_xywh2xyxy(near[:4].T)
    limit = float(str(found.manifest.output.params["iou"]))
    return bool(((overlaps(boxes, 0) > limit) == (overlaps(boxes, 1) > limit)).all())


@pytest.mark.parametrize("name", DETECTORS)
def test_detectors_find_its_boxes(root: Path, name: str) -> None:
    seen = 0
    for seed in range(40):
        picture = patches(*SIZES[seed % 6], seed=seed)
        if not decided(root, name, picture):
            continue
        manifest, names, said = answer(root, name, picture)
        assert said.boxes is not None
        theirs = DETECTORS[name](picture)
        kept = said.scores > manifest.thresholds.default
        boxes, scores = said.boxes[kept], said.scores[kept]
        assert [names[label] for label in said.labels[kept]] == [label for _, label, _ in theirs]
        np.testing.assert_allclose(scores, [score for _, _, score in theirs], atol=1e-5)
        # It rounds to whole pixels.
        np.testing.assert_allclose(boxes, [box for box, _, _ in theirs], atol=0.501)
        seen += len(theirs)
    assert seen > 50


def test_it_counts_a_pixel_more_in_every_width_so_that_small_boxes_go_that_we_keep() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 1.8, 10, 11.8]], np.float32)
    scores = np.array([0.9, 0.8], np.float32)
    assert iou(boxes[0], boxes[1:])[0] < 0.7 < overlaps(boxes, 1)[0, 1]
    ours = suppress(Candidates(boxes, scores, np.zeros(2, np.int16)), iou_above=0.7, class_aware=False, most=10)
    assert ours.tolist() == [0, 1] and yolo._yolo_nms(boxes, scores, 0.7) == [0]
