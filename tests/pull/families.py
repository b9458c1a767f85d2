"""Repositories on disk, true in shape, names and types to the models that we ship manifests for; random weights."""

import json
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel

from tests.runners import graphs, manifests


def wd_tagger(folder: Path) -> Path:
    """WD v3: 448 pixels NHWC float32, sigmoid inside, selected_tags.csv."""
    folder.mkdir(parents=True)
    (folder / "selected_tags.csv").write_text(manifests.WD_CSV)
    graphs.wd_tagger(folder / "model.onnx", 5, size=448)
    return folder


def detector(folder: Path, version: str, label: str) -> Path:
    """deepghs YOLO: images NCHW 640, output0 (4 + C, boxes), names in the metadata: one box in the middle."""
    (folder / version).mkdir(parents=True)
    table = np.zeros((5, 300), np.float32)
    table[:, 0] = (320, 320, 200, 100, 0.9)
    table[:, 1] = (330, 322, 200, 100, 0.8)  # the same thing again
    graphs.table_detector(
        folder / version / "model.onnx", table, size=640, names=f"{{0: '{label}'}}", imgsz="[640, 640]"
    )
    return folder


def classifier(folder: Path, version: str, *labels: str) -> Path:
    """deepghs classifiers: input NCHW 384, output of shares that sum to 1, meta.json with the labels."""
    (folder / version).mkdir(parents=True)
    (folder / version / "meta.json").write_text(json.dumps({"labels": list(labels), "name": version}))
    text = f"""
    classifier (float[N, 3, 384, 384] input) => (float[N, {len(labels)}] output) {{
        mean = ReduceMean <axes = [2, 3], keepdims = 0> (input)
        logits = Gemm (mean, w)
        output = Softmax <axis = -1> (logits)
    }}"""
    weights = {"w": np.random.default_rng(3).normal(size=(3, len(labels))).astype(np.float32)}
    graphs.save(text, folder / version / "model.onnx", weights)
    return folder


def clip(folder: Path, width: int = 512) -> Path:
    """CLIP as two graphs: pixel_values NCHW 224 → image_embeds, input_ids → text_embeds, neither of length 1."""
    (folder / "onnx").mkdir(parents=True)
    random = np.random.default_rng(4)
    vision = f"""
    vision (float[N, 3, 224, 224] pixel_values) => (float[N, {width}] image_embeds) {{
        mean = ReduceMean <axes = [2, 3], keepdims = 0> (pixel_values)
        image_embeds = Gemm (mean, w)
    }}"""
    graphs.save(vision, folder / "onnx" / "vision_model.onnx", {"w": random.normal(size=(3, width)).astype(np.float32)})
    text = f"""
    text (int64[N, T] input_ids) => (float[N, {width}] text_embeds) {{
        rows = Mod (input_ids, ten)
        words = Gather <axis = 0> (table, rows)
        text_embeds = ReduceMean <axes = [1], keepdims = 0> (words)
    }}"""
    table = random.normal(size=(10, width)).astype(np.float32)
    graphs.save(text, folder / "onnx" / "text_model.onnx", {"table": table, "ten": np.array(10)})
    vocabulary = {"[UNK]": 0, "a": 1, "cat": 2, "dog": 3, "<|endoftext|>": 9}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder
