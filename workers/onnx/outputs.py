"""Checks of what a graph gave for one image: a broken number is that image's error, not the batch's."""

import numpy as np
from numpy.typing import NDArray

from schemas.errors import PermanentError

Floats = NDArray[np.float32]

# Float16 graphs miss 0 and 1 by rounding; anything further off is not a probability.
SLACK = 1e-3


def finite(raw: Floats) -> Floats:
    """The array itself. PermanentError (code "bad-output") when it holds NaN or infinity."""
    if not np.isfinite(raw).all():
        bad = int(np.count_nonzero(~np.isfinite(raw)))
        raise PermanentError(
            f"the model gave {bad} numbers of {raw.size} that are NaN or infinite for this image; "
            "try the model in float32",
            code="bad-output",
        )
    return raw


def checked_scores(scores: Floats) -> Floats:
    """Scores clipped to [0, 1]. PermanentError (code "bad-output") when they are no probabilities at all."""
    if scores.size and (scores.min() < -SLACK or scores.max() > 1 + SLACK):
        raise PermanentError(
            f"the model gave scores of {scores.min():g}..{scores.max():g}, expected 0..1; if they are logits, "
            "the manifest's output.decode must say sigmoid or softmax",
            code="bad-output",
        )
    return np.clip(scores, 0.0, 1.0)
