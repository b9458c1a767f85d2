"""`nafuda run` with its search on OpenSearch, which is killed and loses its data while people upload (R64, R72)."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.e2e.instance import Instance, wait_for
from tests.stack.own import OwnStack, own_stack
from training.samples import draw

pytestmark = pytest.mark.stack

COUNT = 12


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[OwnStack]:
    """An OpenSearch that may be broken."""
    with own_stack(tmp_path / "stack") as stack:
        yield stack


@pytest.fixture
def nafuda(tmp_path: Path, stack: OwnStack) -> Iterator[Instance]:
    address = stack.up("opensearch")["NAFUDA_TEST_OPENSEARCH_URL"]
    environment = {
        "NAFUDA_SEARCH_URL": address,
        "NAFUDA_SEARCH_TIMEOUT": "PT5S",
        "NAFUDA_DATABASE_URL": "",
        "NAFUDA_BROKER_URL": "",
    }
    instance = Instance(tmp_path / "data", "--no-samples", environment=environment).start()
    yield instance
    instance.stop()


def upload(nafuda: Instance, begin: int) -> None:
    """As a person would: files that appear in the bucket's folder."""
    for seed in range(begin, begin + COUNT):
        draw(9_200_000 + seed).image.save(nafuda.folder / "buckets" / "images" / f"{seed:03}.png")


def complete(nafuda: Instance) -> int:
    """Records that lack nothing."""
    return int(nafuda.sql("SELECT count(*) FROM records WHERE status = 'complete'")[0][0])


def searchable(nafuda: Instance) -> int:
    """Documents that a search finds; none while the index is away."""
    done = nafuda.cli("search", "", "--json")
    return int(json.loads(done.stdout)["total"]) if done.returncode == 0 else 0


def test_an_index_that_dies_and_loses_everything_is_filled_again(nafuda: Instance, stack: OwnStack) -> None:
    upload(nafuda, 0)
    wait_for(lambda: searchable(nafuda) == COUNT and complete(nafuda) == COUNT, 120, nafuda.logs)

    stack.kill("opensearch")
    upload(nafuda, COUNT)
    wait_for(lambda: complete(nafuda) == 2 * COUNT, 120, nafuda.logs)  # analysis and merging went on
    refused = nafuda.cli("search", "")
    assert refused.returncode == 75 and "NAFUDA_SEARCH_URL" in refused.stderr
    assert httpx2.get(nafuda.note["address"] + "/ready").status_code == 503

    shutil.rmtree(stack.server("opensearch").folder / "node_1" / "data")
    stack.up("opensearch")
    upload(nafuda, 2 * COUNT)
    wait_for(lambda: searchable(nafuda) == 3 * COUNT and complete(nafuda) == 3 * COUNT, 180, nafuda.logs)
    checked = nafuda.cli("index", "check")
    assert checked.returncode == 0, checked.stdout
    first = nafuda.json("search", "")["hits"][0]["record"]
    assert nafuda.sql("SELECT count(*) FROM embeddings")[0][0] == 3 * COUNT
    assert nafuda.json("show", str(first))["status"] == "complete"

    log = (nafuda.folder / "logs" / "records.log").read_text()
    assert len(re.findall(r"the search index is away", log)) <= 3  # once an outage and a process' part, not once a try


def test_an_index_is_made_anew_by_command_and_searches_go_on(nafuda: Instance) -> None:
    upload(nafuda, 0)
    wait_for(lambda: searchable(nafuda) == COUNT and complete(nafuda) == COUNT, 120, nafuda.logs)
    (before,) = nafuda.json("index", "editions")
    done = nafuda.cli("index", "rebuild")
    assert done.returncode == 0, done.stderr
    assert f"{COUNT} records" in done.stdout
    assert searchable(nafuda) == COUNT
    assert nafuda.cli("index", "rollback").stdout == f"{before['name']} is searched\n"
    assert nafuda.cli("index", "drop", before["name"]).returncode == 5
    assert searchable(nafuda) == COUNT
