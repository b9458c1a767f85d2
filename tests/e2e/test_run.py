"""`nafuda run` as a person meets it (R1, R43, R64, R67): start, put, find, stop, start again."""

import io
import os
import re
import signal
import socket
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image
from skimage import data

from tasks.samples import seed_of
from tests.e2e.instance import Instance, wait_for
from training.samples import draw
from training.samples.facts import facts
from training.samples.sampling import scene

SAMPLE = re.compile(r"(?:^|/)sample-(\d+)\.png$")


def field(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, page
    return found[1]


def sign_in(browser: httpx2.Client, link: str) -> httpx2.Response:
    """Follow a one-time link as its page's script does."""
    page = browser.get(link).text
    return browser.post("/sign-in/link", data={"csrf": field(page, "csrf"), "token": field(page, "token")})


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with drawings, a copy of one, a broken file, and a text that pretends."""
    folder = tmp_path_factory.mktemp("drawings")
    for seed in range(5):
        draw(9_000_000 + seed).image.save(folder / f"drawing-{seed}.png")
    (folder / "copy.png").write_bytes((folder / "drawing-0.png").read_bytes())
    (folder / "cut.png").write_bytes((folder / "drawing-1.png").read_bytes()[:2000])
    (folder / "page.jpg").write_bytes(b"<html>not an image</html>")
    return folder


def test_every_file_gets_an_outcome_and_a_reason(nafuda: Instance, drawings: Path) -> None:
    lines = nafuda.json("ingest", str(drawings), "--wait")
    outcomes = {Path(line["path"]).name: line["outcome"] for line in lines}
    assert sorted(outcomes.pop(name) for name in ("copy.png", "drawing-0.png")) == ["complete", "known"]
    assert outcomes.pop("cut.png") == outcomes.pop("page.jpg") == "refused"
    assert set(outcomes.values()) == {"complete"}
    assert all(line["reason"] for line in lines if line["outcome"] == "refused")


def test_a_put_drawing_is_found_by_its_tags(nafuda: Instance, drawings: Path) -> None:
    truth = draw(9_000_000).truth
    nafuda.cli("ingest", str(drawings), "--wait")
    shown = nafuda.json("show", "drawing-0.png")
    assert shown["status"] == "complete"
    found = {tag["name"] for tag in shown["tags"]}
    assert len(found & set(truth.tags)) >= len(truth.tags) // 2
    tag = sorted(found & set(truth.tags))[0]
    hits = nafuda.json("search", tag)["hits"]
    assert shown["id"] in [hit["record"] for hit in hits]


def test_real_photographs_are_searchable_by_colour_and_size(nafuda: Instance, tmp_path: Path) -> None:
    Image.fromarray(data.astronaut()).save(tmp_path / "astronaut.jpg")
    Image.fromarray(data.coffee()).save(tmp_path / "coffee.png")
    assert {line["outcome"] for line in nafuda.json("ingest", str(tmp_path), "--wait")} <= {"complete", "known"}
    coffee = nafuda.json("show", "coffee.png")
    colour = coffee["colours"][0]["name"]
    hits = nafuda.json("search", f"width:600 height:400 colour:{colour}")["hits"]
    assert coffee["id"] in [hit["record"] for hit in hits]
    assert coffee["samples_only"]


def test_a_file_dropped_into_the_bucket_is_analysed_by_itself(nafuda: Instance) -> None:
    place = nafuda.folder / "buckets" / "images" / "dropped" / "käfer 1.webp"
    place.parent.mkdir(parents=True)
    draw(9_100_000).image.save(place)
    wait_for(lambda: nafuda.cli("show", "dropped/käfer 1.webp").returncode == 0, 30, nafuda.logs)
    record = nafuda.json("show", "dropped/käfer 1.webp")
    place.unlink()
    wait_for(lambda: not nafuda.json("search", f"id:{record['id']}")["hits"], 30, nafuda.logs)


def test_the_printed_link_signs_in_once_and_the_pages_answer(nafuda: Instance) -> None:
    with httpx2.Client(base_url=nafuda.note["address"], follow_redirects=True) as browser:
        assert browser.get("/").url.path != "/"
        assert sign_in(browser, nafuda.link).status_code == 200
        for page in ("/", "/upload", "/review", "/people", "/ready"):
            assert browser.get(page).url.path == page
    with httpx2.Client(base_url=nafuda.note["address"], follow_redirects=True) as another:
        assert sign_in(another, nafuda.link).status_code == 401


def test_an_upload_in_the_browser_is_searchable_soon(nafuda: Instance) -> None:
    link = nafuda.cli("users", "link", "admin").stdout.strip()
    picture = io.BytesIO()
    draw(9_200_000).image.save(picture, "PNG")
    with httpx2.Client(base_url=nafuda.note["address"], follow_redirects=True) as browser:
        sign_in(browser, link)
        form = {"csrf": field(browser.get("/upload").text, "csrf")}
        sent = browser.post("/upload", data=form, files={"files": ("uploaded.png", picture.getvalue(), "image/png")})
        assert sent.status_code == 200, sent.text
    wait_for(lambda: bool(nafuda.json("search", "words:uploaded")["hits"]), 30, nafuda.logs)


def samples(nafuda: Instance, hits: list[dict[str, Any]]) -> Iterator[int]:
    """The numbers of the samples among hits, best first; what other tests put in is nobody's sample."""
    for hit in hits:
        places = nafuda.json("show", str(hit["hit"]["record"]))["places"]
        yield from [int(found[1]) for each in places if (found := SAMPLE.search(each["key"]))]


def test_a_description_finds_the_pictures_that_fit(nafuda: Instance, tmp_path: Path) -> None:
    """The samples hold what the pages propose to look for."""
    for number in range(20):
        draw(seed_of(number)).image.save(tmp_path / f"sample-{number}.png")
    nafuda.cli("ingest", str(tmp_path), "--wait")
    link = nafuda.cli("users", "link", "admin").stdout.strip()
    with httpx2.Client(base_url=nafuda.note["address"], follow_redirects=True) as browser:
        sign_in(browser, link)
        told = browser.get("/api/v1/meaning", params={"q": "girl with blonde hair and a red hat", "limit": 20}).json()
        by_tags = browser.get("/", params={"q": "girl with blonde hair and a red hat"}).text
        market = browser.get(f"/api/v1/images/{told['hits'][0]['hit']['record']}/market").json()
    assert told["note"] == "" and "data-record" in by_tags  # captions hold the words, so the search itself finds them
    best = list(islice(samples(nafuda, told["hits"]), 3))
    assert len(best) == 3
    for number in best:
        people = facts(scene(seed_of(number))).people
        assert any({"girl", "blonde hair", "a red hat"} <= person for person in people), number
    assert "blonde_hair" in [each["tag"]["name"] for each in market["kept"]]


def test_doctor_finds_everything_well(nafuda: Instance) -> None:
    findings = nafuda.json("doctor")
    assert [each for each in findings if not each["ok"]] == []


def test_what_computes_runs_as_batch_work_and_what_answers_does_not(nafuda: Instance) -> None:
    wait_for(lambda: "decoder" in nafuda.children(), 120, nafuda.logs)  # they are started for the first picture
    policies = {name: os.sched_getscheduler(pid) for name, pid in nafuda.children().items()}
    assert {policies["analysis"], policies["decoder"]} == {os.SCHED_BATCH}
    assert {policies["records"], policies["web"], policies["postgres"]} == {os.SCHED_OTHER}


def test_a_second_instance_on_the_same_folder_is_refused(nafuda: Instance) -> None:
    second = nafuda.cli("run", "--data", str(nafuda.folder), "--no-samples")
    assert second.returncode == 3
    assert "another Nafuda" in second.stderr


def test_each_of_its_workers_has_metrics_at_a_port_of_its_own(folder: Path) -> None:  # R77
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    instance = Instance(folder, "--no-samples", environment={"NAFUDA_METRICS_PORT": str(port)}).start()
    try:
        for place in range(2):
            said = httpx2.get(f"http://127.0.0.1:{port + place}/metrics").raise_for_status().text
            assert "nafuda_server_away" in said
    finally:
        assert instance.stop() == 0


def test_stopping_drains_and_the_next_start_goes_on(folder: Path) -> None:
    folder = folder.with_name("名札 it's a long name " + "x" * 80)
    instance = Instance(folder, "--samples-count", "12").start()
    wait_for(lambda: "images are searchable" in instance.said(), 60, lambda: instance.said() + instance.logs())
    assert instance.stop(signal.SIGINT) == 0
    again = Instance(folder, "--samples-count", "12").start()
    try:
        wait_for(lambda: again.said().count("images are searchable") == 2, 60, again.said)
        assert again.json("status")["records"]["complete"] == 12
        assert again.sql("SELECT max(computed) FROM results") == [(1,)]
    finally:
        assert again.stop() == 0
