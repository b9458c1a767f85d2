"""BLIP's preparation, words and sureness against transformers used directly (R8), on random weights."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import BlipForConditionalGeneration, BlipImageProcessorPil, BlipProcessor
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD, PILImageResampling

from infra.models.catalogue import open_catalogue
from schemas.results import ModelOutput
from tests.training import fed
from tests.training.tiny_blip import MODEL, build, paths
from workers.batching.batch import Batch
from workers.captioning.blip import Blip
from workers.steps.program import run_program

pytestmark = pytest.mark.training
SIZES = [(384, 384), (640, 480), (333, 1000), (20, 31), (1, 1), (2500, 1400)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("blip"))


@pytest.fixture(scope="module")
def runner(folder: Path) -> Blip:
    return Blip(open_catalogue().manifest(MODEL), paths(folder))


def prepared(picture: Image.Image) -> NDArray[np.float32]:
    """By the Pillow backend, every argument said."""
    processor = BlipImageProcessorPil(
        do_resize=True, size={"height": 384, "width": 384}, resample=PILImageResampling.BICUBIC,
        do_rescale=True, rescale_factor=1 / 255,
        do_normalize=True, image_mean=OPENAI_CLIP_MEAN, image_std=OPENAI_CLIP_STD,
    )  # fmt: skip
    return np.asarray(processor(images=picture, return_tensors="np")["pixel_values"], np.float32)


def asked(runner: Blip, *pictures: Image.Image) -> list[ModelOutput]:
    """All of them in one batch."""
    fitted = [run_program(picture, runner.program) for picture in pictures]
    batch = Batch(np.stack([pixels for pixels, _ in fitted]), tuple(geometry for _, geometry in fitted))
    answers = [answer for answer in runner.forward(batch) if isinstance(answer, ModelOutput)]
    assert len(answers) == len(pictures)
    return answers


@pytest.mark.parametrize("size", SIZES)
def test_the_model_sees_the_pixels_that_transformers_would_show_it(
    runner: Blip, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    # We resize while decoding, and leave the rest to whichever of its processors transformers loads here: the one by
    # torchvision, whose own resizing would be up to .13 off the Pillow one, finds nothing left to resize.
    shown: list[Mapping[str, Any]] = []
    generate = BlipForConditionalGeneration.generate

    def overheard(self: BlipForConditionalGeneration, **said: Any) -> Any:
        shown.append(said)
        return generate(self, **said)

    monkeypatch.setattr(BlipForConditionalGeneration, "generate", overheard)
    picture = fed.picture(*size)
    asked(runner, picture)
    # 3e-6: the same sums in single precision in another order.
    np.testing.assert_allclose(shown[0]["pixel_values"].numpy(), prepared(picture), atol=3e-6)


def test_it_says_what_transformers_says_and_is_as_sure(runner: Blip, folder: Path) -> None:
    model = BlipForConditionalGeneration.from_pretrained(folder).eval()
    words = BlipProcessor.from_pretrained(folder)
    pictures = [fed.picture(*size, seed=seed) for seed, size in enumerate(SIZES)]
    lengths = set()
    for picture, answer in zip(pictures, asked(runner, *pictures), strict=True):
        pixels = torch.from_numpy(prepared(picture))
        with torch.inference_mode():
            (ids,) = model.generate(pixel_values=pixels, max_new_tokens=50, do_sample=False, num_beams=1)
            seen = model.vision_model(pixel_values=pixels).last_hidden_state
            # The whole sentence at once and alone, where `generate` went word by word and in a batch.
            logits = model.text_decoder(input_ids=ids[None], encoder_hidden_states=seen).logits[0]
        chosen = logits.log_softmax(-1)[:-1].gather(1, ids[1:, None])
        plain = words.decode(ids, skip_special_tokens=True).strip()
        assert answer.texts == (plain[:1].upper() + plain[1:] + ".",)
        assert answer.scores[0] == pytest.approx(float(chosen.mean().exp()), abs=1e-4)
        lengths.add(len(ids))
    assert len(lengths) > 3  # they end at several places, so that what follows an end would show


def test_it_works_without_torchvision_which_the_extra_caption_does_not_bring() -> None:
    hidden = "import sys; sys.modules['torchvision'] = None; import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    tests = str(Path(__file__).with_name("test_blip.py"))
    done = subprocess.run(
        [sys.executable, "-c", hidden, "-q", "-m", "training", tests], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout and "skipped" not in done.stdout
