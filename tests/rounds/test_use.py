"""Putting models into force: what leaves, what stays, and that results which are there stay (R10)."""

import json
from pathlib import Path

import pytest

from infra.models.catalogue import Catalogue, open_catalogue
from infra.models.in_force import read_in_force
from infra.settings import SAMPLES, Settings, read_settings
from schemas.errors import ConfigurationError
from schemas.record import Status
from tasks.services import Services
from tasks.use import Change, change, put_into_force, without
from tests.records.books import Books

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
    """After `models use` the samples' results stay until a backfill has replaced them."""
    old = books.model("nafuda/sample-tagger")
    collection = books.rules.ensure_collection("main", "images")
    books.collection(old)
    image = books.put("a.png")
    books.say(old, image, cat=0.9)
    before = books.merged("a.png")
    assert before.status is Status.COMPLETE
    new = books.model(WD)
    books.rules.ensure_plan(collection, [new])
    books.sql("UPDATE records SET dirty = dirty + 1, dirty_at = now()")
    after = books.merged("a.png")
    assert after.status is Status.COMPLETE and after.tags == before.tags
    fresh = books.put("b.png")
    assert [claim.model for claim in books.work().claim(["tagging"], 9) if claim.subject == fresh] == [new]
    books.say(new, image, cat=0.7, sword=0.8)
    books.rules.fresh()
    both = books.merged("a.png")
    assert {tag.name for tag in both.tags} == {"cat", "sword"}
