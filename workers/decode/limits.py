"""How much one picture may cost before it is refused."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """Bounds on one picture. They are checked against what the header claims, before any pixel is decoded.

    memory: bytes of address space that a decoding process may take beyond what it has after its start. A picture
    of 100 MP needs 400 MB in Pillow, twice that when it is rotated or converted. cpu is rounded up to seconds.
    wall also counts waiting for a busy machine, so running into it may succeed later; cpu does not.
    """

    max_bytes: int = 64 * 2**20
    max_pixels: int = 100_000_000
    max_side: int = 30_000
    max_frames: int = 1_000
    memory: int = 2**30
    cpu: timedelta = timedelta(seconds=20)
    wall: timedelta = timedelta(seconds=30)

    def __post_init__(self) -> None:
        for name in ("max_bytes", "max_pixels", "max_side", "max_frames", "memory"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}")
        for name in ("cpu", "wall"):
            if getattr(self, name) <= timedelta(0):
                raise ValueError(f"{name}: expected a duration above zero, got {getattr(self, name)}")
