"""A perceptual hash: 64 bits that stay nearly the same when a picture is scaled, recompressed or slightly changed."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 32
BITS = 8
# Cosine coefficients of a flat picture are rounding noise; only what is above this counts as above the median.
NOISE = 1e-6


def perceptual_hash(grey: Image.Image) -> int:
    """64 bits as a signed integer, from an image of mode L; near pictures differ in few bits (Hamming distance).

    The DCT hash of C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010), section
    3.1: shrink to 32 x 32, take the 8 x 8 lowest frequencies without the constant ones, compare with their median.
    Bits run row by row, the first is the highest.
    """
    pixels = np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BOX), np.float64)
    basis = _basis()
    coefficients = (basis @ pixels @ basis.T).ravel()
    bits = coefficients > np.median(coefficients) + NOISE
    return int.from_bytes(np.packbits(bits).tobytes(), "big", signed=True)


def distance(one: int, other: int) -> int:
    """How many bits two hashes differ in, 0..64."""
    return ((one ^ other) & (2**64 - 1)).bit_count()


@lru_cache(maxsize=1)
def _basis() -> NDArray[np.float64]:
    """Rows 1..8 of the orthonormal DCT-II matrix, (8, 32)."""
    row, column = np.mgrid[1 : BITS + 1, 0:SIDE]
    basis: NDArray[np.float64] = np.sqrt(2 / SIDE) * np.cos(np.pi * row * (2 * column + 1) / (2 * SIDE))
    return basis
