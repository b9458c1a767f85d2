"""Review: one item at a time, four verbs, everything can be taken back and shows at once."""  # R67, R75

import re

from tests.web.conftest import Browser, field, records_on
from tests.web.site import Shown, Site

SWORD = Shown((("sword", 0.9), ("smile", 0.8)))


def begin(browser: Browser, queue: str = "weapons") -> tuple[str, str]:
    """The page of the item that is leased next, and its text."""
    answer = browser.post("/review/claim", queue=queue)
    page = browser.follow(answer)
    return answer.headers["location"].split("?")[0], page.text


def decide(browser: Browser, item: str, text: str, verdict: str, reason: str = "") -> int:
    found = re.search(r'name="lease" value="([^"]+)"', text)
    lease = found[1] if found else "none"
    return browser.post(f"{item}/decide", verdict=verdict, lease=lease, reason=reason, queue="weapons").status_code


def test_queues_are_listed_with_what_waits(site: Site, moderator: Browser) -> None:
    site.add("a.png", SWORD)
    page = moderator.get("/review").text
    assert "weapons" in page and "oldest" in page
    assert '<span class="badge">' in moderator.get("/").text


def test_an_item_says_why_it_is_here(site: Site, moderator: Browser) -> None:
    site.add("a.png", SWORD)
    _, text = begin(moderator)
    assert "tag sword .90</strong> ≥ .60" in text and "policy weapons, version 1" in text
    assert "(sample-tagger)" in text and 'id="lease" data-seconds="' in text


def test_the_picture_is_behind_a_veil_that_needs_no_script_to_lift(site: Site, moderator: Browser) -> None:
    site.add("a.png", SWORD)
    _, text = begin(moderator)
    assert 'class="frame veiled"' in text and '<label class="button small" for="reveal">' in text


def test_keeping_shows_the_image_to_viewers_in_the_very_next_search(
    site: Site, moderator: Browser, viewer: Browser
) -> None:
    record = site.add("a.png", SWORD)
    assert records_on(viewer.get("/?q=sword")) == []
    assert decide(moderator, *begin(moderator), "keep") == 303
    assert records_on(viewer.get("/?q=sword")) == [record]


def test_flags_are_between_moderators(site: Site, moderator: Browser, viewer: Browser) -> None:
    record = site.add("a.png", SWORD)
    decide(moderator, *begin(moderator), "keep")
    assert moderator.get(f"/api/v1/images/{record}").json()["flags"][0]["policy"] == "weapons"
    assert viewer.get(f"/api/v1/images/{record}").json()["flags"] == []


def test_removing_needs_a_reason_and_hides_the_image(site: Site, moderator: Browser, viewer: Browser) -> None:
    record = site.add("a.png", SWORD)
    item, text = begin(moderator)
    assert decide(moderator, item, text, "remove") == 400
    assert decide(moderator, item, text, "remove", "a real blade") == 303
    assert viewer.get(f"/images/{record}").status_code == 404
    assert "a real blade" in moderator.get(f"/images/{record}").text


def test_a_decision_can_be_taken_back_and_decided_anew(site: Site, moderator: Browser, viewer: Browser) -> None:
    record = site.add("a.png", SWORD)
    item, text = begin(moderator)
    decide(moderator, item, text, "keep")
    assert "Take the last one back" in moderator.get("/review").text
    again = moderator.post("/review/undo", queue="weapons")
    assert again.headers["location"].split("?")[0] == item
    assert records_on(viewer.get("/?q=sword")) == []
    assert decide(moderator, item, moderator.follow(again).text, "remove", "after all") == 303
    assert "undone" in moderator.get(f"/images/{record}").text


def test_taking_back_gives_the_item_in_hand_to_the_others(site: Site, moderator: Browser, admin: Browser) -> None:
    site.add("a.png", SWORD), site.add("b.png", SWORD)
    first, text = begin(moderator)
    decide(moderator, first, text, "keep")
    second, text = begin(moderator)
    held = re.search(r'name="lease" value="([^"]+)"', text)
    assert held is not None and second != first
    undone = moderator.post("/review/undo", queue="weapons", item=second.rsplit("/", 1)[1], lease=held[1])
    assert undone.headers["location"].split("?")[0] == first
    assert begin(admin)[0] == second


def test_two_moderators_never_hold_the_same_item(site: Site, moderator: Browser, admin: Browser) -> None:
    site.add("a.png", SWORD)
    item, _ = begin(moderator)
    assert admin.post("/review/claim", queue="weapons").headers["location"] == "/review?queue=weapons&done=1"
    seen = admin.get(item).text
    assert "moderator looks at this item" in seen and 'name="verdict"' not in seen
    assert field(moderator.get(item), "lease") not in seen


def test_a_lost_lease_is_said_with_a_way_on(site: Site, moderator: Browser) -> None:
    site.add("a.png", SWORD)
    item, text = begin(moderator)
    decide(moderator, item, text, "keep")
    answer = moderator.post(f"{item}/decide", verdict="keep", lease="old", queue="weapons")
    assert answer.status_code == 409 and 'href="/review"' in answer.text


def test_skipping_gives_the_item_to_others(site: Site, moderator: Browser, admin: Browser) -> None:
    site.add("a.png", SWORD)
    item, _ = begin(moderator)
    moderator.post(f"{item}/skip", lease=field(moderator.get(item), "lease"), queue="elsewhere")
    assert begin(admin)[0] == item


def test_the_next_picture_is_loaded_before_it_is_asked_for(site: Site, moderator: Browser) -> None:
    site.add("a.png", SWORD), site.add("b.png", SWORD)
    item, text = begin(moderator)
    found = re.search(r'data-preload="(/images/\d+/view[^"]*)"', text)
    assert found is not None and moderator.get(found[1]).status_code == 200
    decide(moderator, item, text, "keep")
    assert found[1] in begin(moderator)[1]


def test_the_session_counts_what_it_decided(site: Site, moderator: Browser) -> None:
    site.add("a.png", SWORD)
    decide(moderator, *begin(moderator), "keep")
    page = moderator.get("/review").text
    assert "<dd>1</dd><dt>decided</dt>" in page


def test_an_unreadable_figures_cookie_is_a_fresh_session(moderator: Browser) -> None:
    moderator.client.cookies.set("nafuda_figures", "x_1__<b>")
    page = moderator.get("/review")
    assert page.status_code == 200 and "This session" not in page.text


def test_removing_without_a_reason_leads_back_to_the_picture(site: Site, moderator: Browser) -> None:
    site.add("a.png", SWORD)
    item, _ = begin(moderator)
    answer = moderator.post(f"{item}/decide", lease=field(moderator.get(item), "lease"), verdict="remove")
    assert answer.status_code == 400 and f'href="{item}"' in answer.text


def test_an_escalated_item_waits_for_admins_only(site: Site, moderator: Browser, admin: Browser) -> None:
    site.add("a.png", SWORD)
    assert decide(moderator, *begin(moderator), "escalate") == 303
    assert "Nothing waits for a decision" in moderator.get("/review").text
    assert '<strong class="big">1</strong>' in admin.get("/review").text
    assert "escalated" in begin(admin)[1]


def test_a_time_from_a_forged_form_is_refused_before_anything_is_decided(
    site: Site, moderator: Browser, viewer: Browser
) -> None:
    site.add("a.png", SWORD)
    item, text = begin(moderator)
    lease = re.search(r'name="lease" value="([^"]+)"', text)
    assert lease is not None
    forged = moderator.post(f"{item}/decide", verdict="keep", lease=lease[1], shown="1" + "0" * 400)
    assert forged.status_code == 422 and records_on(viewer.get("/?q=sword")) == []


def test_forged_figures_count_as_a_fresh_session(moderator: Browser) -> None:
    moderator.client.cookies.set("nafuda_figures", "1_0_1_" + "9" * 4000)
    assert moderator.get("/review").status_code == 200
    moderator.client.cookies.set("nafuda_figures", f"1_0_{'9' * 40}_")
    assert moderator.post("/review/undo").status_code == 409
