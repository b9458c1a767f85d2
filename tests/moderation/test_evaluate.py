"""What policies find in raw results: everything that was said counts, and the surest voice is named. R15, R67."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.merging import RegisteredModel, Said
from schemas.models import Label
from schemas.results import ModelOutput
from schemas.rules import Action, Policies, Policy
from tests.moderation import default_policies
from workers.moderation import evaluate

LABELS = (
    Label("sword", "general"),
    Label("swimsuit", "general"),
    Label("sensitive", "rating"),
    Label("sky", "general"),
)
THRESHOLDS = {"*": 0.99}  # moderation must not look at these


def model(id_: int, name: str, stage: str = "tagging") -> RegisteredModel:
    return RegisteredModel(id_, name, stage, "r1", False, LABELS, THRESHOLDS, 0.05)


MODELS = {1: model(1, "b-tagger"), 2: model(2, "a-tagger"), 3: model(3, "detector", "detection")}


def said(model_id: int, **scores: float) -> Said:
    names = [label.name for label in LABELS]
    labels = np.array([names.index(name) for name in scores], np.int16)
    return Said(model_id, ModelOutput(labels, np.array(list(scores.values()), np.float32)), 1.0, 1)


def policy(subject: str, at_least: float = 0.5, name: str = "violence/weapons") -> Policy:
    return Policy(name, subject, at_least, "low", Action.REVIEW, "weapons")


WEAPONS = Policies(7, (policy("tag:sword"), policy("label:sword", 0.3)))


def test_a_finding_says_which_policy_found_what_by_whom_and_how_surely() -> None:
    (found,) = evaluate(WEAPONS, [said(1, sword=0.75, sky=0.9)], MODELS)
    assert (found.policy, found.version, found.subject) == ("violence/weapons", 7, "tag:sword")
    assert (found.score, found.threshold, found.source) == (0.75, 0.5, "b-tagger")
    assert (found.severity, found.action, found.queue) == ("low", Action.REVIEW, "weapons")


@pytest.mark.parametrize(
    ("answers", "source", "score"),
    [
        ([said(1, sword=0.6), said(2, sword=0.75)], "a-tagger", 0.75),
        ([said(1, sword=0.75), said(2, sword=0.6)], "b-tagger", 0.75),
        ([said(1, sword=0.75), said(2, sword=0.75)], "a-tagger", 0.75),
        ([said(1, sword=0.75), said(2, sword=0.1)], "b-tagger", 0.75),
    ],
)
def test_the_highest_score_names_the_source_and_of_equals_the_first_name(
    answers: list[Said], source: str, score: float
) -> None:
    (found,) = evaluate(WEAPONS, answers, MODELS)
    assert (found.source, found.score) == (source, score)


def test_detectors_taggers_and_ratings_are_told_apart() -> None:
    policies = Policies(1, (policy("label:sword"), policy("rating:sensitive"), policy("tag:sensitive")))
    found = evaluate(policies, [said(1, sword=0.9, sensitive=0.9), said(3, sensitive=0.9)], MODELS)
    assert [each.subject for each in found] == ["rating:sensitive"]


def test_several_boxes_of_one_label_are_one_finding_with_the_surest() -> None:
    output = ModelOutput(np.zeros(3, np.int16), np.array([0.25, 0.875, 0.5], np.float32), np.zeros((3, 4), np.float32))
    (found,) = evaluate(WEAPONS, [Said(3, output, 1.0, 1)], MODELS)
    assert (found.subject, found.score) == ("label:sword", 0.875)


@pytest.mark.parametrize("at_least", [0.1, 0.35, 0.6, 0.7, 1.0])
def test_a_score_at_the_threshold_matches_though_float32_is_coarser(at_least: float) -> None:
    policies = Policies(1, (policy("tag:sword", at_least),))
    assert evaluate(policies, [said(1, sword=at_least)], MODELS)
    below = float(np.nextafter(np.float32(at_least), np.float32(0)))
    assert not evaluate(policies, [said(1, sword=below)], MODELS)


def test_one_label_can_match_several_policies() -> None:
    policies = Policies(1, (policy("tag:sword", name="b"), policy("tag:sword", name="a")))
    assert [each.policy for each in evaluate(policies, [said(1, sword=0.9)], MODELS)] == ["a", "b"]


def test_nothing_said_or_nothing_asked_finds_nothing() -> None:
    assert evaluate(WEAPONS, [], MODELS) == ()
    assert evaluate(Policies(), [said(1, sword=0.9)], MODELS) == ()


@given(st.lists(st.tuples(st.sampled_from([1, 2, 3]), st.sampled_from([0.125, 0.5, 0.875])), unique_by=lambda p: p[0]))
def test_the_order_in_which_models_spoke_makes_no_difference(voices: list[tuple[int, float]]) -> None:
    policies = Policies(1, default_policies())
    answers = [said(number, sword=score, swimsuit=score) for number, score in voices]
    assert evaluate(policies, answers, MODELS) == evaluate(policies, answers[::-1], MODELS)
