"""Where the pixels of a model's input lie in the original upright picture, and the way back for boxes."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Geometry:
    """input = original * scale + offset on each axis, in continuous pixels (a pixel covers [i, i + 1)).

    width, height: the original upright picture. Scales are input pixels per original pixel, offsets input pixels.
    """

    width: float
    height: float
    scale_x: float = 1.0
    scale_y: float = 1.0
    offset_x: float = 0.0
    offset_y: float = 0.0

    def scaled(self, x: float, y: float) -> Self:
        """After a resize by these factors."""
        return replace(
            self,
            scale_x=self.scale_x * x,
            scale_y=self.scale_y * y,
            offset_x=self.offset_x * x,
            offset_y=self.offset_y * y,
        )

    def shifted(self, x: float, y: float) -> Self:
        """After the picture moved right and down by so many input pixels (padding; negative when cropped)."""
        return replace(self, offset_x=self.offset_x + x, offset_y=self.offset_y + y)

    def to_original(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map boxes (N, 4) float32 xyxy from model-input pixels to original upright pixels, clipped to the picture."""
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise ValueError(f"boxes: expected (N, 4), got {boxes.shape}")
        offset = np.array([self.offset_x, self.offset_y] * 2)
        scale = np.array([self.scale_x, self.scale_y] * 2)
        limit = np.array([self.width, self.height] * 2)
        original: NDArray[np.float32] = np.clip((boxes - offset) / scale, 0.0, limit).astype(np.float32)
        return original

    def to_input(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map boxes (N, 4) float32 xyxy from original upright pixels to model-input pixels, unclipped."""
        offset = np.array([self.offset_x, self.offset_y] * 2)
        scale = np.array([self.scale_x, self.scale_y] * 2)
        moved: NDArray[np.float32] = (boxes * scale + offset).astype(np.float32)
        return moved
