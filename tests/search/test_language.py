"""The query language: what reads as what, what is refused and how, and that text and tree are the same thing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import QueryError
from schemas.search import Order, Query, Selection, facet_term, fold, parse, selection, toggle, words
from schemas.search.query import (
    MAX_DEPTH,
    MAX_TERMS,
    AnyOf,
    Bare,
    Confidence,
    Not,
    Number,
    Span,
    Tag,
    Text,
    Value,
    Wild,
    both,
    either,
)
from schemas.search.tokens import plain
from tests.search import strategies as some

A, B, C = Bare("a"), Bare("b"), Bare("c")
READS = [
    ("a b", (A, B)),
    ("a -b", (A, Not(B))),
    ("--a", (A,)),
    ("~a c ~b", (C, AnyOf((A, B)))),
    ("a or b", (AnyOf((A, B)),)),
    ("a b or c", (either([both([A, B]), C]),)),
    ("a and b AND a", (A, B)),
    ("(a or b) c", (AnyOf((A, B)), C)),
    ("-(a b)", (Not(both([A, B])),)),
    ("(a (b))", (A, B)),
    ("red, Car", (Bare("red"), Bare("car"))),
    ("star_(sky) (moon_(phase) or x)", (Bare("star_(sky)"), either([Bare("moon_(phase)"), Bare("x")]))),
    (":d re:zero", (Bare(":d"), Bare("re:zero"))),
    ('tag:":)" tag:Blue', (Tag(":)"), Tag("blue"))),
    ('tag:"two words"', (Tag("two_words"),)),
    ("blue_** tag:*sky", (Wild("blue_*"), Wild("*sky"))),
    ('"Red  Car!" words:sunset', (Text("red car"), Text("sunset"))),
    ("ai:cat,>=90% ai:dog,<.5", (Confidence("cat", Span(low=900)), Confidence("dog", Span(None, 500, False, True)))),
    ("rating:g,explicit", (Value("rating", ("general", "explicit")),)),
    ('color:red object:"hot dog",cat', (Value("colour", ("red",)), Value("object", ("hot_dog", "cat")))),
    ("format:JPG", (Value("format", ("jpeg",)),)),
    ("width:>1000 people:>=3", (Number("width", (Span(1000, None, True),)), Number("people", (Span(3),)))),
    ("ratio:16:9", (Number("ratio", (Span(178, 178),)),)),
    ("size:1.5mb..2mb", (Number("size", (Span(1572864, 2097152),)),)),
    ("mp:<=2.5 id:5,7", (Number("mp", (Span(high=250),)), Number("id", (Span(5, 5), Span(7, 7))))),
    (
        "date:2026-11-01..2026-11-21",
        (Number("date", (Span(739921, 739941),)),),
    ),
    ("sha:ABCD", (Value("sha", ("abcd",)),)),
]
REFUSED = [
    ("a (b", "column 3: this ( is never closed"),
    ("a b)", "column 4: this ) closes no group"),
    ("a or", "column 3: `or` needs a term after it"),
    ("or a", "column 1: `or` needs a term before it"),
    ("a ()", "column 3: this group is empty"),
    ("a -", "column 3: a term is missing after -"),
    ('a "b', 'column 3: this " is never closed'),
    ('a "!"', "column 3: there is no word to look for"),
    ("a *", "column 3: .* at least one letter"),
    ("rating:nice", "column 1: rating: 'nice' is none of general"),
    ("width:wide", "column 1: width: 'wide' is not a whole number"),
    ("width:", "column 1: a number is missing, write for example width:>=1920"),
    ("width:9..3", "the smaller number comes first"),
    ("size:3m", "write for example 500kb"),
    ("date:2026-13-01", "write for example 2026-11-21"),
    ("sha:xyz1", "hexadecimal"),
    ("ai:cat", "write for example ai:cat,>=90%"),
    ("ai:cat,>=101%", "above 100%"),
    ("object:", "write for example object:cat"),
    ("order:newst", "did you mean order:newest"),
    ("-order:newest", "outside of groups"),
    ("(a order:newest)", "outside of groups"),
    ("order:newest order:size", "write one only"),
    ("a\x00", "column 2: this character"),
    ("a" * 2001, "at most 2000"),
    ("(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1), f"deeper than {MAX_DEPTH}"),
    (" ".join(f"t{n}" for n in range(MAX_TERMS + 1)), f"more than {MAX_TERMS} terms"),
    ("id:" + ",".join(map(str, range(MAX_TERMS + 1))), f"more than {MAX_TERMS} terms"),
]


@pytest.mark.parametrize(("text", "nodes"), READS, ids=[text for text, _ in READS])
def test_a_query_reads_as(text: str, nodes: tuple[object, ...]) -> None:
    assert parse(text).nodes == nodes


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[text[:20] for text, _ in REFUSED])
def test_a_refused_query_says_where_and_what_would_be_right(text: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert re.search(message if ".*" in message else re.escape(message), str(caught.value))


def test_the_order_is_part_of_the_query() -> None:
    assert parse("cat order:SIZE") == Query((Bare("cat"),), Order.SIZE)
    assert str(parse("order:newest cat")) == "cat"


@given(some.queries(some.for_moderators))
def test_a_tree_is_its_text_read_again(query: Query) -> None:
    assert parse(str(query)) == query


@given(st.text(alphabet='ab(): -~",*\\:or>=<.1猫é\t', max_size=25) | st.text(max_size=25))
def test_what_can_be_read_is_written_so_that_it_reads_the_same(text: str) -> None:
    try:
        query = parse(text)
    except QueryError:
        return
    assert parse(str(query)) == query


@given(some.folded, st.sampled_from(("general", "object", "flag", "collection")))
def test_every_facet_value_can_be_clicked_and_its_text_typed(name: str, facet: str) -> None:
    term = facet_term(facet, name)
    query = toggle(Query(), term)
    if name.isprintable():
        assert selection(parse(str(query)), term) is Selection.INCLUDED


@given(st.text())
def test_words_of_words_are_the_same_words(text: str) -> None:
    found = words(text)
    assert set(words(" ".join(found))) == set(found)
    assert set(words(plain(text))) == set(found)
    assert all(word and not set(word) & set(' _-"\t\n') for word in found)


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Folder_2/IMG-0001.PNG", ("folder", "2", "img", "0001", "png")),
        ("ＦＵＬＬ width ﬁne", ("full", "width", "fine")),
        ("Straße ÉCOLE école", ("straße", "école")),
        ("猫耳娘2", ("猫", "耳", "娘", "猫耳", "耳娘", "2")),
        ("ラーメン屋", ("ラ", "ー", "メ", "ン", "屋", "ラー", "ーメ", "メン", "ン屋")),
        ("Привет, мир", ("привет", "мир")),
        ("고양이 귀", ("고양이", "귀")),
        ("x" * 70, ("x" * 64,)),
        ("-- !?", ()),
    ],
)
def test_words_of_a_text(text: str, found: tuple[str, ...]) -> None:
    assert words(text) == found
