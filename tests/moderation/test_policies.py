"""Policies as text: what is understood, what is refused, and the pack that everybody starts with. R67."""

import tomllib

import pytest

from schemas.errors import ConfigurationError
from schemas.policies import parse_policies, policies_document, read_policies
from schemas.rules import Action, Policy, Severity
from tests.moderation import default_policies

GOOD = """
[[policy]]
name = "violence/weapons/blades"
queue = "weapons"
severity = "low"
action = "review"
[policy.at_least]
"tag:sword" = 0.6
"label:sword" = 0.5
"""


def test_a_policy_is_read_once_for_each_subject() -> None:
    tag, label = parse_policies(GOOD, "mine.toml")
    expected = Policy("violence/weapons/blades", "tag:sword", 0.6, Severity.LOW, Action.REVIEW, "weapons")
    assert tag == expected
    assert (label.subject, label.at_least) == ("label:sword", 0.5)


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("violence/weapons/blades", "a/b/c/d", "one to three words"),
        ("violence/weapons/blades", "Violence", "one to three words"),
        ('"low"', '"worst"', "one of 'low', 'medium', 'high'"),
        ('"review"', '"delete"', "one of 'review', 'hold'"),
        ('queue = "weapons"', 'queue = ""', "non-empty string"),
        ('queue = "weapons"', 'queue = "the weapons"', "a word in a-z"),
        ('queue = "weapons"\n', "", "got nothing"),
        ("tag:sword", "sword", "'tag:NAME', 'label:NAME', 'rating:NAME'"),
        ("tag:sword", "tag:", "'tag:NAME'"),
        ("tag:sword", "tag:Long Sword", "lower case with '_'"),
        ("0.6", "1.6", "a number in 0..1"),
        ("0.6", '"0.6"', "a number in 0..1"),
        ("0.6", "0", "above 0"),
        ('"tag:sword" = 0.6\n"label:sword" = 0.5', "", "at least one subject"),
        ('severity = "low"', 'severity = "low"\ncolour = "red"', "no such key"),
        ("[[policy]]", "top = 1\n[[policy]]", "no such key"),
        ("[[policy]]", "[[policy", "not TOML"),
    ],
)
def test_a_slip_is_refused_with_its_place_and_what_is_allowed(right: str, wrong: str, told: str) -> None:
    assert right in GOOD
    with pytest.raises(ConfigurationError) as refused:
        parse_policies(GOOD.replace(right, wrong, 1), "mine.toml")
    assert told in str(refused.value) and "mine.toml" in str(refused.value)


def test_two_policies_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="violence/weapons/blades"):
        parse_policies(GOOD + GOOD, "mine.toml")


def test_what_is_stored_reads_back_the_same() -> None:
    for policies in (default_policies(), parse_policies(GOOD, "mine.toml"), ()):
        assert read_policies(policies_document(policies), "rules") == policies
    assert policies_document(parse_policies(GOOD, "mine.toml")) == tomllib.loads(GOOD)


@pytest.mark.parametrize(
    ("subject", "queue", "action"),
    [
        ("tag:sword", "weapons", Action.REVIEW),
        ("tag:weapon", "weapons", Action.REVIEW),
        ("label:sword", "weapons", Action.REVIEW),
        ("tag:swimsuit", "adult", Action.REVIEW),
        ("rating:sensitive", "adult", Action.REVIEW),
        ("rating:questionable", "adult", Action.HOLD),
        ("rating:explicit", "adult", Action.HOLD),
    ],
)
def test_the_default_pack_knows_the_sample_models_and_every_rating_but_general(  # R51
    subject: str, queue: str, action: Action
) -> None:
    assert [(p.queue, p.action) for p in default_policies() if p.subject == subject] == [(queue, action)]
