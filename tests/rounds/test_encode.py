"""The role `encode`: a real server on a port of its own, asked as the pages ask it (R65)."""

import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from infra.encoder import LONGEST, RemoteEncoder
from infra.models.catalogue import manifest_text, open_catalogue
from infra.settings import Settings
from schemas.errors import QueryError, TransientError
from tasks.encode import EncoderServer, open_server
from tasks.services import Services


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EncoderServer]:
    server = open_server(Services(Settings(data=tmp_path, encoder_port=0), ("encode",)))
    assert server is not None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def address(server: EncoderServer) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


def test_a_text_comes_back_as_a_vector_of_the_pictures_space(server: EncoderServer) -> None:
    encoder = RemoteEncoder(address(server))
    found, again = encoder.encode("girl with a red hat"), encoder.encode("  girl with a   red hat ")
    assert found.model == "nafuda/sample-encoder" and len(found.revision) == 64
    assert found.vector.shape == (256,) and np.linalg.norm(found.vector) == pytest.approx(1, abs=1e-5)
    assert again is found  # remembered


def test_a_manifest_says_from_which_cosine_a_picture_is_a_hit(server: EncoderServer, tmp_path: Path) -> None:
    """R65: applied when somebody asks, so the revision stays the same; 0 where it says nothing."""
    first = RemoteEncoder(address(server)).encode("a red hat")
    assert first.floor == open_catalogue().manifest("nafuda/sample-encoder").thresholds.text < 0
    assert open_catalogue().manifest("Xenova/clip-vit-base-patch32").thresholds.text == 0
    folder = tmp_path / "models"
    folder.mkdir()
    text = manifest_text("nafuda/sample-encoder")
    raised = re.sub(r"(?m)^text = -.*", "text = 0.25", text)
    (folder / "encoder.toml").write_text(raised)
    settings = Settings(data=tmp_path, encoder_port=0, models_dir=folder)
    other = open_server(Services(settings, ("encode",)))
    assert other is not None
    with other:
        told = json.loads(other.told("a red hat"))
    assert (told["floor"], told["revision"]) == (0.25, first.revision)


def test_a_real_encoder_is_asked_before_a_sample_that_was_kept(tmp_path: Path) -> None:
    """R10: `models use --keep` leaves the sample in front of it."""
    folder = tmp_path / "models"
    folder.mkdir()
    text = manifest_text("nafuda/sample-encoder").replace("sample = true", "sample = false")
    (folder / "real.toml").write_text(text.replace('id = "nafuda/sample-encoder"', 'id = "mine/encoder"'))
    models = ("nafuda/sample-encoder", "mine/encoder")
    settings = Settings(data=tmp_path, encoder_port=0, models_dir=folder, models=models)
    server = open_server(Services(settings, ("encode",)))
    assert server is not None
    with server:
        assert json.loads(server.told("a red hat"))["model"] == "mine/encoder"


def test_many_ask_at_once(server: EncoderServer) -> None:
    answers: list[float] = []

    def ask(number: int) -> None:
        vector = RemoteEncoder(address(server)).encode(f"{'red' if number % 2 else 'blue'} hat").vector
        answers.append(round(float(vector[0]), 6))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8 and len(set(answers)) == 2


def test_a_worker_of_the_version_before_says_no_floor_and_cuts_nothing(
    server: EncoderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = json.loads(server.told("a red hat"))
    del told["floor"]
    monkeypatch.setattr(server, "told", lambda text: json.dumps(told).encode())
    assert RemoteEncoder(address(server)).encode("a red hat").floor == -1


@pytest.mark.parametrize("text", ["", "   ", "x" * (LONGEST + 1)])
def test_a_text_that_says_nothing_or_too_much_is_refused_before_it_is_sent(text: str) -> None:
    with pytest.raises(QueryError, match="characters"):
        RemoteEncoder("http://127.0.0.1:1").encode(text)


def test_an_encoder_that_is_away_is_waited_for_by_nobody() -> None:
    with pytest.raises(TransientError, match="role `encode`"):
        RemoteEncoder("http://127.0.0.1:1").encode("a hat")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("/encode", b"{}", 400), ("/encode", b"no json", 400), ("/encode", b'{"text": 5}', 400),
     ("/elsewhere", b'{"text": "a"}', 404), ("/encode", b"x" * 20_000, 413)],
)  # fmt: skip
def test_what_is_no_question_gets_an_error(server: EncoderServer, path: str, body: bytes, status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(address(server) + path, body), timeout=5)
    assert caught.value.code == status
    caught.value.close()


def test_without_an_encoder_in_force_there_is_no_server(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, encoder_port=0, models=("nafuda/sample-tagger",))
    assert open_server(Services(settings, ("encode",))) is None


def test_words_that_the_model_does_not_know_say_nothing(server: EncoderServer) -> None:
    encoder = RemoteEncoder(address(server))
    with pytest.raises(QueryError, match="knows none of these words"):
        encoder.encode("zebra submarine")
    assert encoder.encode("zebra with a red hat").vector.shape == (256,)  # one that it knows is enough


def test_an_encoder_that_is_away_is_not_waited_for_by_everybody() -> None:
    encoder = RemoteEncoder("http://127.0.0.1:1")
    with pytest.raises(TransientError, match="does not answer"):
        encoder.encode("red hat")
    with pytest.raises(TransientError, match="did not answer a moment ago"):
        encoder.encode("blue hat")
