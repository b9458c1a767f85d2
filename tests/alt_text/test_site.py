"""A site of pages over real ledgers: which image is meant, what is written, and what is told (R9)."""

from pathlib import Path

import pytest

from infra.records.pool import Pool
from schemas.errors import PermanentError
from schemas.pipeline import CAPTIONING
from schemas.record import Caption, Tag
from schemas.results import StageResult
from tasks.alt_text import Site, bases_of
from tests.records.books import Books
from tests.records.test_held import SPOKEN
from workers.merging.alt_text import LONGEST, alt_text


@pytest.fixture
def site(tmp_path: Path, pool: Pool) -> Site:
    """Two images are known: `cat` is described, `dog` is not yet."""
    books = Books(pool)
    model = books.model("teller", CAPTIONING)
    books.collection(model)
    cat = books.put("pets/cat.png", "cat")
    books.put("pets/dog.png", "dog")
    books.results.store([StageResult(cat, model, CAPTIONING, SPOKEN, 1.0)])
    books.merge()
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "cat.png").write_text("cat")
    (tmp_path / "img" / "dog.png").write_text("dog")
    (tmp_path / "img" / "new one.png").write_text("nobody knows it")
    return Site(tmp_path, books.records, bases_of(["https://cdn.example/=images/pets"]))


def page(site: Site, name: str, text: str) -> Path:
    path = site.root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


SAME = (
    "img/cat.png",
    "/img/cat.png",
    "./img/../img/cat.png?v=2#x",
    "https://cdn.example/cat.png?w=200",
    "img/%63at.png",
)


@pytest.mark.parametrize("src", SAME)
def test_an_image_is_known_by_its_bytes_or_its_key(site: Site, src: str) -> None:
    path = page(site, "index.html", f'<img src="{src}">')
    told = site.fill(write=True)
    assert path.read_text() == f'<img alt="A cat." src="{src}">'
    assert (told.pages, told.changed, told.filled, told.unknown) == (1, 1, 1, [])


@pytest.mark.parametrize(
    ("src", "reason"),
    [
        ("/img/dog.png", "not described yet"),
        ("/img/new%20one.png", "not known"),
        ("img/absent.png", "no file"),
        ("../outside.png", "no file"),
        ("https://else.example/cat.png", "another site"),
        ("data:image/png;base64,AA==", "inside the page"),
        ("", "no src"),
    ],
)
def test_what_is_not_known_is_told_with_the_reason(site: Site, src: str, reason: str) -> None:
    path = page(site, "sub/a.htm", f'\n<img src="{src}">')
    (unknown,) = site.fill(write=True).unknown
    assert (unknown.page, unknown.line, unknown.src) == ("sub/a.htm", 2, src) and reason in unknown.reason
    assert path.read_text() == f'\n<img src="{src}">'


def test_a_held_image_is_not_described_to_the_world(site: Site, pool: Pool) -> None:
    held = """jsonb_set(document, '{visibility}', '"held"')"""
    Books(pool).sql(f"UPDATE records SET document = {held} WHERE document->>'alt_text' <> ''")
    page(site, "a.html", '<img src="img/cat.png">')
    (unknown,) = site.fill(write=True).unknown
    assert "is held" in unknown.reason


def test_a_check_changes_nothing_and_a_second_run_neither(site: Site) -> None:
    path = page(site, "a.html", '<img src="img/cat.png"><img src="img/cat.png" alt="">')
    path.chmod(0o640)
    before = path.read_bytes()
    assert site.fill(write=False).filled == 1 and path.read_bytes() == before
    assert site.fill(write=True).changed == 1
    stamp = path.stat()
    assert stamp.st_mode & 0o777 == 0o640
    told = site.fill(write=True)
    assert (told.changed, told.filled, told.kept, told.silent) == (0, 0, 1, 1)
    assert path.stat().st_mtime_ns == stamp.st_mtime_ns
    assert [each.name for each in site.root.iterdir() if each.name.startswith(".")] == []


def test_links_are_not_followed_and_other_files_not_touched(site: Site, tmp_path: Path) -> None:
    outside = tmp_path.with_name("outside.html")
    outside.write_text('<img src="img/cat.png">')
    (site.root / "link.html").symlink_to(outside)
    page(site, "notes.txt", '<img src="img/cat.png">')
    (site.root / "wide.html").write_bytes('<img src="img/cat.png">'.encode("utf-16"))
    told = site.fill(write=True)
    assert outside.read_text() == '<img src="img/cat.png">'
    assert told.pages == 1 and told.changed == 0 and "UTF-16" in told.skipped[0]


@pytest.mark.parametrize("wrong", ["cdn=images", "https://cdn.example/", "https://cdn.example/=", "=x"])
def test_a_base_is_an_address_and_a_bucket(wrong: str) -> None:
    with pytest.raises(PermanentError, match="--base"):
        bases_of([wrong])


def tag(name: str, confidence: float | None = 0.9, category: str = "general") -> Tag:
    return Tag(name, category, confidence, "m")


def test_an_alt_text_is_the_caption_with_the_characters_names() -> None:
    caption = (Caption("A girl with blue hair.", "m"),)
    assert alt_text(caption, [tag("blue_hair")]) == "A girl with blue hair."
    assert alt_text(caption, [tag("hatsune_miku", category="character")]) == "hatsune miku: A girl with blue hair."
    sung = (Caption("Hatsune Miku sings.", "m"),)
    assert alt_text(sung, [tag("hatsune_miku", category="character")]) == "Hatsune Miku sings."


def test_without_a_caption_the_surest_tags_are_told() -> None:
    tags = [tag("smile", 0.6), tag("blue_hair", 0.9), tag("hat", None), tag("highres", 0.99, "meta")]
    assert alt_text((), tags) == "hat, blue hair, smile"
    assert alt_text((), ()) == ""


def test_a_long_alt_text_ends_at_a_word() -> None:
    text = alt_text((Caption("word " * 100, "m"),), ())
    assert len(text) <= LONGEST and text.endswith("word…")


def test_a_name_inside_another_word_is_no_mention_and_long_words_are_cut() -> None:
    rin = [tag("rin", category="character")]
    assert alt_text((Caption("A girl drinking tea.", "m"),), rin) == "rin: A girl drinking tea."
    assert len(alt_text((Caption("漢" * 300, "m"),), rin)) == LONGEST
