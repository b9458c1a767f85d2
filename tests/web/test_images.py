"""One image: what is known, what people say of it, and its pictures."""  # R15, R67, R76

import re

from schemas.results import Failure
from tasks.merge import refresh
from tests.web.conftest import Browser, records_on
from tests.web.site import Shown, Site, png

BOXED = Shown((("smile", 0.9), ("hat", 0.3)), (("face", (10.0, 20.0, 50.0, 60.0), 0.97),))


def test_the_page_tells_tags_boxes_and_where_they_come_from(site: Site, viewer: Browser) -> None:
    page = viewer.get(f"/images/{site.add('2026/a.png', BOXED)}").text
    assert 'href="/?q=smile">smile</a>' in page and "sample-tagger" in page
    assert '<rect class="box" x="10.0" y="20.0" width="40.0" height="40.0"/>' in page and "face .97" in page
    assert "images / 2026/a.png" in page and "8.4 ms in a batch of 16" in page
    assert "Sample models spoke here" in page and 'href="/help/models"' in page


def test_a_dropped_tag_is_shown_with_the_reason(site: Site, viewer: Browser) -> None:
    page = viewer.get(f"/images/{site.add('a.png', BOXED)}").text
    dropped = page[page.index('id="dropped"') :]
    assert "hat" in dropped and "0.30 is below the threshold 0.50" in dropped


def test_the_alternative_text_is_made_of_the_tags(site: Site, viewer: Browser) -> None:
    assert 'alt="smile"' in viewer.get(f"/images/{site.add('a.png', BOXED)}").text


def test_an_added_tag_is_found_by_the_very_next_search(site: Site, moderator: Browser) -> None:
    record = site.add("a.png", BOXED)
    page = moderator.follow(
        moderator.post(f"/images/{record}/tags", tag="Red  Scarf", category="general", action="add")
    )
    assert "red_scarf" in page.text and ">you</span>" in page.text
    assert records_on(moderator.get("/?q=red_scarf")) == [record]


def test_a_removed_tag_is_gone_until_the_removal_is_taken_back(site: Site, moderator: Browser) -> None:
    record = site.add("a.png", BOXED)
    for action, found in (("remove", []), ("withdraw", [record])):
        moderator.post(f"/images/{record}/tags", tag="smile", action=action)
        assert records_on(moderator.get("/?q=smile")) == found
        assert ("Removed by people" in moderator.get(f"/images/{record}").text) == (action == "remove")


def test_a_viewer_sees_no_way_to_change_anything(site: Site, viewer: Browser) -> None:
    page = viewer.get(f"/images/{site.add('a.png', BOXED)}").text
    forms = re.findall(r'<form[^>]*action="([^"]+)"', page)
    assert set(forms) == {"/", "/theme", "/sign-out"}


def test_names_that_cannot_be_tags_are_refused_with_the_remedy(site: Site, moderator: Browser) -> None:
    record = site.add("a.png")
    for name in ("", "  ", "-hat", "a,b", "wild*", "\x07"):
        answer = moderator.post(f"/images/{record}/tags", tag=name, action="add")
        assert answer.status_code in (400, 422), name


def test_failed_work_is_told_and_can_be_tried_again(site: Site, moderator: Browser) -> None:
    record = site.found("a.png", png())
    image = site.services.records.record(record).image
    site.services.work.claim(["tagging"], 1)
    site.services.work.fail([Failure("tagging", image, site.tagger, "broken", "the model <i>broke</i>", True)])
    refresh(site.services, [record])
    page = moderator.get(f"/images/{record}").text
    assert "the model &lt;i&gt;broke&lt;/i&gt;" in page and 'value="tagging">Retry' in page
    assert moderator.post(f"/images/{record}/retry", stage="tagging").status_code == 303
    refresh(site.services, [record])
    assert "Retry" not in moderator.get(f"/images/{record}").text
    assert moderator.post(f"/images/{record}/retry", stage="tagging").status_code == 400


def test_pictures_are_private_and_not_sent_twice(site: Site, viewer: Browser) -> None:
    record = site.add("a.png")
    sha256 = site.services.records.record(record).sha256
    for path, kept in ((f"/thumbnail/{sha256}", "private, max-age=604800, immutable"), ("/view", "private, no-cache")):
        first = viewer.get(f"/images/{record}{path}")
        assert first.headers["content-type"] == "image/jpeg" and first.content.startswith(b"\xff\xd8")
        assert first.headers["cache-control"] == kept and "Exif" not in first.content[:200].decode("latin-1")
        again = viewer.get(f"/images/{record}{path}", if_none_match=first.headers["etag"])
        assert again.status_code == 304 and again.content == b""


def test_a_thumbnail_belongs_to_its_record_only(site: Site, viewer: Browser) -> None:
    one, other = site.add("a.png"), site.add("b.png")
    sha256 = site.services.records.record(other).sha256
    assert viewer.get(f"/images/{one}/thumbnail/{sha256}").status_code == 404
    assert viewer.get(f"/images/{one}/thumbnail/..%2f..%2fetc").status_code in (404, 422)


def test_raw_results_leave_nothing_out(site: Site, viewer: Browser) -> None:
    told = viewer.get(f"/images/{site.add('a.png', BOXED)}/raw").json()
    found = {entry["label"]: entry for answer in told for entry in answer["found"]}
    assert found["hat"]["score"] == 0.3 and found["face"]["box"] == [10.0, 20.0, 50.0, 60.0]


def test_the_query_stays_in_sight_through_a_change(site: Site, moderator: Browser) -> None:
    record = site.add("a.png", BOXED)
    page = moderator.get(f"/images/{record}?from=smile").text
    assert 'value="smile"' in page and 'href="/?q=smile" id="back"' in page
    answer = moderator.post(f"/images/{record}/tags", **{"tag": "scarf", "action": "add", "from": "smile"})
    assert answer.headers["location"] == f"/images/{record}?from=smile#tags"


def test_what_one_may_not_see_is_answered_like_what_is_not_there(site: Site, viewer: Browser) -> None:
    held = site.add("a.png", Shown((("sword", 0.9),)))
    answers = [viewer.get(f"/api/v1/images/{record}").text.replace(str(record), "N") for record in (held, 999_999)]
    assert answers[0] == answers[1]


def test_what_is_not_there_is_said(viewer: Browser) -> None:
    assert viewer.get("/images/999").status_code == 404
    assert viewer.get("/api/v1/images/999").json()["error"] == "not-found"
