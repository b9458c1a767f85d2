"""How it looks, as far as a program can tell: contrast, and nothing that the content policy would forbid."""  # R67

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import web
from tests.web.conftest import Browser
from tests.web.site import Shown, Site

WEB = Path(web.__file__).parent
TEMPLATES = sorted((WEB / "templates").glob("*.html"))
INKS = ("ink", "mute", "link", "seal", "good", "general", "character", "copyright", "artist", "meta", "object")
GROUNDS = ("paper", "card", "wash", "note-wash", "seal-wash", "good-wash")
VOID = {"meta", "link", "input", "img", "br", "hr"}


def themes() -> list[dict[str, str]]:
    css = (WEB / "static" / "css" / "base.css").read_text("utf-8")
    blocks = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in re.findall(r"\{([^{}]*)\}", css)]
    return [block for block in blocks if "paper" in block]


def luminance(colour: str) -> float:
    """Relative luminance in [0, 1], WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_there_are_two_themes_and_the_switch_agrees_with_the_system() -> None:
    light, dark, switched = themes()
    assert dark == switched and set(light) == set(dark)


@pytest.mark.parametrize("number", [0, 1])
def test_every_ink_can_be_read_on_every_ground(number: int) -> None:
    theme = themes()[number]
    pairs = [(ink, ground) for ink in INKS for ground in GROUNDS] + [("on-ink", "ink"), ("on-seal", "seal")]
    low = {(a, b): round(contrast(theme[a], theme[b]), 2) for a, b in pairs if contrast(theme[a], theme[b]) < 4.5}
    assert low == {}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_a_style_or_a_script_of_its_own(template: Path) -> None:
    text = template.read_text("utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\bsrc=)|javascript:", text)


class Balance(HTMLParser):
    """Notes elements that are closed in the wrong order, identifiers used twice, and fields without a name."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag == "img" and "alt" not in dict(attrs):
            self.wrong.append("img without alt")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value or "" for name, value in attrs if name == "id"]

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}")


def test_pages_are_well_formed_and_their_identifiers_unique(site: Site, admin: Browser, stranger: Browser) -> None:
    sword = Shown((("sword", 0.9), ("hat", 0.2)), (("face", (1.0, 1.0, 9.0, 9.0), 0.9),))
    record = site.add("a.png", sword)
    item = admin.post("/review/claim", queue="weapons").headers["location"]
    paths = [
        "/",
        "/?q=-smile+hat",
        f"/images/{record}",
        item,
        "/review",
        "/upload",
        "/people",
        "/help/search",
        "/help/models",
        "/nope",
    ]
    for browser, path in [
        *((admin, path) for path in paths),
        (stranger, "/sign-in"),
        (stranger, "/sign-in/link?token=x"),
    ]:
        found = Balance()
        found.feed(browser.get(path).text)
        twice = {name for name in found.ids if found.ids.count(name) > 1}
        assert (found.wrong, found.open, twice) == ([], [], set()), path
