"""The webhook over real HTTP: who may send, what is kept, and when the sender may forget it."""  # R1, R71, R76

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

import httpx2
import psycopg
import pytest

from infra.records.pool import open_pool
from tests.events.recorded import SAMPLES, recorded
from tests.rounds.following import told
from tests.web.served import served
from tests.web.site import SECRET, Site
from web.events import BODY_BYTES, PATH, signature

BODY = json.dumps(told("images")).encode()
KNOWS = {"Authorization": f"Bearer {SECRET}"}


@pytest.fixture
def client(site: Site) -> Iterator[httpx2.Client]:
    """Somebody who speaks HTTP to the site."""
    with served(site.web) as address, httpx2.Client(base_url=address, timeout=30) as client:
        yield client


def noted(site: Site) -> list[tuple[str, str]]:
    """Bucket and key of every object that is to be looked at."""
    with site.services.pool.connection() as connection:
        return [(bucket, key) for bucket, key in connection.execute("SELECT bucket, key FROM objects ORDER BY 1, 2")]


def test_a_notification_is_a_hint_when_it_is_answered(client: httpx2.Client, site: Site) -> None:
    answer = client.post(PATH, content=BODY, headers=KNOWS)
    assert (answer.status_code, answer.json()) == (200, {"events": 1, "ignored": 0, "dead": 0})
    assert noted(site) == [("images", "a.png")]
    assert [(each.stage, each.count) for each in site.services.work.counts()] == [("ingest", 1)]


def test_a_signed_body_is_taken_whoever_sends_it(client: httpx2.Client, site: Site) -> None:
    answer = client.post(PATH, content=BODY, headers={"X-Nafuda-Signature": signature(SECRET, BODY)})
    assert answer.status_code == 200 and noted(site)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer another secret"},
        {"Authorization": f"Basic {SECRET}"},
        {"Authorization": f"Bearer {SECRET}x"},
        {"Authorization": "Bearer \xe9\xff"},
        {"X-Nafuda-Signature": ""},
        {"X-Nafuda-Signature": "sha256="},
        {"X-Nafuda-Signature": SECRET},
        {"X-Nafuda-Signature": signature(SECRET, b"another body")},
        {"X-Nafuda-Signature": signature("another secret", BODY)},
        {"X-Nafuda-Signature": "sha256=wrong", "Authorization": f"Bearer {SECRET}"},
    ],
)
def test_who_does_not_know_the_secret_is_told_how_to_show_it(
    client: httpx2.Client, site: Site, headers: Mapping[str, str]
) -> None:
    raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    answer = client.post(PATH, content=BODY, headers=raw)
    assert (answer.status_code, answer.json()["error"]) == (401, "unknown-sender")
    assert "X-Nafuda-Signature" in answer.json()["message"] and SECRET not in answer.text
    assert noted(site) == [] and site.services.letters.latest() == []


def test_without_a_secret_there_is_no_webhook(site: Site) -> None:
    for headers in (KNOWS, {"Authorization": "Bearer"}, {"X-Nafuda-Signature": signature("", BODY)}):
        with served(replace(site.web, events_secret="")) as address:
            assert httpx2.post(address + PATH, content=BODY, headers=headers).status_code == 404
    assert noted(site) == []


@pytest.mark.parametrize("body", [b"", b"\xff no event", b"[]", b'{"Records": [{"eventSource": "aws:ses"}]}'])
def test_what_is_not_understood_is_kept_when_it_is_answered(client: httpx2.Client, site: Site, body: bytes) -> None:
    answer = client.post(PATH, content=body, headers=KNOWS)
    assert (answer.status_code, answer.json()["dead"]) == (200, 1)
    (letter,) = site.services.letters.latest()
    assert letter.source == "webhook" and letter.body == body.decode("utf-8", "replace") and letter.reason


def test_a_subscription_is_not_confirmed_but_kept_with_the_reason(client: httpx2.Client, site: Site) -> None:
    asked = {"Type": "SubscriptionConfirmation", "TopicArn": "arn:aws:sns:x", "Message": "visit us",
             "SubscribeURL": f"{client.base_url}/health"}  # fmt: skip
    assert client.post(PATH, json=asked, headers=KNOWS).json()["dead"] == 1
    (letter,) = site.services.letters.latest()
    assert "confirmed by hand" in letter.reason


def test_only_buckets_of_collections_are_looked_at(client: httpx2.Client, site: Site) -> None:
    records = [told(bucket)["Records"][0] for bucket in ("theirs", "images", "169.254.169.254")]  # type: ignore[index]
    assert client.post(PATH, json={"Records": records}, headers=KNOWS).json()["events"] == 1
    assert noted(site) == [("images", "a.png")]


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_over_the_limit_is_refused(client: httpx2.Client, site: Site, announced: bool) -> None:
    body = b"x" * (BODY_BYTES + 1)
    chunks = body if announced else (body[at : at + 65536] for at in range(0, len(body), 65536))
    assert client.post(PATH, content=chunks, headers=KNOWS).status_code == 413
    assert site.services.letters.latest() == []


def test_a_database_that_does_not_answer_lets_the_sender_keep_it(
    client: httpx2.Client, site: Site, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = open_pool(database, size=2, name="test", statement_timeout=timedelta(seconds=1))
    monkeypatch.setitem(site.services.__dict__, "pool", impatient)
    site.services.__dict__.pop("objects", None)
    with psycopg.connect(database) as busy:
        busy.execute("LOCK TABLE objects, dead_letters")
        for body in (BODY, b"no event"):
            answer = client.post(PATH, content=body, headers=KNOWS)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "30"), answer.text
    assert noted(site) == [] and site.services.letters.latest() == []
    assert client.post(PATH, content=BODY, headers=KNOWS).status_code == 200
    impatient.close()


def test_whatever_servers_really_send_is_understood(client: httpx2.Client, site: Site) -> None:
    files = sorted(path.relative_to(SAMPLES).with_suffix("") for path in SAMPLES.rglob("*.json"))
    for file in files:
        body = recorded(str(file))["body"]
        content = body if isinstance(body, str) else json.dumps(body)
        answer = client.post(PATH, content=content.encode(), headers=KNOWS)
        assert (answer.status_code, answer.json()["dead"]) == (200, 0), (file, answer.text)
    assert len(files) > 10


def test_the_secret_is_in_no_log(client: httpx2.Client, site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client.post(PATH, content=BODY, headers=KNOWS)
    client.post(PATH, content=BODY, headers={"Authorization": f"Bearer {SECRET}x"})
    assert SECRET not in repr(site.services.settings) + repr(site.web)
    assert SECRET not in "\n".join(message for message in caplog.messages if not message.startswith("send_request"))
