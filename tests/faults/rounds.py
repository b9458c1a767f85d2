"""A round of faults, one after another, each while people upload; then all is counted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.faults.counting import Count, count
from tests.faults.deployment import Deployment
from tests.faults.faults import Fault

LIMIT = 60.0  # seconds from the end of a fault until nothing is pending, besides the work itself
_EACH = 0.15  # seconds of work an image, at most, on two cores


@dataclass(frozen=True, slots=True)
class Met:
    """What became of one fault. waited: what was pending at its end; settled: seconds from then until nothing was."""

    fault: str
    waited: int
    settled: float
    count: Count

    def line(self) -> str:
        """A row of the table in docs/reliability.md."""
        seen = self.count
        return (
            f"| {self.fault} | {seen.uploaded} | {self.waited} | {self.settled:.1f} "
            f"| {seen.lost} | {seen.doubled} | {seen.repeated} |"
        )


_COLUMNS = ("fault", "uploaded so far", "waiting at its end", "settled after, s", "lost", "doubled", "computed again")
HEAD = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|"


def meet(
    site: Deployment, faults: Sequence[Fault], uploads: int, seconds: float, say: Callable[[str], None]
) -> list[Met]:
    """Break and mend one after another, with so many uploads during each. TimeoutError where one does not settle."""
    met: list[Met] = []
    say(HEAD)
    for fault in faults:
        try:
            with site.uploads.meanwhile(uploads, seconds):
                fault.breaks(site, seconds)
                waited = site.pending()
            settled = site.settle(LIMIT + _EACH * uploads)
        except Exception as error:
            error.add_note(f"while this was met: {fault.name}")
            raise
        met.append(Met(fault.name, waited, settled, count(site.services, site.uploads)))
        say(met[-1].line())
    return met
