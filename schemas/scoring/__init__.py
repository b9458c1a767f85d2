"""Rules about figures as people write them: TOML to `Scoring`, strictly, and back to what a version stores."""

import tomllib
from collections.abc import Mapping

from schemas.errors import ConfigurationError, ManifestError
from schemas.scores import Calibration, MarketFilter, QualityClass, Scoring
from schemas.tables import Table


def parse_scoring(text: str, name: str) -> Scoring:
    """Rules about figures from TOML. name: the file's, for messages.

    Raises ConfigurationError naming the file, the key and what is allowed there.
    """
    try:
        return read_scoring(tomllib.loads(text), name)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{name}: not TOML: {error}") from error


def read_scoring(document: Mapping[str, object], name: str) -> Scoring:
    """Rules about figures from a stored document, the inverse of `scoring_document`; errors as in `parse_scoring`."""
    try:
        top = Table(document, name)
        found = Scoring(0, _calibration(top), _cuts(top), _weights(top), _filter(top))
        top.end()
    except ManifestError as error:  # the reader of tables is the manifests' one
        raise ConfigurationError(str(error)) from error
    return found


def scoring_document(scoring: Scoring) -> dict[str, object]:
    """Plain values for JSON, in the form of the TOML."""
    market = scoring.market
    return {
        "calibration": {"name": scoring.calibration.name, "quantiles": list(scoring.calibration.quantiles)},
        "classes": {str(name): cut for name, cut in scoring.cuts.items()},
        "weights": dict(scoring.weights),
        "market": {"keep": market.keep, "at_least": market.at_least, "least_quality": market.least_quality},
    }


def _calibration(top: Table) -> Calibration:
    table = top.table("calibration")
    name, marks = table.text("name"), table.numbers("quantiles")
    try:
        found = Calibration(name, marks)
    except ValueError as error:
        raise table.wrong("quantiles", f"ascending numbers, at least two: {error}") from error
    table.end()
    return found


def _cuts(top: Table) -> dict[QualityClass, float]:
    table = top.table("classes")
    cuts = {name: table.share(name.value) for name in QualityClass}
    table.end()
    if list(cuts.values()) != sorted(set(cuts.values())) or cuts[QualityClass.WORST] != 0:
        raise top.wrong("classes", "ascending shares from 0 for the worst to the masterpiece")
    return cuts


def _weights(top: Table) -> dict[str, float]:
    table = top.table("weights", optional=True)
    weights = {name: table.number(name) for name in table.names()}
    for name, weight in weights.items():
        if not 0 <= weight <= 10:
            raise table.wrong(name, f"a weight from 0 to 10, got {weight}")
    table.end()
    return weights


def _filter(top: Table) -> MarketFilter:
    table = top.table("market", optional=True)
    found = MarketFilter(
        table.whole("keep", 30, least=1), table.number("at_least", 0.0), table.whole("least_quality", 0)
    )
    table.end()
    if found.least_quality not in (0, 4, 5, 6, 7, 8, 9):
        raise top.wrong("market.least_quality", f"0 for any picture, or a step 4 to 9, got {found.least_quality}")
    return found
