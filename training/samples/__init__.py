"""The sample world: drawings whose truth is known, and the small models that learn to see them."""

from training.samples.drawing import draw
from training.samples.truth import Box, Degradation, Drawing, Truth

__all__ = ["Box", "Degradation", "Drawing", "Truth", "draw"]
