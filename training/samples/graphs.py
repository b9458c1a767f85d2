"""The other sample models as they are shipped: graphs from pixels or words on, with tokenizers and labels."""

# Checked with and without torch, which is an extra.
# mypy: allow-subclassing-any, no-warn-unused-ignores, no-warn-return-any
from __future__ import annotations

import copy
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from training.samples.export import PICTURE, RATING_IDS, folded, write
from training.samples.judge import Brisque, BrisqueFeatures, Judge
from training.samples.look import CELLS, Look
from training.samples.preprocess import CROP, SIDE
from training.samples.sentences import LAYERS, LONGEST, WIDTH, Teller
from training.samples.twins import TEXT_LENGTH, WIDE, Twins
from training.samples.vocabulary import CATEGORY_RATING, RATINGS

CLOSE = {"image": torch.zeros(2, CROP, CROP, 3, dtype=torch.uint8)}


class _See(nn.Module):
    def __init__(self, look: Look, teller: Teller) -> None:
        super().__init__()
        self.look, self.neck, self.cross = look, teller.neck, teller.cross

    def forward(self, image: Tensor) -> Tensor:
        cells = self.cross(self.neck(self.look(image)))
        return cells.unflatten(-1, (2 * LAYERS, WIDTH)).transpose(1, 2)


class _Step(nn.Module):
    def __init__(self, teller: Teller) -> None:
        super().__init__()
        self.teller = copy.deepcopy(teller)
        del self.teller.neck, self.teller.cross

    def forward(self, input_ids: Tensor, position: Tensor, cross: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        return self.teller.step(input_ids, position, cross, past)


def captioner(look: Look, teller: Teller, tokenizer: Tokenizer, folder: Path) -> None:
    """Write `encoder.onnx` (pixels to keys and values), `decoder.onnx` (one word more) and `tokenizer.json`."""
    teller = folded(teller)
    metadata = {"imgsz": str(SIDE), "max_length": str(LONGEST)}
    write(_See(look, teller), folder / "encoder.onnx", PICTURE, ["cross"], metadata)
    parts = (2 * LAYERS, CELLS * CELLS, WIDTH)
    examples = {
        "input_ids": torch.zeros(2, dtype=torch.int64),
        "position": torch.full((1,), 3, dtype=torch.int64),
        "cross": torch.zeros(2, *parts),
        "past": torch.zeros(2, 2 * LAYERS, 3, WIDTH),
    }
    _labels(folder, "caption")
    write(_Step(teller), folder / "decoder.onnx", examples, ["logits", "present"], metadata, {"past": {2: "T"}})
    tokenizer.save(str(folder / "tokenizer.json"))


class _Picture(nn.Module):
    def __init__(self, look: Look, twins: Twins) -> None:
        super().__init__()
        self.look, self.twins = look, copy.deepcopy(twins)
        del self.twins.words, self.twins.places, self.twins.layers, self.twins.text

    def forward(self, image: Tensor) -> Tensor:
        return self.twins.of_maps(self.look(image))


class _Text(nn.Module):
    def __init__(self, twins: Twins) -> None:
        super().__init__()
        self.twins = copy.deepcopy(twins)
        del self.twins.neck, self.twins.keys, self.twins.picture, self.twins.asks

    def forward(self, input_ids: Tensor) -> Tensor:
        return self.twins.of_texts(input_ids)


def encoder(look: Look, twins: Twins, tokenizer: Tokenizer, folder: Path) -> None:
    """Write `image.onnx`, `text.onnx` and `tokenizer.json`; both graphs give vectors of length 1."""
    twins = folded(twins)
    write(_Picture(look, twins), folder / "image.onnx", PICTURE, ["embedding"], {"imgsz": str(SIDE)})
    ids = {"input_ids": torch.ones(2, TEXT_LENGTH, dtype=torch.int64)}
    _labels(folder, "sample-encoder")
    (folder / "clip_score.json").write_text('["clip_score"]\n', encoding="utf-8")
    write(_Text(twins), folder / "text.onnx", ids, ["embedding"], {})
    tokenizer.save(str(folder / "tokenizer.json"))


class RatingHead(nn.Module):
    """Logits of the four ratings of frozen maps."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2 * channels, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, len(RATINGS))
        )

    def forward(self, maps: Tensor) -> Tensor:
        """`(N, C, H, W)` to `(N, 4)`."""
        return self.layers(torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], 1))


class _Rating(nn.Module):
    def __init__(self, look: Look, head: RatingHead) -> None:
        super().__init__()
        self.look, self.head = look, head

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.look(image)).softmax(-1)


def rating(look: Look, head: RatingHead, folder: Path) -> None:
    """Write `model.onnx` and `selected_tags.csv` with the four ratings."""
    write(_Rating(look, head), folder / "model.onnx", PICTURE, ["scores"], {"imgsz": str(SIDE)})
    rows = [f"{RATING_IDS[name]},{name},{CATEGORY_RATING},0" for name in RATINGS]
    (folder / "selected_tags.csv").write_text("\n".join(["tag_id,name,category,count", *rows]) + "\n", encoding="utf-8")


class _Quality(nn.Module):
    def __init__(self, judge: Judge) -> None:
        super().__init__()
        self.judge = judge

    def forward(self, image: Tensor) -> Tensor:
        return self.judge(image).softmax(-1)


def quality(judge: Judge, folder: Path) -> None:
    """Write `model.onnx` (ten bins) and the names of the figures made of them."""
    write(_Quality(folded(judge)), folder / "model.onnx", CLOSE, ["bins"], {"imgsz": str(CROP)})
    _labels(folder, "nima_technical", "nima_technical_deviation")


class _Brisque(nn.Module):
    def __init__(self, regressor: Brisque) -> None:
        super().__init__()
        self.features, self.regressor = BrisqueFeatures(), regressor

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(image)
        return self.regressor(features).clamp(0, 100)[:, None], features


def brisque(regressor: Brisque, folder: Path) -> None:
    """Write `model.onnx`: a score, and the 36 features behind it."""
    write(_Brisque(regressor), folder / "model.onnx", CLOSE, ["score", "features"], {"imgsz": str(CROP)}, half=False)
    _labels(folder, "brisque")


def aesthetic(head: nn.Module, folder: Path) -> None:
    """Write `model.onnx`: a stored vector to a score."""
    write(head, folder / "model.onnx", {"embedding": torch.zeros(2, WIDE)}, ["score"], {})
    _labels(folder, "aesthetic")


def _labels(folder: Path, *names: str) -> None:
    (folder / "labels.json").write_text(json.dumps(names) + "\n", encoding="utf-8")
