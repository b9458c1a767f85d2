"""Small ONNX graphs, true in shape to the models that we adapt to, with random or telling weights."""

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper, parser

HEADER = '<ir_version: 9, opset_import: ["": 17]>\n'


def save(text: str, path: Path, weights: dict[str, np.ndarray] | None = None, **metadata: str) -> Path:
    """Parse a graph's text, give it weights and metadata, check it and write it."""
    model = parser.parse_model(HEADER + text)
    for name, value in (weights or {}).items():
        model.graph.initializer.append(numpy_helper.from_array(value, name))
    helper.set_model_props(model, metadata)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def wd_tagger(path: Path, tags: int, *, size: int = 16, batch: str = "N", end: str = "Sigmoid") -> Path:
    """WD v3 in shape: float32 NHWC BGR 0..255 → probabilities. batch "1": as convnext-v2. end: last operator."""
    random = np.random.default_rng(7)
    weights = {
        "w": random.normal(0, 0.002, (48, tags)).astype(np.float32),
        "b": random.normal(0, 0.5, tags).astype(np.float32),
    }
    text = f"""
    tagger (float[{batch}, {size}, {size}, 3] input) => (float[{batch}, {tags}] output) {{
        planes = Transpose <perm = [0, 3, 1, 2]> (input)
        small = AveragePool <kernel_shape = [{size // 4}, {size // 4}], strides = [{size // 4}, {size // 4}]> (planes)
        flat = Flatten (small)
        logits = Gemm (flat, w, b)
        output = {end} (logits)
    }}"""
    return save(text, path, weights)


def mirror(path: Path, *, size: int = 8) -> Path:
    """Gives back the numbers that it was fed, float32 NHWC → (N, size * size * 3)."""
    count = size * size * 3
    text = f"""
    mirror (float[N, {size}, {size}, 3] input) => (float[N, {count}] output) {{
        output = Flatten (input)
    }}"""
    return save(text, path)


def fussy_tagger(path: Path, *, size: int = 4) -> Path:
    """Two labels from the top left pixel of uint8 NHWC: its red / 255, and 1 / its green, infinite for green 0."""
    text = f"""
    fussy (uint8[N, {size}, {size}, 3] image) => (float[N, 2] scores) {{
        numbers = Cast <to = 1> (image)
        corner = Slice (numbers, zero, one, axes)
        pixel = Flatten (corner)
        red = Slice (pixel, zero1, one1, axis1)
        green = Slice (pixel, one1, two1, axis1)
        share = Div (red, full)
        inverse = Reciprocal (green)
        scores = Concat <axis = 1> (share, inverse)
    }}"""
    weights = {
        "zero": np.array([0, 0]),
        "one": np.array([1, 1]),
        "axes": np.array([1, 2]),
        "zero1": np.array([0]),
        "one1": np.array([1]),
        "two1": np.array([2]),
        "axis1": np.array([1]),
        "full": np.array(255, np.float32),
    }
    return save(text, path, weights)


def hanging_tagger(path: Path, *, size: int = 16) -> Path:
    """One label of uint8 NHWC, which it never gives for a batch with a white picture in it: its loop has no end."""
    text = f"""
    hanging (uint8[N, {size}, {size}, 3] image) => (float[N, 1] scores) {{
        numbers = Cast <to = 1> (image)
        means = ReduceMean <axes = [1, 2, 3], keepdims = 0> (numbers)
        brightest = ReduceMax <axes = [0], keepdims = 0> (means)
        white = Greater (brightest, limit)
        turned = Loop <body = turn (int64 turns, bool go, float x) => (bool again, float y) {{
            again = Identity (white)
            y = Identity (x)
        }}> (most, yes, half)
        each = Unsqueeze (means, axes)
        nothing = Mul (each, zero)
        scores = Add (nothing, turned)
    }}"""
    weights = {
        "limit": np.array(254, np.float32),
        "most": np.array(np.iinfo(np.int64).max),
        "yes": np.array(True),
        "half": np.array(0.5, np.float32),
        "axes": np.array([1]),
        "zero": np.array(0, np.float32),
    }
    return save(text, path, weights)


def table_detector(path: Path, table: np.ndarray, *, size: int = 64, layout: str = "NCHW", **metadata: str) -> Path:
    """Gives the same table (a, b) for every image, in whatever head's layout: (N, a, b)."""
    rows, columns = table.shape
    shape = f"N, 3, {size}, {size}" if layout == "NCHW" else f"N, {size}, {size}, 3"
    text = f"""
    table (float[{shape}] images) => (float[N, {rows}, {columns}] output0) {{
        mean = ReduceMean <axes = [1, 2, 3], keepdims = 0> (images)
        nothing = Mul (mean, zero)
        each = Unsqueeze (nothing, axes)
        output0 = Add (each, table)
    }}"""
    weights = {
        "zero": np.array(0, np.float32),
        "axes": np.array([1, 2]),
        "table": table.astype(np.float32)[None],
    }
    return save(text, path, weights, **metadata)


def red_finder(path: Path, *, size: int = 64) -> Path:
    """A detector that works: the bounding box of red pixels, in YOLOv8's layout (N, 4 + 1, 1), uint8 NHWC."""
    text = f"""
    finder (uint8[N, {size}, {size}, 3] image) => (float[N, 5, 1] output0) {{
        red8 = Gather <axis = 3> (image, zero)
        green8 = Gather <axis = 3> (image, one)
        red = Cast <to = 1> (red8)
        green = Cast <to = 1> (green8)
        redness = Sub (red, green)
        seen = Greater (redness, half)
        mask = Cast <to = 1> (seen)
        columns = ReduceMax <axes = [1], keepdims = 0> (mask)
        rows = ReduceMax <axes = [2], keepdims = 0> (mask)
        rights = Mul (columns, up)
        lefts = Mul (columns, down)
        bottoms = Mul (rows, up)
        tops = Mul (rows, down)
        x1 = ReduceMax <axes = [1], keepdims = 1> (rights)
        x0_ = ReduceMax <axes = [1], keepdims = 1> (lefts)
        y1 = ReduceMax <axes = [1], keepdims = 1> (bottoms)
        y0_ = ReduceMax <axes = [1], keepdims = 1> (tops)
        x0 = Sub (side, x0_)
        y0 = Sub (side, y0_)
        w = Sub (x1, x0)
        h = Sub (y1, y0)
        xx = Add (x0, x1)
        yy = Add (y0, y1)
        cx = Div (xx, two)
        cy = Div (yy, two)
        found = ReduceMax <axes = [1], keepdims = 1> (columns)
        score = Mul (found, sure)
        flat = Concat <axis = 1> (cx, cy, w, h, score)
        output0 = Unsqueeze (flat, last)
    }}"""
    weights = {
        "zero": np.array(0),
        "one": np.array(1),
        "half": np.array(100, np.float32),
        "up": np.arange(1, size + 1, dtype=np.float32)[None],
        "down": np.arange(size, 0, -1, dtype=np.float32)[None],
        "side": np.array(size, np.float32),
        "two": np.array(2, np.float32),
        "sure": np.array(0.9, np.float32),
        "last": np.array([2]),
    }
    return save(text, path, weights, names="{0: 'red'}")
