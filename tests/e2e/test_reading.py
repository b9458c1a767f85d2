"""Words in pictures through a whole instance: a photograph of a printed page is found by its words (R3)."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from PIL import Image
from skimage import data

from infra.settings import SAMPLES
from tests.e2e.instance import Instance, wait_for
from tests.e2e.test_run import sign_in
from training.samples import draw

READER = "rapidocr/ppocr"
# On the page, and in no tag, caption or file name here.
PRINTED = ("segmentation", "histogram", "markers", "pixels")


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance that reads, with the page and a drawing dropped into its bucket."""
    models = {"NAFUDA_MODELS": ",".join((*SAMPLES, READER))}
    instance = Instance(tmp_path_factory.mktemp("reading") / "data", "--no-samples", environment=models).start()
    bucket = instance.folder / "buckets" / "images"
    bucket.mkdir(parents=True, exist_ok=True)
    for name, picture in (("a.jpg", Image.fromarray(data.page())), ("b.jpg", draw(9_600_000).image)):
        drop(picture, bucket / name)
    done = "SELECT count(*) FROM records WHERE status = 'complete'"
    wait_for(lambda: instance.sql(done) == [(2,)], 120, instance.logs)
    yield instance
    assert instance.stop() == 0


def drop(picture: Image.Image, place: Path) -> None:
    """Put a picture into a bucket as a JPEG, whole at once."""
    unfinished = place.parents[2] / place.name
    picture.save(unfinished, "JPEG", quality=90)
    unfinished.replace(place)


def test_a_photograph_of_a_printed_page_is_found_by_its_words(reading: Instance) -> None:
    shown = reading.json("show", "a.jpg")
    assert [each["model"] for each in shown["results"] if each["stage"] == "reading"] == [READER]
    wait_for(lambda: reading.json("search", " ".join(PRINTED))["hits"], 30, reading.logs)
    for asked in (*PRINTED, " ".join(PRINTED), 'words:"region based segmentation"', '"grey values"'):
        assert [hit["record"] for hit in reading.json("search", asked)["hits"]] == [shown["id"]], asked
    assert len(reading.json("search", "width:>0")["hits"]) == 2
    assert not reading.json("search", "words:segmentation -words:histogram")["hits"]


def test_the_lines_lie_where_they_are_printed(reading: Instance) -> None:
    shown = reading.json("show", "a.jpg")
    tops = {each["text"].lower(): each["box"][1] / shown["height"] for each in shown["readings"]}
    (headline,) = (top for text, top in tops.items() if "region-based" in text)
    (code,) = (top for text, top in tops.items() if "zeros_like" in text)
    assert headline < 0.1 and code > 0.8
    for each in shown["readings"]:
        left, top, right, bottom = each["box"]
        assert 0 <= left < right <= shown["width"] and 0 <= top < bottom <= shown["height"]


def test_its_page_shows_the_words_and_each_leads_to_it(reading: Instance) -> None:
    shown = reading.json("show", "a.jpg")
    with httpx2.Client(base_url=reading.note["address"], follow_redirects=True, timeout=60) as browser:
        sign_in(browser, reading.link)
        page = browser.get(f"/images/{shown['id']}").text
        listed = re.findall(r'<ul class="readings">(.*?)</ul>', page, re.DOTALL)
        links = re.findall(r'<a href="([^"]+)">([^<]+)</a>', listed[0])
        texts = [html.unescape(text) for _, text in links]
        assert texts == [each["text"] for each in shown["readings"]]
        assert any("segmentation" in text for text in texts)
        for address, text in links:
            found = browser.get(html.unescape(address)).text
            assert f'data-record="{shown["id"]}"' in found, text
