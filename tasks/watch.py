"""Whether a worker's silence means that it died: not where nobody could have been heard."""

import time
from datetime import datetime, timedelta

_GAP = timedelta(seconds=3)  # of looks a second apart, on a machine that has much else to do


class Watch:
    """Looks at the database in a row. While it was away, its host suspended or its clock put forward, all workers fell
    silent, and the first to come back must not take the others for dead: only looks without a gap, for as long as the
    silence that counts, tell who is. At the start, too, nobody knows what was before. It costs that silence once;
    a successor in a dead worker's place (`NAFUDA_PLACE`) frees its claims without."""

    def __init__(self, silent: timedelta) -> None:
        self._silent = silent.total_seconds()
        # A live worker is as old as its pause between beats, such a gap and its own way back: less than the silence.
        self._gap = max(_GAP.total_seconds(), self._silent / 4)
        self._last: tuple[float, datetime] | None = None
        self._since = 0.0

    def judges(self, now: datetime) -> bool:
        """Whether silence tells of death at this look. now: by the database's clock."""
        here = time.monotonic()
        if self._last is None or self._gapped(here, now, *self._last):
            self._since = here
        self._last = (here, now)
        return here - self._since >= self._silent

    def _gapped(self, here: float, now: datetime, before: float, then: datetime) -> bool:
        """Since the last look. By both clocks: ours stands still while our host is suspended."""
        return max(here - before, abs((now - then).total_seconds())) > self._gap
