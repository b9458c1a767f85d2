"""A round of faults, one after another, each while people upload; then all is counted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.faults import footprint
from tests.faults.counting import Count, count
from tests.faults.deployment import Deployment
from tests.faults.faults import Fault
from tests.faults.health import answering

LIMIT = 60.0  # seconds from the end of a fault until nothing is pending, besides the work itself
_EACH = 0.15  # seconds of work an image, at most, on two cores


@dataclass(frozen=True, slots=True)
class Met:
    """What became of one fault. waited: what was pending at its end; settled: seconds from then until nothing was;
    answered: seconds from then until every role played its part; grown: what roles gained from before it until then."""

    fault: str
    waited: int
    settled: float
    answered: float
    grown: list[footprint.Growth]
    count: Count

    @property
    def swollen(self) -> list[footprint.Growth]:
        """Roles that gained more than work takes."""
        return [each for each in self.grown if not each.bounded]

    def line(self) -> str:
        """A row of the table in docs/reliability.md."""
        seen = self.count
        return (
            f"| {self.fault} | {seen.uploaded} | {self.waited} | {self.settled:.1f} | {self.answered:.1f} "
            f"| {seen.lost} | {seen.doubled} | {seen.repeated} | {self.grown[0]} |"
        )


_COLUMNS = (
    "fault", "uploaded so far", "waiting at its end", "settled after, s", "all play their part after, s", "lost",
    "doubled", "computed again", "most memory gained, MiB",
)  # fmt: skip
HEAD = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|"


def meet(
    site: Deployment,
    faults: Sequence[Fault],
    uploads: int,
    seconds: float,
    say: Callable[[str], None],
    *,
    brief: bool = False,
) -> list[Met]:
    """Break and mend one after another, with so many uploads during each. TimeoutError where one does not settle.
    brief: each lasts so many seconds, also one that would have to last longer to be noticed."""
    met: list[Met] = []
    if not brief:
        footprint.warm(site)
        site.settle(LIMIT)
    answering(site, LIMIT)
    warm = footprint.resident(site.roles)
    say(HEAD)
    for fault in faults:
        try:
            met.append(_meet(site, fault, uploads, seconds if brief else max(seconds, fault.least), warm))
        except Exception as error:
            error.add_note(f"while this was met: {fault.name}")
            raise
        say(met[-1].line())
    return met


def _meet(site: Deployment, fault: Fault, uploads: int, seconds: float, warm: dict[str, int]) -> Met:
    before = footprint.resident(site.roles)
    with site.guests:
        with site.uploads.meanwhile(uploads, seconds):
            fault.breaks(site, seconds)
            waited = site.pending()
        settled = site.settle(LIMIT + _EACH * uploads)
        answered = settled + answering(site, LIMIT)
    grown = footprint.growths(before, footprint.resident(site.roles), warm)
    return Met(fault.name, waited, settled, answered, grown, count(site.services, site.uploads))
