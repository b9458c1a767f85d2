"""Filling missing alt attributes in one page: bytes in, bytes out; every other byte stays as it was (R9)."""

import codecs
import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urljoin

from justhtml import Element, JustHTML

from schemas.errors import RefusedError

_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_TAG = re.compile(r"<(?:img|image)(?=[\t\n\f\r />])", re.IGNORECASE)  # browsers read <image> as <img>
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")  # what no page may hold, or no UTF-8 can
_BYTES = re.compile("[\x00-\x7f\udc80-\udcff]+")
_DECORATION = ("presentation", "none")

Describe = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Gap:
    """An image without an alt attribute: its src as the page writes it, the address that this means where the page
    has a `<base href>` (else the same), and the line it stands in, from 1."""

    src: str
    address: str
    line: int


@dataclass(frozen=True, slots=True)
class Filled:
    """A page after filling. kept: images with a text; silent: with an empty one, or hidden from screen readers."""

    page: bytes
    filled: tuple[Gap, ...] = ()
    unknown: tuple[Gap, ...] = ()
    kept: int = 0
    silent: int = 0


def fill(page: bytes, describe: Describe) -> Filled:
    """Give every `<img>` without an alt attribute the text that `describe` knows for its address (None or "": none).

    `alt=""` and `alt` without a value are deliberate and stay, and so do images with `aria-hidden="true"` or the role
    presentation or none. Nothing that a browser takes for text or a comment is touched. RefusedError for a page whose
    bytes are not ASCII with something more.
    """
    if page.startswith(_WIDE) or b"\0" in page or b"\x1b$" in page:
        raise RefusedError("its bytes are no extension of ASCII (UTF-16, ISO-2022): save it as UTF-8", code="encoding")
    # One character a byte: places in the text are places in the page.
    text = page.decode("ascii", "surrogateescape")
    tree = JustHTML(text, sanitize=False, track_node_locations=True, scripting_enabled=False)
    codec = _codec(page, tree)
    unicode = JustHTML(page[:1024]).encoding == "utf-8"  # as the page declares it; else references are right anywhere
    base = _decoded(next((_value(each, "href") for each in _all(tree, "base") if "href" in each.attrs), ""), codec)
    images = _all(tree, "img")
    filled: list[Gap] = []
    unknown: list[Gap] = []
    parts, done = [], 0
    for tag in filter(_speechless, images):
        place = _TAG.match(text, tag.origin_offset) if tag.origin_offset is not None else None
        src = _decoded(_value(tag, "src"), codec)
        gap = Gap(src, _joined(base, src), tag.origin_line or 1)
        told = _written(describe(gap.address) or "", unicode)
        if told and place:
            parts += [page[done : place.end()], b' alt="', told, b'"']
            done = place.end()
        (filled if told and place else unknown).append(gap)
    kept = sum(bool(_value(tag, "alt")) for tag in images)
    silent = len(images) - kept - len(filled) - len(unknown)
    return Filled(b"".join([*parts, page[done:]]), tuple(filled), tuple(unknown), kept, silent)


def _all(tree: JustHTML, name: str) -> list[Element]:
    """Elements of a name in the order of the page."""
    found = [each for each in tree.root.query(name) if isinstance(each, Element)]
    return sorted(found, key=lambda each: each.origin_offset or 0)


def _value(tag: Element, name: str) -> str:
    return (tag.attrs.get(name) or "").strip()


def _speechless(tag: Element) -> bool:
    """Without an alt attribute, and not hidden from screen readers; of several roles the first one counts."""
    role = next(iter(_value(tag, "role").lower().split()), "")
    return "alt" not in tag.attrs and role not in _DECORATION and _value(tag, "aria-hidden").lower() != "true"


def _codec(page: bytes, tree: JustHTML) -> str:
    """What a page's bytes above ASCII mean: UTF-8 if they are that, else as it declares, else Windows-1252."""
    try:
        page.decode("utf-8")
    except UnicodeDecodeError:
        for tag in _all(tree, "meta"):
            label = _value(tag, "charset") or _value(tag, "content").lower().rpartition("charset=")[2]
            try:
                b"".decode(label)
                return codecs.lookup(label).name
            except (LookupError, UnicodeError, ValueError):
                continue
        return "cp1252"
    return "utf-8"


def _decoded(value: str, codec: str) -> str:
    """A value whose bytes above ASCII are surrogate escapes, as text; references in it are characters already."""
    return _BYTES.sub(lambda run: run[0].encode("ascii", "surrogateescape").decode(codec, "replace"), value)


def _joined(base: str, src: str) -> str:
    try:
        return urljoin(base, src) if base and src else src
    except ValueError:  # an address that is none
        return src


def _written(text: str, unicode: bool) -> bytes:
    """An attribute's value as bytes: UTF-8, or ASCII with character references."""
    escaped = html.escape(" ".join(_UNFIT.sub(" ", text).split()), quote=True)
    return escaped.encode("utf-8") if unicode else escaped.encode("ascii", "xmlcharrefreplace")
