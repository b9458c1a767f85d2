"""What models call their ratings, from the file of labels to the record: one scale, nothing moved in silence (R51)."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from schemas.pipeline import TAGGING
from schemas.record import Record
from schemas.results import ModelOutput, StageResult
from schemas.rules import Action, Policy, Severity
from schemas.search import SearchRequest, Viewer, parse
from tasks.cli.main import main
from tasks.merge import refresh
from tasks.models import load_active, register
from tasks.services import Services
from tests.moderation import default_policies
from tests.pull import families
from tests.pull.hub import COMMIT
from tests.records.books import Books

MODEL, VERSION = "deepghs/anime_rating", "mobilenetv3_v1_pruned_ls0.1"
Install = Callable[..., int]


@pytest.fixture
def install(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a classifier whose file of labels names these into force, as it is pulled; gives its id in the ledger."""
    monkeypatch.setenv("NAFUDA_DATA", str(tmp_path))

    def installed(*labels: str) -> int:
        origin = families.classifier(tmp_path / "origin", VERSION, *labels)
        assert main(["models", "pull", MODEL, "--from", str(origin), "--revision", COMMIT]) == 0
        services.settings = services.settings.model_copy(update={"models": (MODEL,)})
        (number,) = register(services, load_active(services))
        return number

    return installed


def rated(services: Services, books: Books, model: int, *shares: float) -> Record:
    """The record of a picture of which the model said these shares, moderated and indexed."""
    books.rules.set_policies(default_policies(), "test")
    books.collection(model)
    image = books.put("a.png")
    said = ModelOutput(np.arange(len(shares), dtype=np.int16), np.array(shares, np.float32))
    books.results.store([StageResult(image, model, TAGGING, said, 1.0)])
    refresh(services, [books.records.find("a.png")])
    return books.records.record(books.records.find("a.png"))


def hits(services: Services, query: str) -> int:
    return len(services.index.hits(SearchRequest(parse(query), Viewer(sees_held=True), 9)).hits)


def test_a_models_own_words_become_ratings_that_policies_and_search_know(
    services: Services, books: Books, install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    """R51, R67: what `deepghs/anime_rating` calls r18 is explicit, or nobody would look at it."""
    with caplog.at_level(logging.WARNING):
        model = install("safe", "r15", "r18")
    labels = services.rules.models()[model].labels
    assert [(label.name, label.category) for label in labels] == [
        ("general", "rating"), ("sensitive", "rating"), ("explicit", "rating"),
    ]  # fmt: skip
    assert "words of rating" not in caplog.text
    record = rated(services, books, model, 0.05, 0.05, 0.9)
    assert (record.rating, record.rating_confidence) == ("explicit", 0.9)
    assert "rating:explicit" in {flag.subject for flag in record.flags}
    assert hits(services, "rating:explicit") == 1 and hits(services, "rating:general") == 0


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("safe", "r15", "r18", "guro"), ["general", "sensitive", "explicit", "unknown"]),
        (("mild", "wild", "r 18", "guro"), ["unknown"] * 4),
    ],
)
def test_a_word_that_its_source_does_not_have_is_no_rating_and_is_counted(
    services: Services,
    books: Books,
    install: Install,
    caplog: pytest.LogCaptureFixture,
    words: tuple[str, ...],
    names: list[str],
) -> None:
    with caplog.at_level(logging.WARNING):
        model = install(*words)
    labels = services.rules.models()[model].labels
    assert [label.name for label in labels] == names
    (told,) = [each for each in caplog.records if "words of rating" in each.message]
    unknown = [word for word, name in zip(words, names, strict=True) if name == "unknown"]
    assert vars(told)["model"] == MODEL and vars(told)["words"] == unknown
    assert (vars(told)["count"], vars(told)["of"]) == (len(unknown), 4)
    record = rated(services, books, model, 0.05, 0.05, 0.1, 0.8)
    assert (record.rating, record.rating_confidence) == (None, None)
    assert record.tags == () and hits(services, "-rating:general") == 1
    watched = Policy("unrated", "rating:unknown", 0.5, Severity.LOW, Action.REVIEW, "unrated")
    assert services.rules.set_policies([watched], "test")
    refresh(services, [record.id])
    assert [flag.subject for flag in books.records.record(record.id).flags] == ["rating:unknown"]
