"""Missing alt attributes are filled, and nothing else in a page changes (R9)."""

import re

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import RefusedError
from workers.captioning.site import fill

SAID = 'alt="A girl &amp; a &quot;cat&quot; &lt;3"'
KNOWN = {"a.png": 'A girl & a "cat" <3', "b.png": "ねこ"}


def describe(src: str) -> str:
    return KNOWN.get(src, "")


@pytest.mark.parametrize(
    ("page", "filled"),
    [
        ('<img src="a.png">', f'<img {SAID} src="a.png">'),
        ("<IMG SRC=a.png>", f"<IMG {SAID} SRC=a.png>"),
        ("<img\n\tsrc='a.png'/>", f"<img {SAID}\n\tsrc='a.png'/>"),
        (
            '<picture><source srcset="x"><img src="a.png"></picture>',
            f'<picture><source srcset="x"><img {SAID} src="a.png"></picture>',
        ),
        ("<p>é</p>\r\n<img src=a.png>\r\n", f"<p>é</p>\r\n<img {SAID} src=a.png>\r\n"),
        ("<noscript><img src=a.png></noscript>", f"<noscript><img {SAID} src=a.png></noscript>"),
        ("<image src=a.png>", f"<image {SAID} src=a.png>"),
        ("<textarea><img src=a.png></textarea>", ""),
        ("<title><img src=a.png></title>", ""),
        ("<!--><img src=a.png>", f"<!--><img {SAID} src=a.png>"),
        ("<!-- --!><img src=a.png>", f"<!-- --!><img {SAID} src=a.png>"),
        ("<![x[ <img src=a.png>", ""),
        ("<svg><image src=a.png /></svg>", ""),
        ("<img src=a.png", ""),
        ('<img src="a.png" alt="">', ""),
        ("<img src=a.png alt>", ""),
        ('<img alt="mine" src="a.png">', ""),
        ('<img src="a.png" aria-hidden="true">', ""),
        ('<img src="a.png" role="presentation">', ""),
        ('<!-- <img src="a.png"> -->', ""),
        ("<script>let x = '<img src=\"a.png\">'</script>", ""),
        ("<style>/* <img src=a.png> */</style>", ""),
        ('<img src="unknown.png">', ""),
        ("", ""),
    ],
)
def test_only_what_is_missing_and_known_is_filled(page: str, filled: str) -> None:
    assert fill(page.encode(), describe).page.decode() == (filled or page)


def test_a_page_that_says_it_is_utf_8_gets_plain_letters_and_any_other_gets_references() -> None:
    page = '<meta charset="utf-8"><img src="b.png">'
    assert fill(page.encode(), describe).page.decode() == page.replace("<img", '<img alt="ねこ"')
    page = '\ufeff<img src="b.png">'
    assert fill(page.encode(), describe).page.decode() == page.replace("<img", '<img alt="ねこ"')
    page = '<p>é</p><img src="b.png">'
    assert fill(page.encode(), describe).page.decode() == page.replace("<img", '<img alt="&#12397;&#12371;"')


def test_a_page_of_another_encoding_keeps_its_bytes_and_gets_references() -> None:
    page = '<meta charset="iso-8859-1"><p>caf\xe9</p><img src="b.png">'.encode("latin-1")
    assert fill(page, describe).page == page.replace(b"<img", b'<img alt="&#12397;&#12371;"')
    undeclared = b"\xff\xfe\xe9 <img src=b.png>"[2:]
    assert fill(undeclared, describe).page == undeclared.replace(b"<img", b'<img alt="&#12397;&#12371;"')


def test_an_address_is_read_as_the_page_means_it() -> None:
    seen: list[str] = []
    fill('<img src="/caf%C3%A9/ねこ.png?a=1&amp;b=2"><img>'.encode(), lambda src: seen.append(src) or "")  # type: ignore[func-returns-value]
    assert seen == ["/caf%C3%A9/ねこ.png?a=1&b=2", ""]


def test_a_page_of_two_byte_characters_is_left_alone_with_the_reason() -> None:
    with pytest.raises(RefusedError, match="UTF-16"):
        fill('<img src="a.png">'.encode("utf-16"), describe)


def test_gaps_are_told_with_their_lines() -> None:
    found = fill(b"<p>\n<img src=a.png>\n<img src=x.png><img alt='' src=y>\n<img alt=z>", describe)
    assert [(gap.src, gap.line) for gap in found.filled] == [("a.png", 2)]
    assert [(gap.src, gap.line) for gap in found.unknown] == [("x.png", 3)]
    assert (found.kept, found.silent) == (1, 1)


def seen(page: bytes) -> list[tuple[str, dict[str, str | None]]]:
    """Every tag with its attributes, as another reader of HTML sees them."""
    tree = html5lib.parse(page, treebuilder="etree", namespaceHTMLElements=False, override_encoding="utf-8")
    return [(str(each.tag), dict(each.attrib)) for each in tree.iter() if isinstance(each.tag, str)]


_TAGS = ("<img src=a.png>", '<img src="b.png" >', "<img>", "<img alt>", "<img src='a.png'", "<p>", "</p>", "<a href=x>")
_TEXTS = ("\n", "\r\n", "<!--", "-->", "<script>", "</script>", "<style>", "</style>", "<textarea>", "</textarea>")
_MARKS = ("&amp;", "<", ">", '"', "'", "é", "ねこ")
PIECES = st.sampled_from((*_TAGS, *_TEXTS, *_MARKS))


@given(st.lists(PIECES, max_size=30))
def test_nothing_but_alt_texts_is_added_to_any_page(pieces: list[str]) -> None:
    page = "".join(pieces).encode()
    found = fill(page, describe)
    added = re.compile(rb' alt="(A girl &amp; a &quot;cat&quot; &lt;3|&#12397;&#12371;)"')
    assert added.sub(b"", found.page) == page
    assert len(added.findall(found.page)) == len(found.filled)
    again = fill(found.page, describe)
    assert again.page == found.page and again.filled == ()


@given(st.lists(PIECES, max_size=30))
def test_another_reader_of_html_sees_the_same_images_and_their_texts(pieces: list[str]) -> None:
    page = "".join(pieces).encode()
    found = fill(page, describe)
    before, after = seen(page), seen(found.page)
    images = [known for name, known in before if name == "img"]
    wanted = [known for known in images if "alt" not in known and describe(known.get("src") or "")]
    assert len(wanted) == len(found.filled)
    for (name, known), (same, now) in zip(before, after, strict=True):
        told = {"alt": describe(known.get("src") or "")} if any(known is each for each in wanted) else {}
        assert (same, now) == (name, {**known, **told})
