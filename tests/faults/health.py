"""Does every role play its part again? Asked of the roles themselves: what they stored would be mended by others."""

import json
import time
from collections.abc import Iterator
from http import HTTPStatus

import httpx2
from kombu.connection import Connection

from infra.encoder import PATH
from schemas.errors import NafudaError
from schemas.pipeline import QUEUES
from tasks.doctor import examine
from tests.faults.deployment import Deployment

_TEXT = "a red circle on a blue ground"
_PATIENCE = 5.0  # seconds
_PAUSE = 0.2


def answering(site: Deployment, limit: float) -> float:
    """Wait until every role does its part; returns the seconds that it took. TimeoutError tells which does not."""
    begun = time.monotonic()
    while idle := missing(site):
        if time.monotonic() - begun > limit:
            raise TimeoutError(f"after {limit} s: {'; '.join(idle)}\n{site.roles.tell()}")
        time.sleep(_PAUSE)
    return time.monotonic() - begun


def ready(site: Deployment, patience: float) -> int:
    """What the pages answer whoever asks whether they are ready; 0 where nothing answers within so many seconds."""
    port = site.roles.children["web"].environment["NAFUDA_WEB_PORT"]
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/ready", timeout=patience).status_code
    except httpx2.HTTPError:
        return 0


def missing(site: Deployment) -> list[str]:
    """Who does not do its part, and what. The doctor looks last, and at everything."""
    try:
        return [*_silent(site), *_unread(site), *_mute(site)] or list(_sick(site))
    except (NafudaError, OSError) as error:
        return [str(error)]


def _silent(site: Deployment) -> Iterator[str]:
    """A worker is heard of under the number of its process: not one that it took the place of."""
    heard = [name for name, _ in site.services.work.alive(site.services.settings.silent)]
    for role in site.roles.children:
        if role != "web" and not any(f":{role}:{site.roles.pid(role)}-" in name for name in heard):
            yield f"{role} is not heard of"


def _mute(site: Deployment) -> Iterator[str]:
    status = ready(site, _PATIENCE)
    if status != HTTPStatus.OK:
        yield f"web answers {status}"
    url = site.roles.children["web"].environment["NAFUDA_ENCODER_URL"] + PATH
    try:
        told = httpx2.post(url, content=json.dumps({"text": _TEXT}), timeout=_PATIENCE).raise_for_status().json()
        if not told["vector"]:
            yield "encode answers nothing"
    except httpx2.HTTPError as error:
        yield f"encode: {error!r}"


def _unread(site: Deployment) -> Iterator[str]:
    """Queues that nobody takes hints from. A queue that is gone is an error of the channel, which ends with it."""
    with Connection(site.services.settings.broker_url, connect_timeout=5) as connection:
        for queue in QUEUES:
            try:
                with connection.channel() as channel:
                    if not channel.queue_declare(queue, passive=True).consumer_count:
                        yield f"nobody takes hints from {queue}"
            except (*connection.connection_errors, *connection.channel_errors) as error:
                yield f"{queue}: {error}"


def _sick(site: Deployment) -> Iterator[str]:
    for found in examine(site.services):
        if not found.ok:
            yield f"the doctor says of {found.name}: {found.detail}"
