"""Putting models into force: what leaves, what stays, and that results which are there stay (R10)."""

import json
from pathlib import Path

import pytest

from infra.models.catalogue import Catalogue, open_catalogue
from infra.models.in_force import read_in_force
from infra.settings import SAMPLES, Settings, read_settings
from schemas.errors import ConfigurationError
from schemas.pipeline import CAPTIONING
from schemas.record import Status
from tasks.services import Services
from tasks.use import Change, change, put_into_force, without
from tests.records.books import Books
from workers.merging import document_of

WD = "SmilingWolf/wd-vit-tagger-v3"
CLIP, BLIP = "Xenova/clip-vit-base-patch32", "Salesforce/blip-image-captioning-base"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return open_catalogue()


def test_a_real_model_takes_the_place_of_the_sample_that_does_its_work(catalogue: Catalogue) -> None:
    found = change(catalogue, SAMPLES, [WD])
    assert dict(found.left) == {"nafuda/sample-tagger": f"{WD} does its work"}
    assert found.models[-1] == WD and "nafuda/sample-rating" in found.models


def test_what_needs_a_model_that_leaves_goes_with_it(catalogue: Catalogue) -> None:
    found = change(catalogue, SAMPLES, ["Xenova/clip-vit-base-patch32"])
    assert set(dict(found.left)) == {"nafuda/sample-encoder", "nafuda/sample-aesthetic", "nafuda/sample-clip-score"}
    blip = change(catalogue, SAMPLES, ["Salesforce/blip-image-captioning-base"])
    assert set(dict(blip.left)) == {"nafuda/sample-captioner", "nafuda/sample-clip-score"}
    rating = change(catalogue, SAMPLES, ["deepghs/anime_rating"])
    assert set(dict(rating.left)) == {"nafuda/sample-rating"}
    assert change(catalogue, SAMPLES, ["deepghs/anime_ai_check"]).left == ()


def test_a_score_of_two_models_comes_with_the_second_of_them_and_leaves_with_either(catalogue: Catalogue) -> None:
    """R24: CLIP and BLIP bring the CLIPScore of BLIP's caption by CLIP, in whatever order."""
    both = change(catalogue, SAMPLES, [CLIP, BLIP])
    assert both.came == ("nafuda/clip-score",) and both.models[-3:] == (CLIP, BLIP, "nafuda/clip-score")
    assert "nafuda/sample-clip-score" in dict(both.left)
    for first, second in ((CLIP, BLIP), (BLIP, CLIP)):
        one = change(catalogue, SAMPLES, [first])
        two = change(catalogue, one.models, [second])
        assert one.came == () and two.came == ("nafuda/clip-score",)
        assert set(two.models) == set(both.models)
    for name in (CLIP, BLIP):
        assert "nafuda/clip-score" in dict(without(catalogue, both.models, name).left)
    assert change(catalogue, both.models, [CLIP, BLIP, "nafuda/clip-score"]).came == ()
    alone = without(catalogue, both.models, "nafuda/clip-score").models
    assert change(catalogue, alone, [WD]).came == ()  # it was removed: another model does not bring it back


def test_what_takes_answers_that_nobody_gives_is_refused(catalogue: Catalogue) -> None:
    with pytest.raises(ConfigurationError, match="takes the answers of nafuda/sample-encoder"):
        change(catalogue, ["nafuda/sample-tagger"], ["nafuda/sample-clip-score"])


def test_a_model_that_is_removed_takes_those_with_it_that_need_its_answers(catalogue: Catalogue) -> None:
    found = without(catalogue, SAMPLES, "nafuda/sample-captioner")
    assert set(dict(found.left)) == {"nafuda/sample-captioner", "nafuda/sample-clip-score"}
    assert set(found.models) == set(SAMPLES) - set(dict(found.left))


def test_samples_may_be_kept_and_twice_is_once(catalogue: Catalogue) -> None:
    kept = change(catalogue, SAMPLES, [WD], keep=True)
    assert kept.left == () and kept.models == (*SAMPLES, WD)
    assert change(catalogue, kept.models, [WD], keep=True) == kept


def test_a_model_that_does_not_run_here_changes_nothing(tmp_path: Path, catalogue: Catalogue) -> None:
    services = Services(Settings(data=tmp_path))
    with pytest.raises(ConfigurationError, match="models pull"):
        put_into_force(services, catalogue, Change((*SAMPLES, WD), ()))
    assert read_in_force(tmp_path) is None


def test_what_was_put_into_force_is_read_at_the_next_start_unless_the_environment_says_otherwise(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    fewer = ("nafuda/sample-detector", "nafuda/sample-tagger")
    put_into_force(Services(Settings(data=tmp_path)), catalogue, Change(fewer, ()))
    assert read_settings({"NAFUDA_DATA": str(tmp_path)}).models == fewer
    assert read_settings({"NAFUDA_DATA": str(tmp_path), "NAFUDA_MODELS": "nafuda/sample-tagger"}).models == fewer[1:]
    (tmp_path / "models.json").write_text(json.dumps({"other": 1}))
    with pytest.raises(ConfigurationError, match="remove it"):
        read_settings({"NAFUDA_DATA": str(tmp_path)})


def test_a_new_plan_makes_nothing_incomplete_and_takes_no_result_away(books: Books) -> None:
    """After `models use` the samples' results stay until a backfill has replaced them, and then are not heard."""
    tagger = books.model("nafuda/sample-tagger", sample=True)
    captioner = books.model("nafuda/sample-captioner", CAPTIONING, sample=True)
    collection = books.rules.ensure_collection("main", "images")
    books.collection(tagger, captioner)
    image = books.put("a.png")
    books.say(tagger, image, cat=0.9)
    books.tell(captioner, image, "A drawn boat.")
    before = books.merged("a.png")
    assert before.status is Status.COMPLETE and before.samples_only
    new = [books.model(WD), books.model(BLIP, CAPTIONING)]
    books.rules.ensure_plan(collection, new)
    books.sql("UPDATE records SET dirty = dirty + 1, dirty_at = now()")
    after = books.merged("a.png")
    assert after.status is Status.COMPLETE and (after.tags, after.captions) == (before.tags, before.captions)
    fresh = books.put("b.png")
    claims = books.work().claim(["tagging", "captioning"], 9)
    assert sorted(claim.model for claim in claims if claim.subject == fresh) == new
    books.say(new[0], image, sword=0.6)
    books.rules.fresh()
    half = books.merged("a.png")
    assert [tag.name for tag in half.tags] == ["sword"]
    assert [caption.text for caption in half.captions] == ["A drawn boat."]  # no real model has spoken of that yet
    books.tell(new[1], image, "a photograph of a sword")
    both = books.merged("a.png")
    assert [(caption.text, caption.source) for caption in both.captions] == [("a photograph of a sword", BLIP)]
    assert both.alt_text == "a photograph of a sword" and not both.samples_only
    assert both.status is Status.COMPLETE and [tag.name for tag in both.tags] == ["sword"]
    assert "boat" not in document_of(both, phash=0).words
