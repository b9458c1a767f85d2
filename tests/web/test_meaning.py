"""Pages of captions, scores, words and what is alike; search by meaning with and without an encoder (R65, R9, R28)."""

import html
import re
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image

from schemas.errors import TransientError
from schemas.merging import RegisteredModel
from schemas.models import Label
from schemas.results import ModelOutput, StageResult
from schemas.scores import Calibration, Scoring
from schemas.search import Viewer
from schemas.search.similar import QueryVector
from tasks.merge import refresh
from tests.web.conftest import Browser
from tests.web.site import Shown, Site
from web.meaning import wordy
from web.render import phrase

SPACE = 4


class Encoder:
    """Knows two words, each a direction; away for anything else."""

    def encode(self, text: str) -> QueryVector:
        vector = np.array(["hat" in text, "sea" in text, 0, 0], np.float32)
        if not vector.any():
            raise TransientError("the encoder is away")
        return QueryVector("encoder", "e" * 64, vector / np.linalg.norm(vector))


def speak(
    site: Site, record: int, caption: str, vector: list[float], *, technical: float = 7.5, brisque: float = 0.0
) -> None:
    """Let a captioner, an encoder, a judge and a reader speak of an image."""
    rules, image = site.services.rules, site.services.records.record(record).image
    said = {
        "captioning": ModelOutput(np.zeros(1, np.int16), np.ones(1, np.float32), texts=(caption,)),
        "embedding": ModelOutput(np.zeros(0, np.int16), np.zeros(0, np.float32), vector=np.array(vector, np.float32)),
        "scoring": ModelOutput(
            np.arange(2, dtype=np.int16), np.ones(2, np.float32), figures=np.array([technical, brisque], "f4")
        ),
        "reading": ModelOutput(
            np.zeros(1, np.int16), np.ones(1, np.float32), np.array([[1, 2, 30, 9]], np.float32), ('<b>"EXIT"</b>',)
        ),
    }
    names = {
        "captioning": ("caption",),
        "embedding": ("space",),
        "scoring": ("nima_technical", "brisque"),
        "reading": ("text",),
    }
    results = []
    for stage, output in said.items():
        name = "encoder" if stage == "embedding" else f"sample-{stage}"
        labels = tuple(Label(each, stage) for each in names[stage])
        model = rules.register(RegisteredModel(0, name, stage, "e" * 64, True, labels, {"*": 0.5}, 0.05))
        results.append(StageResult(image, model, stage, output, 3.0))
        if stage == "embedding":
            assert site.services.similar.open_space(model, SPACE) == ""
    site.services.results.store(results)
    refresh(site.services, [record])


def encoding(site: Site, viewer: Browser) -> None:
    """From now on somebody encodes texts."""
    cast(FastAPI, viewer.client.app).state.services = replace(site.web, encoder=Encoder())


@pytest.fixture
def told(site: Site) -> tuple[int, int]:
    """Two images of which everything is known."""
    hat, sea = site.add("a.png", Shown((("hat", 0.9),))), site.add("b.png", Shown((("hat", 0.8),)))
    speak(site, hat, "A girl with blonde hair and a red beret.", [1, 0, 0, 0])
    speak(site, sea, "A boat at sea.", [0.6, 0.8, 0, 0], technical=2.0, brisque=70.0)
    return hat, sea


def test_the_image_page_shows_caption_alt_text_scores_and_words(
    site: Site, viewer: Browser, told: tuple[int, int]
) -> None:
    page = viewer.get(f"/images/{told[0]}").text
    assert page.count("A girl with blonde hair and a red beret.") >= 3  # alt text twice, caption once
    assert "Technical quality" in page and "7.50" in page and "1 to 10, 10 is best" in page
    assert "Commercial" in page
    assert "&lt;b&gt;&#34;EXIT&#34;&lt;/b&gt;" in page and '<b>"EXIT"</b>' not in page


def bars(page: str) -> dict[str, tuple[str, str]]:
    """Of each score by its title how full its bar is in percent, and what is said of its range."""
    rows = re.findall(
        r'<span>([^<]+)</span>\s*<svg class="bar".*?bar-part" width="([\d.]+)%".*?mute small">([^<]+)<', page, re.S
    )
    return {title: (share, scale) for title, share, scale in rows}


def test_a_bar_is_full_where_the_picture_is_best_be_that_high_or_low(viewer: Browser, told: tuple[int, int]) -> None:
    """R22, R24: of BRISQUE 0 is best."""
    best, worse = (bars(viewer.get(f"/images/{record}").text) for record in told)
    assert best["BRISQUE"] == ("100.0", "0 to 100, 0 is best")
    assert worse["BRISQUE"] == ("30.0", "0 to 100, 0 is best")
    assert best["Technical quality"] == ("72.2", "1 to 10, 10 is best")
    assert worse["Technical quality"] == ("11.1", "1 to 10, 10 is best")


def test_the_image_page_tells_class_ladder_and_what_the_picture_is_good_for(
    site: Site, viewer: Browser, told: tuple[int, int]
) -> None:
    """R28, R29: by a calibration set; without one there is neither."""

    def judged(record: int) -> str:
        found = re.search(r'id="scores-title".*?<ul class="scores">', viewer.get(f"/images/{record}").text, re.S)
        assert found
        return " ".join(re.sub("<[^>]*>", " ", found[0]).split())

    assert "score_" not in judged(told[0]) and "quality" not in judged(told[0])
    marks = tuple(n / 20 for n in range(21))  # of 0 … 1 in even steps: the commercial score is its own percentile
    version = site.services.rules.set_scoring(Scoring(calibration=Calibration("even", marks)), "test")
    refresh(site.services, told)
    # Commercial: (.4 · 6.5/9 + .2 · 1) / .6 = .815, and (.4 · 1/9 + .2 · .3) / .6 = .174
    assert f"amazing quality · score_8 (standard) by scoring rules version {version}" in judged(told[0])
    assert f"bad quality · below (filtering recommended) by scoring rules version {version}" in judged(told[1])


def test_the_image_page_shows_the_palette_with_shares_and_ways_to_more_of_a_colour(site: Site, viewer: Browser) -> None:
    picture = Image.new("RGB", (100, 100), (255, 0, 0))
    picture.paste((255, 255, 255), (0, 0, 25, 100))
    page = viewer.get(f"/images/{site.add('flag.png', picture=picture)}").text
    found = re.search(r'<ul class="palette">(.*?)</ul>', page, re.S)
    assert found
    shown = re.findall(r'href="/\?q=colour:(\w+)".*?fill="rgb\(([\d,]+)\)".*?mute">(\d+) %<', found[1])
    assert shown == [("red", "255,0,0", "75"), ("white", "255,255,255", "25")]


def test_the_image_page_keeps_the_ways_of_being_alike_apart(site: Site, viewer: Browser, told: tuple[int, int]) -> None:
    page = viewer.get(f"/images/{told[0]}").text
    assert "Looks alike" in page and "Shares rare tags" in page and f'href="/images/{told[1]}"' in page
    found = viewer.get(f"/api/v1/images/{told[0]}/similar").json()
    assert [hit["hit"]["record"] for hit in found["vector"]["hits"]] == [told[1]]
    assert found["vector"]["hits"][0]["score"] == pytest.approx(0.6, abs=1e-3)
    assert [hit["hit"]["record"] for hit in found["tags"]["hits"]] == [told[1]]


def test_words_that_were_read_lead_to_every_picture_with_them(viewer: Browser, told: tuple[int, int]) -> None:
    """Whatever signs stand between them; signs alone lead nowhere."""
    listed = viewer.get(f"/images/{told[0]}").text.partition('<ul class="readings">')[2].partition("</ul>")[0]
    (address,) = re.findall(r'href="([^"]+)"', listed)
    page = viewer.get(html.unescape(address)).text
    assert {f'data-record="{record}"' in page for record in told} == {True}
    assert (phrase("“Exit”>1\\"), phrase("— >>")) == ('"exit 1"', "")


def test_words_of_captions_and_pictures_are_found(viewer: Browser, told: tuple[int, int]) -> None:
    assert viewer.get("/api/v1/search?q=text:beret").json()["total"] == 1
    assert viewer.get("/api/v1/search?q=text:exit").json()["total"] == 2


def test_a_description_finds_pictures_by_meaning(site: Site, viewer: Browser, told: tuple[int, int]) -> None:
    encoding(site, viewer)
    found = viewer.get("/api/v1/meaning?q=a+boat+at+sea").json()
    assert (found["note"], found["gap"]) == ("", "") and [hit["hit"]["record"] for hit in found["hits"]] == [
        told[1],
        told[0],
    ]
    page = viewer.get("/meaning?q=red+hat").text
    assert page.index(f'href="/images/{told[0]}"') < page.index(f'href="/images/{told[1]}"')


def test_a_description_that_no_picture_is_close_to_fits_none_and_the_page_says_so(
    site: Site, viewer: Browser, told: tuple[int, int]
) -> None:
    """R65: pictures below the floor are not shown for want of better ones, and captions do not stand in for them."""

    class Away(Encoder):
        def encode(self, text: str) -> QueryVector:
            return QueryVector("encoder", "e" * 64, np.array([-1, 0, 0, 0], np.float32), 0.05)

    cast(FastAPI, viewer.client.app).state.services = replace(site.web, encoder=Away())
    assert viewer.get("/api/v1/meaning?q=a+boat+at+sea").json() == {"note": "", "gap": "", "hits": []}
    page = viewer.get("/meaning?q=a+boat+at+sea").text
    assert "No image fits" in page and "None that was compared is close enough" in page


def test_closeness_counts_from_the_floor_of_the_space_on_the_page_and_is_the_cosine_for_scripts(
    site: Site, viewer: Browser, told: tuple[int, int]
) -> None:
    class Low(Encoder):
        def encode(self, text: str) -> QueryVector:
            return QueryVector("encoder", "e" * 64, np.array([-0.6, 0.8, 0, 0], np.float32), -0.6)

    cast(FastAPI, viewer.client.app).state.services = replace(site.web, encoder=Low())
    scores = [hit["score"] for hit in viewer.get("/api/v1/meaning?q=a+boat").json()["hits"]]
    assert scores == [pytest.approx(0.28, abs=1e-3), pytest.approx(-0.6, abs=1e-3)]
    page = viewer.get("/meaning?q=a+boat").text
    assert '<span class="closeness">.55</span>' in page and '<span class="closeness">.00</span>' in page


def test_a_query_of_words_without_hits_shows_what_fits_best(site: Site, viewer: Browser, told: tuple[int, int]) -> None:
    encoding(site, viewer)
    page = viewer.get("/?q=girl+in+a+sailing+hat").text
    assert "These fit the description best" in page and f'href="/images/{told[0]}"' in page


def test_without_an_encoder_captions_are_searched_and_the_page_says_so(
    site: Site, viewer: Browser, told: tuple[int, int]
) -> None:
    found = viewer.get("/api/v1/meaning?q=blonde+girl+with+a+hat").json()
    assert "captions were searched" in found["note"]
    assert [hit["hit"]["record"] for hit in found["hits"]] == [told[0]]
    assert "captions were searched" in viewer.get("/meaning?q=a+boat").text
    encoding(site, viewer)
    assert "the encoder is away" in viewer.get("/api/v1/meaning?q=nothing+it+knows").json()["note"]


def test_pictures_that_a_new_encoder_has_not_seen_are_found_by_their_captions(
    site: Site, viewer: Browser, told: tuple[int, int]
) -> None:
    class NewEncoder(Encoder):
        def encode(self, text: str) -> QueryVector:
            return replace(super().encode(text), model="new-encoder", revision="f" * 64)

    cast(FastAPI, viewer.client.app).state.services = replace(site.web, encoder=NewEncoder())
    found = viewer.get("/api/v1/meaning?q=a+boat+at+sea").json()
    assert "new-encoder" in found["note"] and [hit["hit"]["record"] for hit in found["hits"]] == [told[1]]


def test_pictures_that_the_encoder_in_force_has_not_seen_are_counted(
    site: Site, viewer: Browser, moderator: Browser, told: tuple[int, int]
) -> None:
    """After `models use` of another encoder, until the backfill is through."""
    site.add("old.png", Shown((("smile", 0.9),)))
    site.add("held.png", Shown((("sword", 0.9),)))
    encoding(site, viewer)
    for browser, missing in ((viewer, "1 of 3 pictures"), (moderator, "2 of 4 pictures")):
        found = browser.get("/api/v1/meaning?q=a+boat+at+sea").json()
        assert found["note"] == "" and [hit["hit"]["record"] for hit in found["hits"]] == [told[1], told[0]]
        assert found["gap"].startswith(f"Not compared: {missing}, which have no vector of encoder yet")
    assert "1 of 3 pictures" in viewer.get("/meaning?q=boat+at+sea").text
    assert "1 of 3 pictures" in viewer.get("/?q=girl+in+a+sailing+hat").text


def test_of_many_pictures_a_sample_tells_the_share_that_was_not_compared(site: Site, told: tuple[int, int]) -> None:
    with site.services.pool.connection() as connection:
        connection.execute("""
            INSERT INTO images (sha256, bytes, format, width, height, frames, phash, colours)
            SELECT lpad(n::text, 64, '0'), 1, 'PNG', 1, 1, 1, n, '[]' FROM generate_series(1, 20000) AS n""")
        connection.execute("INSERT INTO records (collection, image, plan) SELECT 1, id, 1 FROM images WHERE bytes = 1")
        connection.execute("""
            INSERT INTO embeddings (image, model, vector)
            SELECT i.id, m.id, '{1,0,0,0}' FROM images i, models m
            WHERE i.bytes = 1 AND i.id % 4 <> 0 AND m.name = 'encoder'""")
    with site.services.pool.connection() as connection:
        connection.execute("ANALYZE records")
    results = site.services.results
    gap = results.unplaced("encoder", "e" * 64, Viewer())
    assert not gap.exact and 1000 < gap.looked < 4000 and 0.2 < gap.missing / gap.looked < 0.3
    assert results.unplaced("encoder", "e" * 64, Viewer(collections=frozenset())).looked == 0
    unknown = results.unplaced("encoder", "another", Viewer())
    assert unknown.missing == unknown.looked > 0


def test_captions_are_read_for_many_records_at_once_and_unknown_ones_left_out(
    site: Site, told: tuple[int, int]
) -> None:
    silent = site.add("c.png")
    said = site.services.records.captions([*told, silent, 999_999])
    assert said == {told[0]: ("A girl with blonde hair and a red beret.",), told[1]: ("A boat at sea.",), silent: ()}
    assert site.services.records.captions([]) == {}


def test_an_empty_description_asks_for_one(viewer: Browser) -> None:
    assert "Describe the picture" in viewer.get("/meaning").text


@pytest.mark.parametrize(
    ("text", "described"),
    [
        ("girl with blonde hair and a red hat", True),
        ("red hat", True),
        ("blonde_hair", False),
        ("long_hair smile", False),
        ("rating:general red hat", False),
        ("red -hat", False),
        ('"red hat"', False),
        ("", False),
    ],
)
def test_a_description_is_words_and_nothing_of_the_query_language(text: str, described: bool) -> None:
    assert wordy(text) is described
