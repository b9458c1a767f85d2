"""When failed work is tried again: by the kind of error, with growing pauses that never fall together."""

import random
from dataclasses import dataclass
from datetime import timedelta

DEATHS_ALONE = 3  # after so many process deaths with nothing else at work, the subject is quarantined


@dataclass(frozen=True, slots=True)
class RetryRule:
    """Pauses: first, doubled each time up to ceiling. attempts: after so many it has failed; None: never."""

    first: timedelta
    ceiling: timedelta
    attempts: int | None = None

    def pause(self, attempt: int, luck: float) -> timedelta:
        """The pause after the n-th attempt (from 1); luck in [0, 1) spreads it over half to all of its length."""
        grown = self.first * (1 << min(attempt - 1, 16))
        return min(grown, self.ceiling) * (0.5 + luck / 2)


# A server that is away comes back, and so does memory (inputs are of one size): never give up on the image for it. An
# image that hurts our own process or that we cannot read in peace gets a few chances.
RULES = {
    "decoder-died": RetryRule(timedelta(seconds=1), timedelta(seconds=10), attempts=3),
    "too-slow": RetryRule(timedelta(seconds=5), timedelta(minutes=2), attempts=3),
    "forward-failed": RetryRule(timedelta(seconds=1), timedelta(minutes=1), attempts=4),
    "object-changed": RetryRule(timedelta(milliseconds=500), timedelta(seconds=30)),
    "gone": RetryRule(timedelta(seconds=2), timedelta(seconds=30), attempts=4),  # planned again if it comes back
}
OTHERS = RetryRule(timedelta(seconds=1), timedelta(minutes=5))


def next_pause(code: str, attempt: int, luck: float | None = None) -> timedelta | None:
    """How long to wait after the n-th failed attempt with this error code, or None: it has failed for good."""
    rule = RULES.get(code, OTHERS)
    if rule.attempts is not None and attempt >= rule.attempts:
        return None
    return rule.pause(attempt, random.random() if luck is None else luck)
