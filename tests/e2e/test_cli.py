"""The command line as a promise to scripts: JSON, exit codes, and that commands do what they say (docs/cli.md)."""

import html
import json
from pathlib import Path

import pytest

from tests.e2e.instance import Instance, wait_for
from training.samples import draw


@pytest.fixture(scope="module")
def image(nafuda: Instance, tmp_path_factory: pytest.TempPathFactory) -> int:
    """The id of an analysed drawing under the key `a.png`."""
    file = tmp_path_factory.mktemp("cli") / "a.png"
    draw(9_300_000).image.save(file)
    return int(nafuda.json("ingest", str(file), "--wait")["image"])


def test_status_counts_by_stage_and_state(nafuda: Instance, image: int) -> None:
    status = nafuda.json("status")
    assert status["records"]["complete"] >= 1
    assert set(status) == {"stages", "records", "objects", "documents", "backfill"}


def test_an_image_is_known_by_id_digest_key_and_place(nafuda: Instance, image: int) -> None:
    shown = nafuda.json("show", str(image))
    for name in (shown["sha256"], shown["sha256"][:12], "a.png", "images/a.png"):
        assert nafuda.json("show", name)["id"] == image


def test_erase_asks_first_and_then_the_image_is_unknown_until_it_comes_again(
    nafuda: Instance, tmp_path: Path
) -> None:  # R76
    file = tmp_path / "erased.png"
    draw(9_300_001).image.save(file)
    before = nafuda.json("ingest", str(file), "--wait")["image"]
    assert nafuda.cli("erase", "erased.png").returncode == 130
    assert nafuda.json("show", "erased.png")["id"] == before
    removed = nafuda.json("erase", "erased.png", "--yes")
    assert (removed["objects"], removed["records"]) == (["images/erased.png"], [before])
    assert removed["results"] > 0 and removed["pictures"] > 0
    assert nafuda.cli("erase", str(before), "--yes").returncode == 4
    again = nafuda.json("ingest", str(file), "--wait")
    assert again["outcome"] == "complete" and again["image"] != before


def test_show_gives_raw_results_of_every_model(nafuda: Instance, image: int) -> None:
    results = {each["stage"]: each for each in nafuda.json("show", str(image))["results"]}
    stages = {"detection", "tagging", "captioning", "embedding", "scoring", "judging"}
    assert set(results) == stages
    assert len(results["tagging"]["labels"]) == len(results["tagging"]["scores"])
    assert results["tagging"]["boxes"] is None
    assert all(len(box) == 4 for box in results["detection"]["boxes"])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["show", "no-such-key"], 4, "no image is known"),
        (["search", "width:>>"], 1, ""),
        (["worker", "baker"], 2, "baker"),
        (["models", "check", "no/model"], 1, "no model"),
        (["review", "decide", "1", "keep", "--as", "nobody"], 4, "nobody"),
    ],
)
def test_exit_codes_say_what_kind_of_failure_it_was(
    nafuda: Instance, image: int, arguments: list[str], code: int, said: str
) -> None:
    done = nafuda.cli(*arguments)
    assert (done.returncode, said in done.stderr + done.stdout) == (code, True), done


def test_a_wrong_setting_is_named(folder: Path) -> None:
    done = Instance(folder, environment={"NAFUDA_WEB_PORT": "many"}).cli("status")
    assert done.returncode == 3
    assert "NAFUDA_WEB_PORT" in done.stderr


def test_nothing_runs_is_said_with_the_remedy(folder: Path) -> None:
    done = Instance(folder).cli("status")
    assert done.returncode == 3
    assert "nafuda run" in done.stderr


def test_a_notification_is_taken_in_or_becomes_a_dead_letter(nafuda: Instance, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    record = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
              "s3": {"bucket": {"name": "images"}, "object": {"key": "a.png"}}}  # fmt: skip
    good.write_text(json.dumps({"Records": [record]}))
    bad.write_text('{"Records": [{"eventSource": "aws:ses"}]}')
    assert nafuda.json("events", "take", str(good))["events"] == 1
    assert nafuda.json("events", "take", str(bad))["dead"] == 1
    (letter,) = nafuda.json("events", "dead", "--limit", "1")
    assert letter["source"] == "cli" and "aws:ses" in letter["reason"]
    assert nafuda.json("events", "replay") == {"understood": 0, "events": 0, "left": 1}
    nafuda.sql(f"UPDATE dead_letters SET body = '{good.read_text()}' RETURNING id")  # as if an upgrade knew it
    assert nafuda.json("events", "replay", str(letter["id"])) == {"understood": 1, "events": 1, "left": 0}
    assert nafuda.cli("events", "replay", str(letter["id"])).returncode == 4
    nafuda.json("events", "take", str(bad))
    number = nafuda.json("events", "dead", "--limit", "1")[0]["id"]
    assert nafuda.json("events", "discard", str(number)) == {"removed": 1}


def test_a_lost_event_is_found_by_reconcile(nafuda: Instance, image: int) -> None:
    nafuda.sql("DELETE FROM objects WHERE key = 'a.png' RETURNING id")
    assert nafuda.json("reconcile")["unknown"] >= 1
    wait_for(lambda: nafuda.cli("show", "a.png").returncode == 0, 20, nafuda.logs)


def test_a_backfill_says_what_it_was_asked_for_and_what_it_planned(nafuda: Instance, image: int) -> None:
    nafuda.sql(f"DELETE FROM results WHERE image = (SELECT image FROM records WHERE id = {image}) RETURNING image")
    model = "nafuda/sample-tagger"
    dry = nafuda.json("backfill", "images/a.png", "--missing", model, "--dry-run")
    assert dry == {"scope": "objects under images/a.png", "images": 1, "work": 1, "objects": 0, "dry": True}
    assert nafuda.json("backfill", "width:>0")["scope"] == "query width:>0"
    wait_for(lambda: len(nafuda.json("show", str(image))["results"]) > 8, 60, nafuda.logs)
    assert nafuda.json("backfill")["work"] == nafuda.json("backfill", "--cancel")["cancelled"] == 0
    assert nafuda.cli("backfill", "images", "--cancel").returncode == 2
    assert nafuda.cli("backfill", "images", "--missing", "no/model").returncode == 1


def test_a_new_threshold_is_in_force_at_once_and_for_old_images(nafuda: Instance, image: int, tmp_path: Path) -> None:
    tag = next(tag for tag in nafuda.json("show", str(image))["tags"] if (tag["confidence"] or 1) < 0.9999)
    file = tmp_path / "thresholds.toml"
    file.write_text(f'"general:{tag["name"]}" = 1.0\n')
    nafuda.cli("rules", "set", "thresholds", str(file))
    wait_for(lambda: tag["name"] not in {t["name"] for t in nafuda.json("show", str(image))["tags"]}, 20, nafuda.logs)
    dropped = {each["name"]: each["reason"] for each in nafuda.json("show", str(image))["dropped"]}
    assert dropped[tag["name"]] == "below-threshold"
    file.write_text("")
    nafuda.cli("rules", "set", "thresholds", str(file))


def test_gc_removes_nothing_that_is_needed(nafuda: Instance, image: int) -> None:
    assert nafuda.json("gc") == {"pictures": 0, "tombstones": 0, "names": 0}


def test_a_backup_is_restored_into_another_folder(nafuda: Instance, image: int, tmp_path: Path) -> None:
    file = tmp_path / "records.backup"
    assert nafuda.cli("backup", str(file)).returncode == 0
    assert file.stat().st_mode & 0o777 == 0o600  # it holds password hashes
    other = Instance(tmp_path / "other", "--no-samples")
    (tmp_path / "other").mkdir()
    restored = other.cli("restore", str(file))
    assert restored.returncode == 0, restored
    refused = other.cli("restore", str(file))
    assert refused.returncode == 5
    other.start()
    try:
        assert other.json("show", str(image))["sha256"] == nafuda.json("show", str(image))["sha256"]
    finally:
        other.stop()


def test_a_character_and_tags_for_sale_are_told(nafuda: Instance, image: int) -> None:
    shown, character = nafuda.json("show", str(image)), nafuda.json("character", "a.png")
    assert len(character) == 12 and "Confidence Score" in character
    assert shown["character"]["traits"] and nafuda.cli("character", "a.png").stdout.startswith("attribute")
    choice = nafuda.json("market", "a.png")
    told = [each["tag"]["name"] for each in (*choice["kept"], *choice["dropped"])]
    assert sorted(told) == sorted(tag["name"] for tag in shown["tags"]) and choice["kept"][0]["worth"] > 0


def test_alt_text_fills_what_a_site_is_missing(nafuda: Instance, image: int, tmp_path: Path) -> None:
    said = nafuda.json("show", str(image))["alt_text"]
    draw(9_300_000).image.save(tmp_path / "same bytes.png")
    page = tmp_path / "index.html"
    page.write_text('<img src="same%20bytes.png"><img src="same%20bytes.png" alt=""><img src="other.png">')
    checked = nafuda.cli("alt-text", str(tmp_path), "--check")
    assert checked.returncode == 1 and "other.png: there is no file" in checked.stdout
    told = nafuda.json("alt-text", str(tmp_path))
    assert (told["filled"], told["silent"], len(told["unknown"])) == (1, 1, 1)
    assert page.read_text().startswith(
        f'<img alt="{html.escape(said)}" src="same%20bytes.png"><img src="same%20bytes.png" alt="">'
    )
