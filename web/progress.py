"""How far the analysis is, told in images rather than in stages."""

from dataclasses import dataclass

from schemas.services import WebServices


@dataclass(frozen=True, slots=True)
class Progress:
    """Objects by what became of them: settled ones (analysed or refused) of all."""

    settled: int
    refused: int
    total: int

    @property
    def waiting(self) -> int:
        """Objects that something is still to be done for."""
        return max(0, self.total - self.settled)


def progress_of(services: WebServices) -> Progress:
    """Asks the ledger."""
    return Progress(*services.progress())
