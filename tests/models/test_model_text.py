"""Manifests: what is written down is what is meant, and everything else is refused by name."""

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from schemas.errors import ManifestError
from schemas.model_text import parse
from schemas.models import Cutoffs, Label, Manifest, SourceKind, Step, revision

SHIPPED = sorted((Path(str(files("schemas"))) / "manifests").glob("*.toml"))

TEXT = f"""
id = "deepghs/face"
title = "Faces"
stage = "detection"
runner = "detector"
licence = "MIT"

[source]
kind = "hub"
repo = "deepghs/anime_face_detection"
revision = "{"0" * 40}"
graph = "v1/model.onnx"
[source.files]
"v1/model.onnx" = "{"a" * 64}"
"v1/labels.json" = "{"b" * 64}"

[input]
name = "images"
layout = "NCHW"
dtype = "float32"
size = [640, 480]

[[image_steps]]
op = "stretch"
filter = "bicubic"
[[batch_steps]]
op = "normalise"
mean = [0.5, 0.5, 0.5]
std = [1, 1, 1]

[output]
name = "output0"
decode = "yolo"
nms = "class_agnostic"
iou = 0.6

[labels]
source = "json"
file = "v1/labels.json"
category = "face"

[thresholds]
default = 0.25
[thresholds.category]
face = 0.4

[batch]
max = 16
preferred = [4, 16]
"""


@pytest.fixture
def manifest() -> Manifest:
    return parse(TEXT, "face.toml")


def test_a_manifest_says_everything_that_running_needs(manifest: Manifest) -> None:
    assert manifest.source.kind is SourceKind.HUB
    assert manifest.source.graph == "v1/model.onnx"
    assert manifest.input.size == (640, 480)
    assert manifest.batch_steps == (Step("normalise", {"mean": (0.5, 0.5, 0.5), "std": (1, 1, 1)}),)
    assert manifest.output.params == {"head": "auto", "nms": "class_agnostic", "iou": 0.6, "max_boxes": 300}
    assert manifest.batch.preferred == (4, 16)
    assert manifest.needs.extras == ("cpu", "cuda", "tensorrt")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[input]", "[input", "face.toml: not TOML"),
        ('title = "Faces"', "", "`title`: expected a non-empty string, got nothing"),
        ('title = "Faces"', 'titel = "Faces"', "`title`"),
        (
            'licence = "MIT"',
            'licence = "MIT"\nlicense = "MIT"',
            "`license`: expected no such key; known here are .*licence",
        ),
        ('id = "deepghs/face"', 'id = "../../etc"', "`id`: expected owner/name"),
        ('stage = "detection"', 'stage = "seeing"', "`stage`: expected one of 'detection', 'tagging'"),
        ('runner = "detector"', 'runner = "yolo"', "`runner`: expected one of 'tagger', 'detector'"),
        ("0" * 40, "main", "`source.revision`: expected a commit of 40 hexadecimal digits"),
        ("a" * 64, "A" * 64, "SHA-256 of 64 lower-case"),
        ('"v1/labels.json" =', '"../labels.json" =', "a relative path inside"),
        ('"v1/labels.json" =', '"/labels.json" =', "a relative path inside"),
        ('graph = "v1/model.onnx"', "", "`source.files`: expected an entry for the graph, 'model.onnx'"),
        ('layout = "NCHW"', 'layout = "CHWN"', "`input.layout`: expected one of 'NHWC', 'NCHW'"),
        ("size = [640, 480]", "size = [640]", r"`input.size`: expected \[height, width\]"),
        ("size = [640, 480]", "size = [640, -1]", "`input.size`: expected a list of positive whole numbers"),
        ('op = "stretch"', 'kind = "stretch"', r"`image_steps\[0\].op`"),
        ('filter = "bicubic"', "filter = {}", r"`image_steps\[0\].filter`: expected true, false, a number"),
        ('decode = "yolo"', 'decode = "probabilities"', "`output.decode`: expected one of 'yolo'"),
        ("iou = 0.6", "iou = 1.6", "`output.iou`: expected a number in 0..1, got 1.6"),
        (
            "iou = 0.6",
            "iou = 0.6\nconfidence = 0.3",
            "`output.confidence`: expected no such parameter; 'yolo' takes head",
        ),
        ("iou = 0.6", "iou = 0.6\nfloor = true", "`output.floor`: expected a number in 0..1, got True"),
        ('source = "json"', 'source = "xml"', "`labels.source`: expected one of 'csv', 'json', 'graph'"),
        ('file = "v1/labels.json"', 'file = "labels.json"', "`labels.file`: expected a path listed in source.files"),
        ("face = 0.4", 'face = "high"', "`thresholds.category.face`: expected a number in 0..1, got 'high'"),
        ("default = 0.25", "default = 0.25\ntext = -1.5", "`thresholds.text`: expected a cosine in -1..1, got -1.5"),
        ("preferred = [4, 16]", "preferred = [16, 4]", "`batch.preferred`: expected ascending sizes up to max = 16"),
        ("preferred = [4, 16]", "preferred = [32]", "`batch.preferred`: expected ascending sizes up to max = 16"),
        ("max = 16", "max = 0", "`batch.max`: expected a whole number >= 1, got 0"),
    ],
)
def test_a_slip_is_refused_with_the_key_and_what_is_allowed(old: str, new: str, message: str) -> None:
    assert TEXT.count(old) == 1
    with pytest.raises(ManifestError, match=message) as caught:
        parse(TEXT.replace(old, new), "face.toml")
    assert str(caught.value).startswith("face.toml: ")


def test_a_manifest_without_image_steps_is_refused() -> None:
    text = TEXT.replace('[[image_steps]]\nop = "stretch"\nfilter = "bicubic"\n', "")
    with pytest.raises(ManifestError, match="`image_steps`: expected at least one step"):
        parse(text, "face.toml")


def with_text(old: str, new: str) -> Manifest:
    assert old in TEXT
    return parse(TEXT.replace(old, new), "face.toml")


def revised(manifest: Manifest) -> str:
    return revision(manifest, manifest.source.files)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("default = 0.25", "default = 0.3"),
        ("face = 0.4", "face = 0.5"),
        ('title = "Faces"', 'title = "Anime faces"'),
        ("max = 16", "max = 64"),
        ("0" * 40, "1" * 40),
        ("iou = 0.6", "iou = 0.6\nmax_boxes = 300"),
    ],
)
def test_what_leaves_raw_results_alone_is_no_new_revision(manifest: Manifest, old: str, new: str) -> None:
    assert revised(with_text(old, new)) == revised(manifest)  # R14: thresholds apply at merge


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a" * 64, "c" * 64),
        ("b" * 64, "c" * 64),
        ('graph = "v1/model.onnx"', 'graph = "v1/labels.json"'),
        ('filter = "bicubic"', 'filter = "bilinear"'),
        ("std = [1, 1, 1]", "std = [2, 1, 1]"),
        ("iou = 0.6", "iou = 0.7"),
        ("iou = 0.6", "iou = 0.6\nfloor = 0.1"),
        ("size = [640, 480]", "size = [640, 640]"),
    ],
)
def test_what_changes_raw_results_is_a_new_revision(manifest: Manifest, old: str, new: str) -> None:
    assert revised(with_text(old, new)) != revised(manifest)


def test_a_revision_is_sixty_four_digits_and_ignores_the_order_of_keys(manifest: Manifest) -> None:
    turned = replace(manifest.source, files=dict(reversed(list(manifest.source.files.items()))))
    assert revised(replace(manifest, source=turned)) == revised(manifest)
    assert len(revised(manifest)) == 64


def test_a_threshold_is_the_categorys_or_else_the_default() -> None:
    cutoffs = Cutoffs(0.35, {"character": 0.85})
    assert cutoffs.of(Label("miku", "character")) == 0.85
    assert cutoffs.of(Label("sword", "general")) == 0.35


def test_the_manifest_in_the_documents_can_be_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    text = page.split("```toml\n")[1].split("```")[0]
    text = text.replace('revision = "…"', f'revision = "{"0" * 40}"').replace("…", "a" * 64)
    assert parse(text, "models.md").output.decode == "yolo"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_manifest_can_be_read(path: Path) -> None:
    manifest = parse(path.read_text(encoding="utf-8"), path.name)
    assert manifest.id.split("/")[1] == path.stem


def test_manifests_are_shipped() -> None:
    assert {path.stem for path in SHIPPED} >= {"sample-tagger", "sample-detector"}
