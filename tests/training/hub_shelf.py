"""Local graphs where dghs-imgutils looks for those of the hub, whose answers depend on the picture; random weights."""

from pathlib import Path
from typing import Any

import numpy as np
from huggingface_hub.errors import EntryNotFoundError

from tests.pull import families
from tests.runners import graphs

TAGS = ["1girl", "sword", 'don\'t_say_"lazy"', *(f"tag_{n}" for n in range(30))]
RATINGS = ["general", "sensitive", "questionable", "explicit"]
WITH_EMBEDDINGS = "deepghs/wd14_tagger_with_embeddings"


def wd_tagger(folder: Path) -> Path:
    """WD v3 as imgutils wants it, with an embedding beside the probabilities; every sixth tag is a character."""
    folder.mkdir(parents=True)
    rows = [f"{9999999 - n},{name},9,10" for n, name in enumerate(RATINGS)]
    quoted = [tag.replace('"', '""') for tag in TAGS]
    rows += [f'{n},"{tag}",{4 if n % 6 == 2 else 0},7' for n, tag in enumerate(quoted)]
    (folder / "selected_tags.csv").write_text("\n".join(["tag_id,name,category,count", *rows]) + "\n", encoding="utf-8")
    text = f"""
    tagger (float[N, 448, 448, 3] input) => (float[N, {len(rows)}] output, float[N, 588] embedding) {{
        planes = Transpose <perm = [0, 3, 1, 2]> (input)
        small = AveragePool <kernel_shape = [32, 32], strides = [32, 32]> (planes)
        embedding = Flatten (small)
        logits = Gemm (embedding, w, b)
        output = Sigmoid (logits)
    }}"""
    random = np.random.default_rng(7)
    weights = {
        "w": random.normal(0, 0.0007, (588, len(rows))).astype(np.float32),
        "b": random.normal(0, 1, len(rows)).astype(np.float32),
    }
    graphs.save(text, folder / "model.onnx", weights)
    return folder


def detector(folder: Path, version: str, *labels: str, cells: int = 8) -> Path:
    """deepghs YOLO: two boxes for each of cells × cells places, whose place, extent, score and label the colours there
    decide. The two overlap by .4 to 1, and no others.

    Their middles lie within the picture: of a box outside, imgutils leaves a line on the edge, and we nothing.
    """
    (folder / version).mkdir(parents=True)
    step, rows, places = 640 // cells, 4 + len(labels), cells * cells
    text = f"""
    detector (float[N, 3, 640, 640] images) => (float[N, {rows}, {2 * places}] output0) {{
        small = AveragePool <kernel_shape = [{step}, {step}], strides = [{step}, {step}]> (images)
        raw = Conv (small, w, b)
        parted = Reshape (raw, parts)
        turned = Transpose <perm = [0, 2, 1, 3]> (parted)
        flat = Reshape (turned, shape)
        soft = Sigmoid (flat)
        grown = Mul (soft, gain)
        output0 = Add (grown, base)
    }}"""
    w = np.random.default_rng(11).normal(0, 6, (2 * rows, 3, 1, 1))
    gain, base = np.ones((1, rows, 1)), np.zeros((1, rows, 2 * places))
    gain[0, :4, 0] = (12, 12, 16, 16)
    y, x = np.mgrid[:cells, :cells].reshape(2, -1) * step + step / 2 - 6
    base[0, 0], base[0, 1], base[0, 2:4] = np.tile(x, 2), np.tile(y, 2), 40
    weights = {
        "w": w.astype(np.float32), "b": (-w.sum((1, 2, 3)) / 2).astype(np.float32), "gain": gain.astype(np.float32),
        "base": base.astype(np.float32), "parts": np.array([0, 2, rows, places]),
        "shape": np.array([0, rows, 2 * places]),
    }  # fmt: skip
    names = str(dict(enumerate(labels)))
    graphs.save(text, folder / version / "model.onnx", weights, names=names, imgsz="[640, 640]")
    return folder


def fill(root: Path) -> Path:
    """Every model that is compared, as OWNER/NAME folders."""
    for name in ("swinv2", "vit", "convnext", "eva02-large"):
        wd_tagger(root / "SmilingWolf" / f"wd-{name}-tagger-v3")
    for name, version in (("face", "v1.4_s"), ("head", "v2.0_s"), ("person", "v1.1_m")):
        detector(root / "deepghs" / f"anime_{name}_detection", f"{name}_detect_{version}", name)
    families.classifier(root / "deepghs" / "anime_rating", "mobilenetv3_v1_pruned_ls0.1", "safe", "r15", "r18")
    families.classifier(root / "deepghs" / "anime_ai_check", "mobilenetv3_sce_dist", "ai", "human")
    return root


class Shelf:
    """Stands where imgutils calls `hf_hub_download`: a folder is the hub."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, repo_id: str, filename: str, **_: Any) -> str:
        path = self.root / ("" if repo_id == WITH_EMBEDDINGS else repo_id) / filename
        if not path.is_file():
            raise EntryNotFoundError(f"{repo_id} has no {filename}")
        return str(path)
