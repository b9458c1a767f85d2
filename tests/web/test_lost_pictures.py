"""Thumbnails and views after `DATA/derived` was lost: made again at the next look, a few at a time."""  # R15, R76, R71

import re
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from pathlib import Path

from PIL import Image

from infra.objects.folder import FolderStore
from schemas.images import ObjectHead
from schemas.record import Record
from tasks.pictures import LINE, DerivedPictures
from tests.web.conftest import Browser, records_on
from tests.web.site import Shown, Site, png
from workers.decode.limits import DecodeLimits
from workers.ingest.ingest import thumbnail_key


class SlowStore(FolderStore):
    """A folder whose readers wait for a gate, and are counted."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.reads = 0
        self.gate = threading.Event()

    def read(self, head: ObjectHead, limit: int) -> bytes:
        self.reads += 1
        self.gate.wait(60)
        return super().read(head, limit)


def lose(site: Site) -> Path:
    """What was derived is gone, folders too, while the pages run."""
    derived = site.services.settings.data / "derived"
    for bucket in ("thumbnails", "views"):
        shutil.rmtree(derived / bucket)
    return derived


def some(site: Site, count: int) -> list[Record]:
    pictures = [Image.new("RGB", (700, 500), (number, 90, 120)) for number in range(count)]
    numbers = [site.add(f"{number}.png", picture=picture) for number, picture in enumerate(pictures)]
    return [site.services.records.record(number) for number in numbers]


def test_a_pages_thumbnails_are_made_again(site: Site, viewer: Browser) -> None:
    some(site, 5)
    page = viewer.get("/?q=smile")
    addresses = sorted(set(re.findall(r'src="(/images/\d+/thumbnail/[0-9a-f]{64})"', page.text)))
    assert len(addresses) == len(records_on(page)) == 5
    before = {address: viewer.get(address).content for address in addresses}
    derived = lose(site)
    for address in addresses:
        answer = viewer.get(address)
        assert answer.status_code == 200 and answer.content == before[address]  # as ingest had made them
        assert answer.headers["cache-control"] == "private, max-age=604800, immutable"
    assert len(list(derived.glob("thumbnails/*/*.jpg"))) == 5
    assert viewer.get(f"/images/{records_on(page)[0]}/view").status_code == 200
    assert len(list(derived.glob("views/*/*.jpg"))) == 1


def test_a_picture_is_never_made_of_what_was_put_in_its_place(site: Site, viewer: Browser) -> None:
    (record,) = some(site, 1)
    derived = lose(site)
    site.services.store.put("images", "0.png", png("red"))
    for path in (f"thumbnail/{record.sha256}", "view"):
        assert viewer.get(f"/images/{record.id}/{path}").status_code == 404
    assert not list(derived.rglob("*.jpg"))


def test_a_lost_picture_of_a_held_image_stays_hidden(site: Site, viewer: Browser, moderator: Browser) -> None:
    record = site.services.records.record(site.add("a.png", Shown((("sword", 0.9),))))
    derived = lose(site)
    for path in (f"thumbnail/{record.sha256}", "view"):
        assert viewer.get(f"/images/{record.id}/{path}").status_code == 404
        assert not list(derived.rglob("*.jpg"))
    for path in (f"thumbnail/{record.sha256}", "view"):
        assert moderator.get(f"/images/{record.id}/{path}").status_code == 200


def test_who_asks_for_one_picture_at_once_has_it_made_once_and_a_long_line_is_refused(site: Site) -> None:
    lost, kept = some(site, 2)
    settings = site.services.settings
    store = SlowStore(settings.buckets_folder)
    pictures = DerivedPictures(store, site.services.derived, DecodeLimits())
    shown = pictures.thumbnail(kept)
    (settings.data / "derived" / "thumbnails" / thumbnail_key(lost.sha256)).unlink()
    with ThreadPoolExecutor(LINE + 3) as pool:
        asking = [pool.submit(pictures.thumbnail, lost) for _ in range(LINE + 3)]
        refused = list(islice(as_completed(asking, 60), 3))
        assert [str(each.exception()) for each in refused] == [
            "Many pictures are being made anew: reload in a moment."
        ] * 3
        assert pictures.thumbnail(kept) == shown  # what is there waits for nobody
        store.gate.set()
        made = {each.result(60) for each in asking if each not in refused}
    pictures.close()
    assert len(made) == 1 and None not in made and store.reads == 1
