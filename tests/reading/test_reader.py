"""Words in pictures: a photograph of a printed page is found by its words (R3; the extra `ocr`)."""

from dataclasses import replace
from importlib import metadata

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from infra.models.catalogue import open_catalogue
from schemas.errors import ConfigurationError, NafudaError
from schemas.merging import RegisteredModel, Said
from schemas.models import Label
from schemas.results import ModelOutput
from tests.merging.known import EMPTY, MODELS, rules
from workers.batching.batch import Batch
from workers.merging import document_of, merge
from workers.model_check import check_model
from workers.reading.reader import Reader
from workers.steps.program import run_program

LINES = ("The quick brown fox", "jumps over the lazy dog", "Invoice 2026-11-24", "Grand total: 1,284.50")
TURN = 3.0  # degrees


def page(size: tuple[int, int] = (1400, 1000)) -> tuple[Image.Image, list[tuple[float, float, float, float]]]:
    """A page that somebody photographed, turned a little, blurred and noisy, and where its lines are."""
    table = Image.new("RGB", size, (112, 84, 60))
    paper = Image.new("RGB", (size[0] - 240, size[1] - 200), (244, 240, 228))
    draw, font = ImageDraw.Draw(paper), ImageFont.load_default(size=54)
    boxes = []
    for number, line in enumerate(LINES):
        place = (90, 110 + 150 * number)
        draw.text(place, line, (30, 28, 40), font=font)
        boxes.append(draw.textbbox(place, line, font=font))
    table.paste(paper, (120, 100))
    photo = table.rotate(TURN, Image.Resampling.BICUBIC, fillcolor=(112, 84, 60)).filter(ImageFilter.GaussianBlur(1.0))
    noise = np.random.default_rng(2).normal(0, 7, (size[1], size[0], 3))
    middle = np.array(size) / 2
    angle = np.deg2rad(TURN)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    turned = []
    for x0, y0, x1, y1 in boxes:
        corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]) + np.array([120, 100])
        moved = (corners - middle) @ turn.T + middle
        turned.append((*moved.min(0).tolist(), *moved.max(0).tolist()))
    return Image.fromarray(np.clip(np.asarray(photo) + noise, 0, 255).astype(np.uint8)), turned


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(open_catalogue().manifest("rapidocr/ppocr"))


def read(reader: Reader, *pictures: Image.Image) -> list[ModelOutput | NafudaError]:
    prepared = [run_program(picture, reader.program) for picture in pictures]
    return reader.forward(Batch(np.stack([pixels for pixels, _ in prepared]), tuple(shape for _, shape in prepared)))


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    inside = float(np.prod(np.clip(high - low, 0, None)))
    areas = [float((box[2] - box[0]) * (box[3] - box[1])) for box in (a, b)]
    return inside / (sum(areas) - inside)


def test_a_photograph_of_a_printed_page_is_found_by_its_words(reader: Reader) -> None:
    photo, boxes = page()
    (found,) = read(reader, photo)
    assert isinstance(found, ModelOutput) and found.boxes is not None and found.texts is not None
    label = (Label("text", "text"),)
    model = RegisteredModel(9, "rapidocr/ppocr", "reading", "r", False, label, {"*": 0.5}, 0.3)
    known = replace(rules(), models={**MODELS, 9: model})
    record = merge(replace(EMPTY, said=(Said(9, found, 1.0, 1),)), known)
    read_lines = [reading.text for reading in record.readings]
    assert [line.replace(" ", "") for line in read_lines] == [line.replace(" ", "") for line in LINES]
    words = set(document_of(record, phash=0).words)
    assert {"quick", "brown", "fox", "lazy", "dog", "invoice", "2026", "grand", "total"} <= words
    for reading, printed in zip(record.readings, boxes, strict=True):
        assert overlap(reading.box, printed) > 0.5


def test_boxes_are_in_the_pixels_of_the_original(reader: Reader) -> None:
    photo, _ = page()
    wide = photo.resize((2800, 1000))
    one, other = read(reader, photo, wide)
    assert isinstance(one, ModelOutput) and isinstance(other, ModelOutput)
    assert one.boxes is not None and other.boxes is not None
    assert float(other.boxes[:, 2].max()) == pytest.approx(2 * float(one.boxes[:, 2].max()), rel=0.05)
    assert float(other.boxes[:, 3].max()) == pytest.approx(float(one.boxes[:, 3].max()), rel=0.05)


def test_a_picture_without_words_has_none(reader: Reader) -> None:
    (found,) = read(reader, Image.new("RGB", (400, 300), "white"))
    assert isinstance(found, ModelOutput) and found.texts == () and len(found.labels) == 0


def test_a_picture_that_the_library_fails_on_fails_alone(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    photo, _ = page()
    real = reader._engine

    def fussy(pixels: np.ndarray) -> object:
        if not pixels.any():
            raise ValueError("it broke")
        return real(pixels)

    monkeypatch.setattr(reader, "_engine", fussy)
    dark = Image.new("RGB", (960, 960), "black")
    broken, good = read(reader, dark, photo)
    assert isinstance(broken, NafudaError) and broken.code == "bad-output" and "it broke" in str(broken)
    assert isinstance(good, ModelOutput) and good.texts


def test_the_model_is_the_installed_package(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = open_catalogue().install("rapidocr/ppocr")
    assert len(installed.revision) == 64 and installed.paths == {}
    assert check_model(installed.manifest, {}, runs=1).passed

    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)
    with pytest.raises(ConfigurationError, match=r"nafuda\[ocr\]"):
        open_catalogue().install("rapidocr/ppocr")
