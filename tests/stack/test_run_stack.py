"""`make run-stack` as a person uses it: a file that is put is in OpenSearch and on the page (R1, R64, R71)."""

import hashlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.e2e.instance import wait_for
from tests.e2e.test_run import sign_in
from tests.stack.minio import MinIO
from tests.stack.own import OwnStack, own_stack
from tests.stack.places import read_place
from tests.stack.putting import how_to_put
from training.samples import draw

HERE = Path(__file__).parents[2]
KEY = "写真/from a shell.png"


class RunStack:
    """`make run-stack` on servers of its own, with few samples."""

    def __init__(self, stack: OwnStack, output: Path) -> None:
        self.stack, self.output = stack, output
        # An outer make's variables would be this one's, too.
        outer = ("MAKE", "MFLAGS", "NAFUDA_DATA", "AWS_")
        self.environment = {name: value for name, value in stack.environment.items() if not name.startswith(outer)}
        with output.open("wb") as said:
            command = ["make", "run-stack", "PORT=0", "SAMPLES=4"]
            self.process = subprocess.Popen(
                command, cwd=HERE, env=self.environment, stdout=said, stderr=said, start_new_session=True
            )

    def said(self) -> str:
        """Everything that it printed."""
        return self.output.read_text(errors="replace")

    def found(self, pattern: str) -> str:
        """The first group of what it printed, waited for."""
        wait_for(lambda: self._ended() or bool(re.search(pattern, self.said())), 200, self.said)
        found = re.search(pattern, self.said())
        assert found, self.said()
        return found[1]

    def _ended(self) -> bool:
        return self.process.poll() is not None

    def interrupt(self) -> None:
        """Ctrl-C: a terminal tells the whole group."""
        if not self._ended():
            os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(60)

    def put(self, file: Path, key: str) -> None:
        """Run the commands that it printed in a shell of our own."""
        command = self.found(r"\n  (\S+python -c .*)\n").replace("FILE", '"$0"').replace("KEY", '"$1"')
        self.shell(command, str(file), key)

    def shell(self, command: str, *arguments: str) -> str:
        """What a command prints in a shell of our own that has the keys, as it is told how to get them."""
        script = "\n".join(["set -e", self.found(r"\n  (eval .*)\n"), command])
        plain = {name: value for name, value in self.environment.items() if not name.startswith("NAFUDA_")}
        run = ["bash", "-c", script, *arguments]
        return subprocess.run(
            run, cwd=HERE, env=plain, check=True, timeout=120, stdout=subprocess.PIPE, text=True
        ).stdout


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunStack]:
    """It runs, and is interrupted in the end."""
    with own_stack(tmp_path / "stack") as stack:
        running = RunStack(stack, tmp_path / "said")
        yield running
        running.interrupt()


def documents(stack: OwnStack, sha256: str) -> list[dict[str, Any]]:
    """What OpenSearch itself holds of a content."""
    asked = {"query": {"term": {"sha256": sha256}}}
    place = f"http://127.0.0.1:{stack.server('opensearch').port}/nafuda/_search"
    answer = httpx2.post(place, json=asked, timeout=30).raise_for_status().json()
    return [hit["_source"] for hit in answer["hits"]["hits"]]


@pytest.mark.stack
def test_a_file_that_the_printed_commands_put_is_a_document_and_on_the_page_until_a_command_erases_it(
    running: RunStack, tmp_path: Path
) -> None:
    link = running.found(r"sign in once with (\S+)")
    picture = tmp_path / "picture.png"
    draw(9_200_000).image.save(picture)
    sha256 = hashlib.sha256(picture.read_bytes()).hexdigest()
    running.put(picture, KEY)
    wait_for(lambda: bool(documents(running.stack, sha256)), 90, running.said)
    (document,) = documents(running.stack, sha256)
    with httpx2.Client(base_url=link.partition("/sign-in")[0], follow_redirects=True, timeout=30) as browser:
        assert sign_in(browser, link).status_code == 200
        page = browser.get("/", params={"q": f"{document['tag'][0]} sha:{sha256[:16]}"})
        assert f"/images/{document['record']}" in page.text
        assert "from a shell.png" in browser.get(f"/images/{document['record']}").text
    nafuda = f".venv/bin/nafuda --data '{running.stack.place.folder}/nafuda'"
    assert "FAIL" not in running.shell(f"{nafuda} doctor")
    assert f"erased images/{KEY}" in running.shell(f"{nafuda} erase --yes {sha256}")
    assert documents(running.stack, sha256) == []
    running.interrupt()
    assert "stopped; everything is kept in" in running.said()
    assert running.stack.place.password not in running.said()


def test_how_to_put_names_the_bucket_and_where_the_keys_are_and_no_key(tmp_path: Path) -> None:  # R76
    given = {"NAFUDA_STACK_DIR": str(tmp_path / "a stack"), "NAFUDA_STACK_PORT": "9216"}
    place = read_place(given)
    told = how_to_put("images", {**given, "NAFUDA_TEST_S3_URL": MinIO(place).url})
    assert f"the bucket images at {MinIO(place).url}" in told
    assert f"NAFUDA_STACK_DIR='{tmp_path}/a stack' NAFUDA_STACK_PORT=9216 " in told
    assert place.password not in told


def test_a_store_that_was_given_has_the_keys_that_it_was_given_with(tmp_path: Path) -> None:
    told = how_to_put("images", {"NAFUDA_STACK_DIR": str(tmp_path), "NAFUDA_TEST_S3_URL": "http://store:9000"})
    assert "with the variables of this one" in told and "tests.stack env" not in told


@pytest.mark.parametrize("page", ["README.md", "docs/stack.md"])
def test_the_pages_say_the_commands_that_are_printed(
    tmp_path: Path, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = how_to_put("images", {"NAFUDA_TEST_S3_URL": MinIO(read_place({})).url})
    commands = [line.strip() for line in told.splitlines() if line.startswith("  ")]
    assert len(commands) == 3
    assert all(command in (HERE / page).read_text() for command in commands)
