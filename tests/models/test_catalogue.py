"""The catalogue: manifests of the package and of a folder; files that are there and are the right ones."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.models.__main__ import digests
from infra.models.catalogue import Catalogue, open_catalogue
from infra.models.files import Digests, digest
from schemas.errors import ConfigurationError, ManifestError, NotFoundError
from schemas.models import revision

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # SHA-256 of b"abc", FIPS 180-2 B.1

TEXT = f"""
id = "me/mine"
title = "Mine"
stage = "tagging"
runner = "tagger"
licence = "MIT"
[source]
kind = "hub"
repo = "someone/thing"
revision = "{"1" * 40}"
[source.files]
"model.onnx" = "{ABC}"
[input]
name = "image"
layout = "NHWC"
dtype = "uint8"
[[image_steps]]
op = "stretch"
[output]
name = "scores"
decode = "probabilities"
[labels]
source = "graph"
[thresholds]
default = 0.5
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.toml").write_text(TEXT)
    (tmp_path / "me" / "mine").mkdir(parents=True)
    (tmp_path / "me" / "mine" / "model.onnx").write_bytes(b"abc")
    return tmp_path


def test_a_folders_models_stand_beside_the_packaged_ones(folder: Path) -> None:
    ids = [manifest.id for manifest in open_catalogue(folder)]
    assert ids == sorted(ids)
    assert {"me/mine", "nafuda/sample-tagger", "nafuda/sample-detector"} <= set(ids)


def test_a_model_whose_files_are_right_is_installed(folder: Path) -> None:
    found = open_catalogue(folder).install("me/mine")
    assert found.paths == {"model.onnx": folder / "me" / "mine" / "model.onnx"}
    assert found.revision == revision(found.manifest, {"model.onnx": ABC})


def test_a_missing_file_is_named_with_where_to_get_it(folder: Path) -> None:
    place = folder / "me" / "mine" / "model.onnx"
    place.unlink()
    with pytest.raises(ConfigurationError) as caught:
        open_catalogue(folder).install("me/mine")
    assert caught.value.code == "model-missing"
    url = f"https://huggingface.co/someone/thing/resolve/{'1' * 40}/model.onnx"
    told = (
        f"model me/mine: file 'model.onnx' is missing; run `nafuda models pull me/mine`, or download {url} into {place}"
    )
    assert told == str(caught.value)


def test_another_file_under_the_same_name_is_refused(folder: Path) -> None:
    (folder / "me" / "mine" / "model.onnx").write_bytes(b"abd")
    with pytest.raises(ConfigurationError, match=f"the manifest says {ABC}") as caught:
        open_catalogue(folder).install("me/mine")
    assert caught.value.code == "model-changed"


def test_the_list_says_of_each_model_whether_it_is_there(folder: Path) -> None:
    lines = {line.id: line for line in open_catalogue(folder).listing()}
    assert lines["me/mine"].installed
    assert len(lines["me/mine"].revision) == 64
    assert lines["nafuda/sample-tagger"].sample
    (folder / "me" / "mine" / "model.onnx").unlink()
    gone = {line.id: line for line in open_catalogue(folder).listing()}["me/mine"]
    assert (gone.installed, gone.revision) == (False, "")
    assert "is missing" in gone.missing


def test_a_model_of_the_hubs_cache_is_found_there(folder: Path, tmp_path: Path) -> None:
    snapshot = tmp_path / "hub" / "models--someone--thing" / "snapshots" / ("1" * 40)
    snapshot.mkdir(parents=True)
    (folder / "me" / "mine" / "model.onnx").rename(snapshot / "model.onnx")
    found = open_catalogue(folder, hub_cache=tmp_path / "hub").install("me/mine")
    assert found.paths["model.onnx"] == snapshot / "model.onnx"


def test_a_local_manifest_replaces_the_packaged_one_of_its_id(folder: Path) -> None:
    (folder / "own.toml").write_text(TEXT.replace("me/mine", "nafuda/sample-tagger"))
    assert open_catalogue(folder).manifest("nafuda/sample-tagger").title == "Mine"


def test_two_manifests_of_one_id_in_a_folder_are_refused(folder: Path) -> None:
    (folder / "twin.toml").write_text(TEXT)
    with pytest.raises(ConfigurationError, match="a second manifest with the id 'me/mine'"):
        open_catalogue(folder)


def test_a_broken_manifest_is_named(folder: Path) -> None:
    (folder / "broken.toml").write_text("id = 3")
    with pytest.raises(ManifestError, match=r"broken\.toml: `id`"):
        open_catalogue(folder)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="NAFUDA_MODELS_DIR"):
        open_catalogue(tmp_path / "nowhere")


def test_an_unknown_model_is_answered_with_the_known_ones() -> None:
    with pytest.raises(NotFoundError, match="no model 'x/y' in the catalogue; known: none"):
        Catalogue({}).manifest("x/y")


def test_a_digest_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    path, known = tmp_path / "file", Digests()
    path.write_bytes(b"abc")
    assert known.of(path) == ABC
    path.write_bytes(b"xyz")
    os.utime(path, ns=(1, 1))
    assert known.of(path) == digest(path) != ABC


def test_the_command_prints_the_files_table_of_a_manifest(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "model.onnx").write_bytes(b"abc")
    printed = CliRunner().invoke(digests, [str(tmp_path)]).output
    assert printed == f'[source.files]\n"a/model.onnx" = "{ABC}"\n'


def test_the_command_writes_digests_into_a_manifest(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "model.onnx").write_bytes(b"abc")
    manifest = tmp_path / "mine.toml"
    manifest.write_text(TEXT.replace(ABC, "0" * 64))
    result = CliRunner().invoke(digests, [str(tmp_path / "files"), "--manifest", str(manifest)])
    assert (result.exit_code, result.output) == (0, "")
    assert manifest.read_text() == TEXT


BORROWED = """
id = "me/score"
title = "Score"
stage = "judging"
runner = "vector_scorer"
licence = "MIT"
[source]
kind = "model"
model = "me/mine"
graph = "model.onnx"
files = ["model.onnx"]
[input]
name = "embedding"
layout = "none"
dtype = "float32"
[output]
name = "score"
decode = "figure"
embedding = "me/mine"
[labels]
source = "none"
category = "aesthetic"
[thresholds]
default = 0.5
"""


def test_a_model_may_take_files_of_another_and_follows_them(folder: Path) -> None:
    (folder / "score.toml").write_text(BORROWED)
    found, owner = open_catalogue(folder).install("me/score"), open_catalogue(folder).install("me/mine")
    assert found.paths == {"model.onnx": owner.paths["model.onnx"]}
    assert found.manifest.source.files == {"model.onnx": ABC} and found.revision not in ("", owner.revision)
    (folder / "me" / "mine" / "model.onnx").unlink()
    with pytest.raises(ConfigurationError, match=r"model me/mine: file 'model.onnx' is missing"):
        open_catalogue(folder).install("me/score")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("model.onnx", "other.onnx", r"me/mine has no file 'other.onnx'; it has \['model.onnx'\]"),
        ('model = "me/mine"', 'model = "me/score"', "me/score has no files of its own"),
        ('files = ["model.onnx"]', 'files = ["x"]', "`source.files`: expected an entry for the graph, 'model.onnx'"),
        ('files = ["model.onnx"]', "files = [1]", "`source.files`: expected a list of texts"),
    ],
)
def test_files_that_the_other_model_has_not_are_refused(folder: Path, old: str, new: str, message: str) -> None:
    (folder / "score.toml").write_text(BORROWED.replace(old, new))
    with pytest.raises(ManifestError, match=message):
        open_catalogue(folder).install("me/score")
