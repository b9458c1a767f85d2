"""What a packaged manifest's steps feed to its graph: the way of the data up to the model, for comparisons."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from infra.models.catalogue import open_catalogue
from workers.onnx.model import OnnxModel, join
from workers.runners import Opening
from workers.steps.batch import run_batch
from workers.steps.program import run_program


def opening(name: str, folder: Path) -> Opening:
    """A packaged manifest, and a folder in the layout that it lists."""
    manifest = open_catalogue().manifest(name)
    return Opening(manifest, {path: folder / path for path in manifest.source.files}, ["cpu"])


def model(name: str, folder: Path) -> OnnxModel:
    """The manifest joined with the graph that lies there."""
    found = opening(name, folder)
    return join(found.manifest, found.paths, found.session())


def fed(model: OnnxModel, *pictures: Image.Image) -> NDArray[np.float32]:
    """The array that the graph is given for upright RGB pictures."""
    pixels = np.stack([run_program(picture, model.input_program)[0] for picture in pictures])
    return np.asarray(run_batch(pixels, model.batch_program), np.float32)


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    """Noise, whose every pixel tells where it came from."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def smooth(width: int, height: int) -> Image.Image:
    """Slow waves over the whole picture, of which half a pixel's shift changes little."""
    y, x = np.mgrid[:height, :width]
    across, down = x / width * 2 * np.pi, y / height * 2 * np.pi
    planes = [np.sin(across), np.cos(down), np.sin(across + down)]
    return Image.fromarray((127.5 + 120 * np.stack(planes, -1)).astype(np.uint8))
