"""Models from a hub: one commit, checked files, resumed downloads, folders for machines without internet (R8, R10)."""

import hashlib
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from infra.models.catalogue import manifest_text, open_catalogue
from schemas.errors import ConfigurationError
from schemas.model_text import parse
from schemas.models import UNPINNED
from schemas.results import ModelOutput
from tasks.cli.main import main
from tests.pull import families
from tests.pull.hub import COMMIT, Shelf, serving
from workers.batching.batch import Batch, Runner
from workers.embedding.embedder import Embedder
from workers.runners import Opening, load_model, load_text_encoder
from workers.scoring.answers import ClipScore
from workers.steps.program import run_program

WD = "SmilingWolf/wd-vit-tagger-v3"


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with serving(Shelf({WD: families.wd_tagger(tmp_path / "repo" / "wd")})) as shelf:
        yield shelf


@pytest.fixture
def data(tmp_path: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of a command line that knows only this hub."""
    folder = tmp_path / "data"
    monkeypatch.setenv("NAFUDA_DATA", str(folder))
    monkeypatch.setenv("NAFUDA_HUB_URL", shelf.url)
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    return folder


def opening(data: Path, name: str) -> Opening:
    installed = open_catalogue(data / "models").install(name)
    return Opening(installed.manifest, installed.paths, ["cpu"])


def ask(runner: Runner, picture: Image.Image) -> ModelOutput:
    pixels, geometry = run_program(picture, runner.program)
    (answer,) = runner.forward(Batch(pixels[None].copy(), (geometry,)))
    assert isinstance(answer, ModelOutput), answer
    return answer


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(5).integers(0, 256, (height, width, 3), np.uint8))


def loaded(data: Path, name: str) -> Runner:
    runner = load_model(opening(data, name))
    assert hasattr(runner, "program")
    return runner  # type: ignore[return-value]


def test_a_pulled_model_is_pinned_by_commit_and_digests(
    data: Path, shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "pull", WD]) == 0
    told = capsys.readouterr().out
    assert COMMIT in told and "apache-2.0" in told
    (path,) = (data / "models").glob("*.toml")
    manifest = parse(path.read_text(), path.name)
    assert manifest.source.revision == COMMIT and manifest.licence == "apache-2.0" and manifest.source.pinned
    for name, digest in manifest.source.files.items():
        assert hashlib.sha256((data / "models" / WD / name).read_bytes()).hexdigest() == digest
    assert not list((data / "models").rglob("*.incomplete")) and not (data / "models" / ".partial" / WD).exists()
    assert main(["models", "check", WD]) == 0
    before = len(shelf.asked)
    assert main(["models", "pull", WD]) == 0  # pinned: the same commit again
    assert all(COMMIT in path for _, path, _ in shelf.asked[before:])


def test_what_is_not_pinned_yet_cannot_run_and_says_how(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "check", WD]) == 1
    assert f"nafuda models pull {WD}" in capsys.readouterr().out
    assert main(["models", "use", WD]) == 3


@pytest.mark.parametrize("way", ["hub", "folder"])
def test_a_commit_without_digests_is_not_pinned_and_pull_fills_them_in(data: Path, shelf: Shelf, way: str) -> None:
    (data / "models" / WD).mkdir(parents=True)
    written = data / "models" / f"{WD.replace('/', '--')}.toml"
    written.write_text(manifest_text(WD).replace(UNPINNED, COMMIT, 1))
    shutil.copytree(shelf.repos[WD], data / "models" / WD, dirs_exist_ok=True)
    source = parse(written.read_text(), written.name).source
    assert source.has_commit and not source.pinned
    with pytest.raises(ConfigurationError, match=r"not pinned.*models pull"):
        open_catalogue(data / "models").install(WD)
    assert main(["models", "pull", WD, "--revision", "f" * 40]) == 3  # the commit is said already
    origin = ["--from", str(shelf.repos[WD])] if way == "folder" else []
    assert main(["models", "pull", WD, *origin]) == 0
    assert parse(written.read_text(), written.name).source.pinned
    assert main(["models", "check", WD]) == 0


def test_a_download_that_breaks_off_goes_on_where_it_was(data: Path, shelf: Shelf) -> None:
    content = np.random.default_rng(1).bytes(25 * 2**20)
    (shelf.repos[WD] / "model.onnx").write_bytes(content)
    shelf.breaks = 2
    codes = [main(["models", "pull", WD])]
    while codes[-1]:
        assert codes[-1] == 75 and len(codes) < 5
        codes.append(main(["models", "pull", WD]))
    ranges = [asked for method, path, asked in shelf.asked if method == "GET" and path.endswith("model.onnx")]
    assert any(asked and not asked.startswith("bytes=0-") for asked in ranges)
    assert (data / "models" / WD / "model.onnx").read_bytes() == content


@pytest.mark.parametrize("left", [b"", b"a half of another", bytes(2**21)], ids=["nothing", "less", "more"])
def test_a_hub_that_knows_no_ranges_sends_all_again(data: Path, shelf: Shelf, left: bytes) -> None:
    content = np.random.default_rng(1).bytes(2**20)
    (shelf.repos[WD] / "model.onnx").write_bytes(content)
    shelf.ranges, shelf.breaks = False, 1
    partial = data / "models" / ".partial" / WD / COMMIT / "model.onnx"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(left)
    assert main(["models", "pull", WD]) == 0
    assert (data / "models" / WD / "model.onnx").read_bytes() == content


def test_a_file_that_is_not_the_pinned_one_is_refused_and_nothing_changes(data: Path, shelf: Shelf) -> None:
    assert main(["models", "pull", WD]) == 0
    kept = (data / "models" / WD / "model.onnx").read_bytes()
    repo = shelf.repos[WD] / "model.onnx"
    repo.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    (data / "models" / WD / "model.onnx").unlink()
    assert main(["models", "pull", WD]) == 3
    assert not (data / "models" / WD / "model.onnx").exists()
    assert not [path for path in (data / "models" / ".partial").rglob("model.onnx") if path.is_file()]
    repo.write_bytes(kept)
    assert main(["models", "pull", WD]) == 0 and (data / "models" / WD / "model.onnx").read_bytes() == kept


@pytest.mark.parametrize("missing", ["selected_tags.csv", "model.onnx"])
def test_a_repository_that_lacks_a_file_leaves_no_manifest(data: Path, shelf: Shelf, missing: str) -> None:
    (shelf.repos[WD] / missing).unlink()
    assert main(["models", "pull", WD]) == 3
    assert list((data / "models").glob("*.toml")) == []


def test_unknown_commits_repositories_and_hubs_say_what_to_do(
    data: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "pull", WD, "--revision", "f" * 40]) == 4
    shelf.repos.clear()
    assert main(["models", "pull", WD]) == 4
    monkeypatch.setenv("NAFUDA_HUB_URL", "http://127.0.0.1:1")
    assert main(["models", "pull", WD]) == 75
    assert "--from DIR" in capsys.readouterr().err
    assert main(["models", "pull", "nobody/knows-it"]) == 4
    assert main(["models", "pull", "nafuda/sample-tagger"]) == 3


def test_a_folder_serves_a_machine_without_internet(data: Path, shelf: Shelf, tmp_path: Path) -> None:
    shelf.repos.clear()
    stick = tmp_path / "stick"
    families.wd_tagger(stick / WD)
    assert main(["models", "pull", WD, "--from", str(stick)]) == 3  # which commit?
    assert main(["models", "pull", WD, "--from", str(stick), "--revision", COMMIT]) == 0
    assert main(["models", "check", WD]) == 0
    assert shelf.asked == []
    (stick / WD / "model.onnx").write_bytes(b"another file")
    assert main(["models", "pull", WD, "--from", str(stick)]) == 3  # pinned by now: other bytes are refused
    assert main(["models", "check", WD]) == 0


@pytest.mark.parametrize(
    ("name", "version", "confidence"),
    [
        ("face", "face_detect_v1.4_s", 0.25),
        ("head", "head_detect_v2.0_s", 0.4),
        ("person", "person_detect_v1.1_m", 0.3),
    ],
)
def test_anime_detectors_stretch_and_suppress_whatever_the_class(
    data: Path, shelf: Shelf, tmp_path: Path, name: str, version: str, confidence: float
) -> None:
    model = f"deepghs/anime_{name}_detection"
    shelf.repos[model] = families.detector(tmp_path / "repo" / name, version, name)
    assert main(["models", "pull", model]) == 0
    runner = loaded(data, model)
    assert runner.labels[0].name == name and opening(data, model).manifest.thresholds.default == confidence
    found = ask(runner, noise(320, 1280))  # stretched to 640 × 640: twice as wide, half as high
    assert found.boxes is not None and len(found.boxes) == 1
    assert np.allclose(found.boxes[0], [110, 540, 210, 740], atol=1)


def test_anime_classifiers_take_what_the_documented_preprocessing_gives(
    data: Path, shelf: Shelf, tmp_path: Path
) -> None:
    """White, bilinear stretch to 384, (x / 255 - .5) / .5, planes; said independently."""
    model, version = "deepghs/anime_rating", "mobilenetv3_v1_pruned_ls0.1"
    shelf.repos[model] = families.classifier(tmp_path / "repo" / "rating", version, "safe", "r15", "r18")
    assert main(["models", "pull", model]) == 0
    picture = noise(300, 200)
    found = ask(loaded(data, model), picture)
    small = np.asarray(picture.resize((384, 384), Image.Resampling.BILINEAR), np.float32)
    planes = ((small / 255 - 0.5) / 0.5).transpose(2, 0, 1)[None]
    wanted = opening(data, model).session().run({"input": planes})["output"][0]
    assert wanted.sum() == pytest.approx(1, abs=1e-5)
    scores = np.zeros(3)
    scores[found.labels] = found.scores
    assert np.allclose(scores, np.where(wanted >= 0.05, wanted, 0), atol=1e-4)
    check, version = "deepghs/anime_ai_check", "mobilenetv3_sce_dist"
    shelf.repos[check] = families.classifier(tmp_path / "repo" / "ai", version, "ai", "human")
    assert main(["models", "pull", check]) == 0
    assert [(label.name, label.category) for label in loaded(data, check).labels] == [("ai", "meta"), ("human", "meta")]


def test_clip_crops_and_normalises_as_documented_and_its_texts_share_the_space(
    data: Path, shelf: Shelf, tmp_path: Path
) -> None:
    model = "Xenova/clip-vit-base-patch32"
    shelf.repos[model] = families.clip(tmp_path / "repo" / "clip")
    assert main(["models", "pull", model]) == 0
    runner = loaded(data, model)
    assert isinstance(runner, Embedder) and runner.width == 512
    picture = noise(448, 300)
    found = ask(runner, picture)
    small = picture.resize((224 * 448 // 300, 224), Image.Resampling.BICUBIC)
    left = round((small.width - 224) / 2)
    crop = np.asarray(small.crop((left, 0, left + 224, 224)), np.float32) / 255
    mean, spread = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
    planes = ((crop - np.array(mean)) / np.array(spread)).transpose(2, 0, 1)[None].astype(np.float32)
    wanted = opening(data, model).session().run({"pixel_values": planes})["image_embeds"][0]
    assert found.vector is not None and float(found.vector @ (wanted / np.linalg.norm(wanted))) > 0.9999
    encode = load_text_encoder(opening(data, model))
    table = opening(data, model).session("onnx/text_model.onnx")
    filled = np.full((1, 77), 49407)
    filled[0, :2] = (1, 2)  # "a cat", filled up to 77 with the end of the text
    (wanted,) = table.run({"input_ids": filled})["text_embeds"]
    assert np.allclose(encode(["a cat"])[0], wanted / np.linalg.norm(wanted), atol=1e-5)
    assert encode(["a cat", "a " * 300]).shape == (2, 512)


def test_the_pair_of_clip_and_blip_is_scored_as_published_on_clips_own_files(
    data: Path, shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """R24: 2.5 · max(cos, 0) of CLIP's vectors of the picture and of "A photo depicts " + BLIP's caption."""
    clip, blip = "Xenova/clip-vit-base-patch32", "Salesforce/blip-image-captioning-base"
    shelf.repos[clip] = families.clip(tmp_path / "repo" / "clip")
    assert main(["models", "check", "nafuda/clip-score"]) == 1
    assert f"nafuda models pull {clip}" in capsys.readouterr().out
    assert main(["models", "pull", "nafuda/clip-score"]) == 3  # it has nothing to pull
    assert main(["models", "pull", clip]) == 0 and main(["models", "check", "nafuda/clip-score"]) == 0
    judge = load_model(opening(data, "nafuda/clip-score"))
    assert isinstance(judge, ClipScore) and judge.wants == (clip, blip)
    seen = ask(loaded(data, clip), noise(300, 400))
    words = {"a": 1, "cat": 2, "dog": 3}
    graph = opening(data, clip).session("onnx/text_model.onnx")
    for caption in ("a cat", "a dog", "cat a dog dog"):
        ids = np.full((1, 77), 49407)
        told = [
            0,
            0,
            0,
            *(words[word] for word in caption.split()),
        ]  # the prompt's words are unknown to this vocabulary
        ids[0, : len(told)] = told
        (text,) = graph.run({"input_ids": ids})["text_embeds"]
        assert seen.vector is not None
        wanted = 2.5 * max(float(seen.vector @ text / np.linalg.norm(text)), 0)
        said = ModelOutput(np.zeros(1, np.int16), np.ones(1, np.float32), texts=(caption,))
        (found,) = judge.judge([{clip: seen, blip: said}])
        assert isinstance(found, ModelOutput) and found.figures is not None
        assert found.figures[0] == pytest.approx(wanted, abs=1e-4)
        assert judge.labels[found.labels[0]].name == "clip_score"


def test_wd_taggers_answer_with_the_probabilities_of_their_graph(data: Path) -> None:
    assert main(["models", "pull", WD]) == 0
    found = ask(loaded(data, WD), noise(500, 400))
    assert ((found.scores >= 0.05) & (found.scores <= 1)).all() and len(found.labels)


@pytest.mark.parametrize("path", sorted(Path("schemas/manifests/hub").glob("*.toml")), ids=lambda path: path.stem)
def test_a_manifest_for_the_hub_invents_no_commit_and_no_digest(path: Path) -> None:
    source = tomllib.loads(path.read_text())["source"]
    assert set(source["revision"]) == {"0"} and {digit for each in source["files"].values() for digit in each} == {"0"}
    assert not parse(path.read_text(), path.name).source.pinned
