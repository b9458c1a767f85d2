"""The vocabulary's file format: what makes one sound, and errors that say what to mend (R17)."""

from importlib import resources

import pytest

from schemas.errors import ManifestError
from schemas.vocabulary import implied, parse_vocabulary


def test_a_sound_vocabulary_is_read_as_it_is_written() -> None:
    text = '[aliases]\nfemale = "1girl"\n[implications]\nsword = ["weapon"]\n[exclusive]\ncount = ["solo", "2girls"]\n'
    vocabulary = parse_vocabulary(text, "a.toml", 3)
    assert vocabulary.version == 3
    assert vocabulary.aliases == {"female": "1girl"}
    assert vocabulary.implications == {"sword": ("weapon",)}
    assert vocabulary.exclusive == (frozenset({"solo", "2girls"}),)


def test_an_empty_file_is_an_empty_vocabulary() -> None:
    vocabulary = parse_vocabulary("", "a.toml")
    assert (vocabulary.aliases, vocabulary.implications, vocabulary.exclusive) == ({}, {}, ())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("aliases = [", "not TOML"),
        ('[alias]\na = "b"', "'alias'.*allowed: aliases, implications, exclusive"),
        ('[aliases]\na = "b"\nb = "c"', "a is an alias of b, which is an alias itself; name c"),
        ('[aliases]\na = "a"', "alias"),
        ('[implications]\na = ["b"]\nb = ["c"]\nc = ["a"]', "implies itself in a circle"),
        ('[implications]\na = ["a"]', "a implies itself"),
        ('[implications]\na = ["b", "c"]\nb = ["c"]', "a implies c already"),
        ('[implications]\na = ["b", "d"]\nb = ["c"]\nc = ["d"]', "a implies d already"),
        ('[exclusive]\none = ["a"]', "at least two"),
        ('[exclusive]\none = ["a", "a"]', "at least two"),
        ('[implications]\na = "bcd"', "list"),
        ("[aliases]\na = 3", "text"),
        ('aliases = ["a"]', "table"),
        ('[exclusive]\none = "ab"', "list"),
        ('[aliases]\na = "b"\n[implications]\na = ["c"]', "a is an alias of b"),
        ('[aliases]\na = "b"\n[implications]\nc = ["a"]', "a is an alias of b"),
        ('[aliases]\na = "b"\n[exclusive]\none = ["a", "c"]', "a is an alias of b"),
        ('[implications]\na = ["b"]\n[exclusive]\none = ["a", "b"]', "a implies b"),
    ],
)
def test_what_is_wrong_is_named_with_the_file(text: str, says: str) -> None:
    with pytest.raises(ManifestError, match=says) as error:
        parse_vocabulary(text, "mine.toml")
    assert str(error.value).startswith("mine.toml: ")


def test_two_ways_to_the_same_tag_are_no_redundant_edge() -> None:
    parse_vocabulary('[implications]\na = ["b", "c"]\nb = ["d"]\nc = ["d"]', "a.toml")


def test_everything_that_follows_is_implied_and_a_tag_not_by_itself() -> None:
    assert implied("a", {"a": ("b", "c"), "b": ("d",)}) == {"b", "c", "d"}
    assert implied("d", {"a": ("d",)}) == set()


def test_the_vocabulary_that_ships_is_sound() -> None:
    text = (resources.files("schemas.vocabulary") / "default.toml").read_text("utf-8")
    assert parse_vocabulary(text, "default.toml").implications["sword"] == ("weapon",)
