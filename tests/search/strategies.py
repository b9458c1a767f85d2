"""Random documents and random queries for property tests: small worlds, so that things meet."""

from datetime import UTC, date, datetime, timedelta
from random import Random

from hypothesis import strategies as st

from schemas.document import Document, DocumentTag
from schemas.record import Status, Visibility
from schemas.search import Order, Query
from schemas.search.fields import RATINGS, RESOLUTIONS
from schemas.search.query import (
    Bare,
    Confidence,
    Leaf,
    Node,
    Number,
    Span,
    Tag,
    Text,
    Value,
    Wild,
    both,
    either,
    every,
    negate,
)
from schemas.search.terms import TermError, read_bare
from schemas.search.tokens import fold, plain, words

TAGS = ("cat", "dog", "blue_sky", "star_(sky)", "sky", ":d", "猫耳", "o'brien", "x%y", 'say_"hi"')
CATEGORIES = ("general", "character", "scene")
LABELS = ("cat", "car", "hot_dog")
COLOURS = ("red", "blue")
COLLECTIONS = ("one", "two")
FLAGS = ("weapons", "gore")
FORMATS = ("png", "jpeg")
TEXT = ("red car", "猫耳娘 sunset", "IMG_0001", "cat food")
BEGINNING = datetime(2026, 11, 1, tzinfo=UTC)
_CONFIDENCES = st.sampled_from((0.05, 0.35, 0.8999, 0.9, 0.9004, 1.0))


def some(values: tuple[str, ...], most: int = 2) -> st.SearchStrategy[tuple[str, ...]]:
    """Some of the values, each once."""
    return st.lists(st.sampled_from(values), unique=True, max_size=most).map(tuple)


tags = st.lists(
    st.builds(DocumentTag, st.sampled_from(TAGS), st.sampled_from(CATEGORIES), _CONFIDENCES),
    max_size=6,
    unique_by=lambda tag: (tag.name, tag.category),
).map(tuple)
documents = st.builds(
    Document,
    record=st.integers(1, 12),
    revision=st.integers(1, 3),
    deleted=st.sampled_from((False, False, False, True)),
    collection=st.sampled_from(COLLECTIONS),
    visibility=st.sampled_from((Visibility.SHOWN, Visibility.SHOWN, Visibility.HELD, Visibility.REMOVED)),
    status=st.sampled_from(Status),
    sha256=st.sampled_from(("ab" * 32, "abcd" * 16, "ff" * 32)),
    format=st.sampled_from(FORMATS),
    width=st.sampled_from((1, 500, 1000, 1999, 4000)),
    height=st.sampled_from((1, 500, 1000, 2001)),
    bytes=st.sampled_from((0, 1024, 1_572_864, 5_000_000_000)),
    created_at=st.sampled_from([BEGINNING + timedelta(hours=hours) for hours in (0, 23, 24, 500)]),
    tags=tags,
    objects=some(LABELS),
    people=st.sampled_from((None, 0, 1, 2, 3, 7)),
    rating=st.sampled_from((None, *RATINGS)),
    colours=some(COLOURS),
    words=st.sampled_from(TEXT).map(words),
    flags=some(FLAGS),
    review=st.sampled_from(("", "open", "kept", "removed")),
    phash=st.just(0),
)


def _spans(low: int, high: int) -> st.SearchStrategy[tuple[Span, ...]]:
    number = st.integers(low, high)
    between = st.tuples(number, number).map(lambda pair: Span(min(pair), max(pair)))
    above = st.builds(Span, low=number, low_open=st.booleans())
    below = st.builds(Span, high=number, high_open=st.booleans())
    return st.lists(between | above | below, min_size=1, max_size=2, unique=True).map(tuple)


def _value(field: str, values: tuple[str, ...]) -> st.SearchStrategy[Leaf]:
    listed = st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True).map(tuple)
    return listed.map(lambda found: Value(field, found))


def _number(field: str, low: int, high: int) -> st.SearchStrategy[Leaf]:
    return _spans(low, high).map(lambda spans: Number(field, spans))


def _readable(name: str) -> bool:
    try:
        return read_bare(name) == Bare(name)
    except TermError:
        return False


_day = date(2026, 11, 1).toordinal()
_names = st.sampled_from((*TAGS, "bird", "car", "sunset", "img"))
for_viewers: st.SearchStrategy[Leaf] = st.one_of(
    _names.filter(_readable).map(Bare),
    _names.map(Tag),
    st.sampled_from(("*sky*", "c*", "*(sky)", "x%*", "zz*")).map(Wild),
    st.sampled_from((*TEXT, "猫", "red")).map(lambda text: Text(plain(text))),
    st.builds(Confidence, _names, _spans(0, 1000).map(lambda spans: spans[0])),
    _value("object", (*LABELS, "boat")),
    _value("colour", COLOURS),
    _value("rating", RATINGS),
    _value("format", FORMATS),
    _value("status", tuple(Status)),
    _value("resolution", RESOLUTIONS),
    _value("collection", (*COLLECTIONS, "three")),
    _value("in", CATEGORIES),
    _value("sha", ("abab", "ffff", "abcd" * 16)),
    _number("width", 0, 4001),
    _number("height", 0, 2002),
    _number("ratio", 0, 300),
    _number("mp", 0, 900),
    _number("size", 0, 2_000_000),
    _number("people", 0, 4),
    _number("id", 0, 13),
    _number("date", _day - 1, _day + 22),
)
for_moderators = st.one_of(
    for_viewers,
    _value("flag", FLAGS),
    _value("review", ("open", "kept", "removed")),
    _value("visibility", tuple(Visibility)),
)


def nodes(terms: st.SearchStrategy[Leaf]) -> st.SearchStrategy[Node]:
    """Trees of a few terms in normal form."""

    def grow(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        several = st.lists(inner, min_size=1, max_size=3)
        return st.one_of(several.map(both), several.map(either), inner.map(negate))

    start: st.SearchStrategy[Node] = terms
    return st.recursive(start, grow, max_leaves=5)


def queries(terms: st.SearchStrategy[Leaf]) -> st.SearchStrategy[Query]:
    """Whole queries with an order."""
    several = st.lists(nodes(terms), max_size=3).map(every)
    return st.builds(Query, several, st.sampled_from(Order))


folded = st.text(min_size=1).map(fold).filter(bool)


EVERY_FIELD = (
    "cat", "tag:dog", "star_(sky)", "unheard_of", "kitty", "*sky*", "c*", '"red car"', "words:猫", "words:img",
    "ai:cat,>=90%", "ai:cat,<90%", "ai:dog,35%..90%", "ai:blue_sky,.9", "object:cat", 'object:"hot dog",car',
    "colour:red", "rating:general", "rating:s,q", "format:png", "status:partial,pending", "resolution:low,huge",
    "resolution:medium", "collection:one", "in:character", "in:scene,general", "sha:abab", "sha:ffff,abcd",
    "width:500", "width:>500", "width:<=1000", "height:500..2000", "ratio:1", "ratio:>1.99", "ratio:<.5", "mp:<1",
    "mp:>=.5", "mp:0", "size:1kb", "size:>1kb", "size:<5mb", "size:1.5mb", "people:0", "people:<2", "people:>=3",
    "people:1,7", "id:5", "id:3..40", "id:>140", "date:2026-11-01", "date:<2026-11-02", "date:>=2026-11-02",
    "date:2026-11-02..2026-11-30", "flag:weapons", "flag:gore,weapons", "review:open", "visibility:held,removed",
    "(cat or rating:general or people:>5)", "(cat -(dog or sky))", "(~cat ~dog object:cat)",
)  # fmt: skip


def a_world(size: int) -> list[Document]:
    """The same documents every time, each value of the strategies above in many of them."""
    draw = Random(11)

    def part(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(draw.sample(values, draw.randint(0, len(values))))

    def held() -> tuple[DocumentTag, ...]:
        names = draw.sample(TAGS, draw.randint(0, 5))
        scores = (0.05, 0.35, 0.8999, 0.9, 0.9004, 1.0)
        return tuple(DocumentTag(name, draw.choice(CATEGORIES), draw.choice(scores)) for name in names)

    return [
        Document(
            record=record,
            revision=1,
            deleted=draw.random() < 0.1,
            collection=draw.choice(COLLECTIONS),
            visibility=draw.choice(list(Visibility)),
            status=draw.choice(list(Status)),
            sha256=draw.choice(("ab" * 32, "abcd" * 16, "ff" * 32)),
            format=draw.choice(FORMATS),
            width=draw.choice((1, 499, 500, 501, 1000, 4000)),
            height=draw.choice((1, 500, 1000, 2000, 2001)),
            bytes=draw.choice((0, 1024, 1025, 1_572_864, 5_000_000_000)),
            created_at=BEGINNING + timedelta(hours=draw.choice((0, 23, 24, 500))),
            tags=held(),
            objects=part(LABELS),
            people=draw.choice((None, 0, 1, 2, 3, 7)),
            rating=draw.choice((None, *RATINGS)),
            colours=part(COLOURS),
            words=words(draw.choice(TEXT)),
            flags=part(FLAGS),
            review=draw.choice(("", "open", "kept", "removed")),
            phash=0,
        )
        for record in range(1, size + 1)
    ]
