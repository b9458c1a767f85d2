"""Image steps do what the tools do that they are named after, and boxes find their way back (R4)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from schemas.errors import ManifestError
from workers.steps.border import Border, paint, resize_bordered
from workers.steps.image import FILTERS
from workers.steps.program import InputProgram, run_program
from workers.steps.registry import Step, Value


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def program(size: tuple[int, int], *steps: tuple[str, dict[str, Value]]) -> InputProgram:
    return InputProgram(tuple(Step(op, params) for op, params in steps), size)


def square(side: int, **pad: Value) -> InputProgram:
    return program((side, side), ("pad_square", pad), ("resize", {"size": side}))


SIDES = st.integers(1, 260)


@given(SIDES, SIDES, st.integers(1, 200), st.sampled_from(sorted(FILTERS)), st.booleans(), st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_an_unpainted_border_gives_the_pixels_of_a_painted_one(
    width: int, height: int, side: int, name: str, centred: bool, seed: int
) -> None:
    image, longest = noise(width, height, seed), max(width, height)
    left, top = ((longest - width) // 2, (longest - height) // 2) if centred else (0, 0)
    border = Border(left, top, longest - width - left, longest - height - top, (255, 255, 255))
    slow = np.asarray(paint(image, border).resize((side, side), FILTERS[name])).astype(int)
    fast = np.asarray(resize_bordered(image, border, (side, side), FILTERS[name])).astype(int)
    # Pillow keeps the box in single precision, which moves one rounding in ten thousand.
    assert np.abs(slow - fast).max() <= 1
    assert (slow != fast).mean() < 0.01


def test_a_tagger_pads_to_a_white_square_and_then_resizes() -> None:
    pixels, _ = run_program(Image.new("RGB", (300, 100), "black"), square(30))
    assert pixels.shape == (30, 30, 3)
    assert pixels[:8].min() == 255
    assert pixels[12:18].max() == 0
    assert pixels[22:].min() == 255


def test_a_square_may_be_padded_on_one_side_only() -> None:
    pixels, geometry = run_program(Image.new("RGB", (100, 50), "red"), square(100, centred=False, colour=(0, 0, 255)))
    assert pixels[10, 10].tolist() == [255, 0, 0]
    assert pixels[90, 10].tolist() == [0, 0, 255]
    assert (geometry.offset_x, geometry.offset_y) == (0, 0)


# What ultralytics' LetterBox computes for a picture (w, h) in a 640 square: new size and left, top pads.
@pytest.mark.parametrize(
    ("size", "inner", "pads"),
    [
        ((1280, 720), (640, 360), (0, 140)),
        ((720, 1280), (360, 640), (140, 0)),
        ((500, 375), (640, 480), (0, 80)),
        ((333, 500), (426, 640), (107, 0)),
        ((641, 427), (640, 426), (0, 107)),
        ((1000, 667), (640, 427), (0, 106)),
        ((640, 640), (640, 640), (0, 0)),
    ],
)
def test_letterbox_rounds_as_ultralytics_does(
    size: tuple[int, int], inner: tuple[int, int], pads: tuple[int, int]
) -> None:
    pixels, geometry = run_program(Image.new("RGB", size, "white"), program((640, 640), ("letterbox", {"size": 640})))
    rows, columns = np.nonzero((pixels == 255).all(axis=(2)))
    assert (columns.min(), rows.min()) == pads
    assert (columns.max() + 1 - columns.min(), rows.max() + 1 - rows.min()) == inner
    assert pads == (0, 0) or pixels[0, 0].tolist() == [114] * 3
    assert (geometry.offset_x, geometry.offset_y) == pads


def test_letterbox_may_leave_small_pictures_small() -> None:
    small = program((64, 64), ("letterbox", {"size": 64, "upscale": False, "colour": 0}))
    pixels, geometry = run_program(Image.new("RGB", (20, 10), "white"), small)
    assert int((pixels == 255).all(axis=2).sum()) == 200
    assert geometry.scale_x == geometry.scale_y == 1


def test_stretch_ignores_the_aspect_and_sizes_are_height_by_width() -> None:
    pixels, geometry = run_program(noise(100, 50), program((40, 80), ("stretch", {"size": (40, 80)})))
    assert pixels.shape == (40, 80, 3)
    assert (geometry.scale_x, geometry.scale_y) == (0.8, 0.8)


CLIP = program((224, 224), ("shortest_side", {"size": 224}), ("centre_crop", {"size": 224}))


@pytest.mark.parametrize("size", [(500, 300), (300, 500), (224, 224), (3, 5), (10_000, 2), (2, 10_000)])
def test_shortest_side_and_crop_fit_any_picture(size: tuple[int, int]) -> None:
    pixels, _ = run_program(Image.new("RGB", size, "white"), CLIP)
    assert pixels.shape == (224, 224, 3)
    assert pixels.min() == 255


def test_the_crop_keeps_the_middle() -> None:
    image = Image.new("RGB", (300, 100), "black")
    image.paste((255, 255, 255), (100, 0, 200, 100))
    middle = program((100, 100), ("shortest_side", {"size": 100}), ("centre_crop", {"size": 100}))
    assert run_program(image, middle)[0].min() == 255


def test_a_crop_larger_than_the_picture_is_the_manifests_fault() -> None:
    with pytest.raises(ManifestError, match="the picture is 50 x 40; put a shortest_side"):
        run_program(noise(50, 40), program((64, 64), ("centre_crop", {"size": 64})))


def test_steps_that_end_in_another_size_are_the_manifests_fault() -> None:
    with pytest.raises(ManifestError, match=r"pad_square made 50 x 50 .* the model takes 64 x 32"):
        run_program(noise(50, 40), program((32, 64), ("pad_square", {})))


def test_a_reducing_gap_is_close_to_the_exact_filter() -> None:
    image = noise(40, 30).resize((1600, 1200), Image.Resampling.BICUBIC)
    exact, _ = run_program(image, program((224, 224), ("resize", {"size": 224})))
    quick, _ = run_program(image, program((224, 224), ("resize", {"size": 224, "reducing_gap": 2.0})))
    assert np.abs(exact.astype(int) - quick).mean() < 1.5


def test_the_picture_itself_is_not_changed() -> None:
    image = noise(90, 60)
    before = np.asarray(image).copy()
    run_program(image, square(32))
    run_program(image, CLIP)
    assert np.array_equal(np.asarray(image), before)


PROGRAMS = {
    "letterbox": program((256, 256), ("letterbox", {"size": 256})),
    "letterbox, not square": program((192, 320), ("letterbox", {"size": (192, 320)})),
    "stretch": program((256, 192), ("stretch", {"size": (256, 192)})),
    "pad_square": square(256),
    "pad_square, one side": square(256, centred=False),
    "crop": program((64, 64), ("shortest_side", {"size": 80}), ("centre_crop", {"size": 64})),
}


@pytest.mark.parametrize("name", PROGRAMS)
@given(shape=st.tuples(st.integers(20, 500), st.integers(20, 500)), where=st.tuples(*[st.floats(0, 1)] * 4))
@settings(max_examples=40, deadline=None)
def test_boxes_come_back_to_within_a_pixel(
    name: str, shape: tuple[int, int], where: tuple[float, float, float, float]
) -> None:
    width, height = shape
    left, right = sorted((where[0] * width, where[2] * width))
    top, bottom = sorted((where[1] * height, where[3] * height))
    _, geometry = run_program(Image.new("RGB", shape), PROGRAMS[name])
    box = np.array([[left, top, right, bottom]], np.float32)
    assert np.abs(geometry.to_original(geometry.to_input(box)) - box).max() < 0.05


@pytest.mark.parametrize(
    "name", ["letterbox", "letterbox, not square", "stretch", "pad_square", "pad_square, one side"]
)
@given(shape=st.tuples(st.integers(60, 500), st.integers(60, 500)), data=st.data())
@settings(max_examples=30, deadline=None)
def test_what_is_seen_in_the_input_is_where_the_box_says(
    name: str, shape: tuple[int, int], data: st.DataObject
) -> None:
    # A white rectangle on black is found again by its pixels, with no use of the geometry under test.
    width, height = shape
    left, top = data.draw(st.integers(5, width // 2)), data.draw(st.integers(5, height // 2))
    right, bottom = data.draw(st.integers(left + 20, width - 5)), data.draw(st.integers(top + 20, height - 5))
    image = Image.new("RGB", shape)
    image.paste((0, 255, 0), (left, top, right, bottom))
    pixels, geometry = run_program(image, PROGRAMS[name])
    # Green minus red is 0 on black, white and grey borders; coverage sums give edges finer than a pixel.
    green = np.clip(pixels[..., 1].astype(float) - pixels[..., 0], 0, None)
    rows, columns = green.max(axis=1) > 127, green.max(axis=0) > 127
    y, x = np.flatnonzero(rows), np.flatnonzero(columns)
    seen = np.array([[x[0], y[0], x[-1] + 1, y[-1] + 1]], np.float32)
    found = geometry.to_original(seen)
    pixel = np.array([1 / geometry.scale_x, 1 / geometry.scale_y] * 2)
    assert (np.abs(found - [[left, top, right, bottom]]) <= np.maximum(pixel, 1.0)).all()


def test_boxes_are_clipped_to_the_picture() -> None:
    _, geometry = run_program(Image.new("RGB", (200, 100)), PROGRAMS["letterbox"])
    found = geometry.to_original(np.array([[-50, -50, 400, 400]], np.float32))
    assert found.tolist() == [[0, 0, 200, 100]]
    assert found.dtype == np.float32
    assert geometry.to_original(np.zeros((0, 4), np.float32)).shape == (0, 4)
    with pytest.raises(ValueError, match=r"expected \(N, 4\), got \(4,\)"):
        geometry.to_original(np.zeros(4, np.float32))
