"""Clicks on facets edit the query: what is added, joined, replaced and taken out again."""

import pytest
from hypothesis import given

from schemas.search import (
    Order,
    Query,
    Selection,
    excluding,
    facet_term,
    parse,
    selection,
    toggle,
    with_order,
    without,
)
from schemas.search.query import Leaf
from tests.search import strategies as some

CLICKS = [
    ("", "general", "cat", "cat"),
    ("cat", "general", "cat", ""),
    ("tag:cat dog", "general", "cat", "dog"),
    ("-cat dog", "general", "cat", "dog cat"),
    ("", "general", "or", "tag:or"),
    ("", "general", ":)", 'tag:":)"'),
    ("", "general", "width:5", "tag:width:5"),
    ("rating:general", "rating", "sensitive", "rating:general,sensitive"),
    ("rating:general,sensitive", "rating", "general", "rating:sensitive"),
    ("rating:general", "rating", "general", ""),
    ("-rating:explicit,general", "rating", "explicit", "-rating:general rating:explicit"),
    ("people:1", "people", "3+", "people:1,>=3"),
    ("people:1,>=3", "people", "1", "people:>=3"),
    ("colour:red", "colour", "blue", "colour:red colour:blue"),
    ("object:cat (a or b) order:size", "object", "cat", "(a or b) order:size"),
]
EXCLUSIONS = [
    ("", "general", "cat", "-cat"),
    ("cat", "general", "cat", "-cat"),
    ("-cat", "general", "cat", ""),
    ("rating:general,explicit", "rating", "explicit", "rating:general -rating:explicit"),
    ("people:1", "people", "1", "-people:1"),
]


@pytest.mark.parametrize(("before", "facet", "value", "after"), CLICKS)
def test_a_click_includes_or_takes_out_again(before: str, facet: str, value: str, after: str) -> None:
    assert str(toggle(parse(before), facet_term(facet, value))) == after


@pytest.mark.parametrize(("before", "facet", "value", "after"), EXCLUSIONS)
def test_a_click_excludes_or_takes_the_exclusion_back(before: str, facet: str, value: str, after: str) -> None:
    assert str(excluding(parse(before), facet_term(facet, value))) == after


@given(some.queries(some.for_viewers), some.for_viewers)
def test_a_term_is_what_was_last_said_about_it(query: Query, term: Leaf) -> None:
    assert selection(without(query, term), term) is Selection.NONE
    clicked = toggle(without(query, term), term)
    assert selection(clicked, term) is Selection.INCLUDED
    assert selection(toggle(clicked, term), term) is Selection.NONE
    assert selection(excluding(clicked, term), term) is Selection.EXCLUDED


def test_the_order_can_be_changed() -> None:
    assert str(with_order(parse("cat"), Order.OLDEST)) == "cat order:oldest"
