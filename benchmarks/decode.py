"""How long decoding takes: processor milliseconds an image, and what each part of it costs.

`python -m benchmarks.decode [rounds]`
"""

import sys
import time
from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image

from workers.decode.facts import THUMBNAIL_QUALITY, THUMBNAIL_SIDE, describe, fit
from workers.decode.limits import DecodeLimits
from workers.decode.palette import dominant_colours
from workers.decode.phash import perceptual_hash
from workers.decode.pixels import decode
from workers.decode.pool import DecodePool
from workers.steps.program import InputProgram, run_program
from workers.steps.registry import Step

LIMITS = DecodeLimits()
TAGGER = InputProgram((Step("pad_square"), Step("resize", {"size": 224})), (224, 224))
DETECTOR = InputProgram((Step("letterbox", {"size": 256}),), (256, 256))


def photograph(width: int, height: int) -> Image.Image:
    """Structure at every scale and a little sensor noise: compresses about as a photograph does."""
    dice = np.random.default_rng(1)
    total = np.zeros((height, width, 3))
    for side in (4, 16, 64, 256):
        part = Image.fromarray(dice.integers(0, 256, (side, side, 3), dtype=np.uint8))
        total += np.asarray(part.resize((width, height), Image.Resampling.BICUBIC)) * (side**-0.35)
    total = total / sum(side**-0.35 for side in (4, 16, 64, 256)) + dice.normal(0, 3, total.shape)
    return Image.fromarray(np.clip(total, 0, 255).astype(np.uint8))


def saved(image: Image.Image, format: str, **options: int) -> bytes:
    """The file."""
    out = BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def millis(work: Callable[[], object], rounds: int) -> float:
    """Median processor milliseconds of a call."""
    work()
    times = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        times.append((time.process_time() - began) * 1000)
    return float(np.median(times))


def parts(content: bytes, rounds: int) -> dict[str, float]:
    """Processor milliseconds of each part, measured in this process."""
    decoded = decode(content, LIMITS)
    image = decoded.image
    small = fit(image, THUMBNAIL_SIDE)
    return {
        "decode": millis(lambda: decode(content, LIMITS), rounds),
        "pad 224": millis(lambda: run_program(image, TAGGER), rounds),
        "box 256": millis(lambda: run_program(image, DETECTOR), rounds),
        "facts": millis(lambda: describe(decoded), rounds),
        "shrink": millis(lambda: fit(image, THUMBNAIL_SIDE), rounds),
        "jpeg": millis(lambda: saved(small, "JPEG", quality=THUMBNAIL_QUALITY), rounds),
        "hash": millis(lambda: perceptual_hash(small.convert("L")), rounds),
        "colours": millis(lambda: dominant_colours(small), rounds),
    }


def through_pool(content: bytes, rounds: int) -> tuple[float, float]:
    """Processor milliseconds of the child and wall milliseconds of the whole, medians over a pool of one."""
    child, wall = [], []
    with DecodePool(1, LIMITS) as pool:
        pool.submit(content, [TAGGER, DETECTOR], facts=True).result()
        for _ in range(rounds):
            began = time.perf_counter()
            child.append(pool.submit(content, [TAGGER, DETECTOR], facts=True).result().millis)
            wall.append((time.perf_counter() - began) * 1000)
    return float(np.median(child)), float(np.median(wall))


def main() -> None:
    """Print one line a picture."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    pictures = {
        "0.4 MP PNG": saved(photograph(728, 546), "PNG"),
        "2 MP JPEG": saved(photograph(1632, 1224), "JPEG", quality=88),
        "8 MP JPEG": saved(photograph(3264, 2448), "JPEG", quality=88),
    }
    for name, content in pictures.items():
        child, wall = through_pool(content, rounds)
        costs = "  ".join(f"{part} {cost:.1f}" for part, cost in parts(content, rounds).items())
        print(f"{name} ({len(content) / 1e6:.2f} MB): {child:.1f} ms CPU, {wall:.1f} ms wall | {costs}")


if __name__ == "__main__":
    main()
