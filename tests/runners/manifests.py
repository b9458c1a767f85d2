"""Manifests for the graphs of these tests, made from text as everybody else's."""

from pathlib import Path

from infra.models.files import digest
from schemas.model_text import parse
from schemas.models import Manifest

WD_CSV = (
    "tag_id,name,category,count\n9999999,general,9,10\n9999998,explicit,9,10\n"
    '1,1girl,0,5\n2,"don\'t_say_""lazy""",4,3\n3,sword,0,2\n'
)

PAD = '[[image_steps]]\nop = "pad_square"\n[[image_steps]]\nop = "resize"\nfilter = "bicubic"\n'
STRETCH = '[[image_steps]]\nop = "stretch"\nfilter = "bicubic"\n'
LETTERBOX = '[[image_steps]]\nop = "letterbox"\n'
WD_STEPS = PAD + '[[batch_steps]]\nop = "cast"\ndtype = "float32"\n[[batch_steps]]\nop = "to_bgr"\n'
PLANES = '[[batch_steps]]\nop = "scale"\nfactor = 0.00392156862745098\n[[batch_steps]]\nop = "to_nchw"\n'


def write(
    graph: Path,
    *,
    runner: str = "tagger",
    steps: str = WD_STEPS,
    take: str = 'name = "input"\nlayout = "NHWC"\ndtype = "float32"',
    give: str = 'name = "output"\ndecode = "probabilities"',
    labels: str = 'source = "graph"',
    batch: str = "max = 8",
) -> tuple[Manifest, dict[str, Path]]:
    """A manifest for a graph and every file that lies beside it, and the paths."""
    paths = {path.name: path for path in graph.parent.iterdir()}
    files = "\n".join(f'"{name}" = "{digest(path)}"' for name, path in paths.items())
    stage = {"tagger": "tagging", "detector": "detection", "scorer": "scoring"}[runner]
    text = f"""
id = "test/{graph.stem}"
title = "Test"
stage = "{stage}"
runner = "{runner}"
licence = "Apache-2.0"
[source]
kind = "package"
name = "test"
graph = "{graph.name}"
[source.files]
{files}
[input]
{take}
{steps}
[output]
{give}
[labels]
{labels}
[thresholds]
default = 0.35
[batch]
{batch}
"""
    return parse(text, f"{graph.stem}.toml"), paths
