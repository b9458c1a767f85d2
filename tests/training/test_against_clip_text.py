"""CLIP's texts against transformers' tokenizer and text model, on random weights with the real ids (R65)."""

# Checked with and without torch, which is an extra.
# mypy: allow-subclassing-any
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tokenizers.pre_tokenizers import ByteLevel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModelWithProjection, CLIPTokenizer

from tests.pull import families
from tests.training import fed
from workers.embedding.texts import TextEncoder
from workers.onnx.session import Session
from workers.runners import load_text_encoder

pytestmark = pytest.mark.training
NAME = "Xenova/clip-vit-base-patch32"
START, END, LENGTH = 49406, 49407, 77
MERGES = [("c", "a"), ("ca", "t</w>"), ("r", "e"), ("re", "d</w>"), ("h", "a"), ("ha", "t</w>")]
TEXTS = [
    "a cat", "A RED  hat\n", "", "cat's 12 hats!?", "été, 猫 and 🐈", "<|endoftext|> cat", "cat <|startoftext|>  ",
    "a " * 74, "a " * 75, "red " * 76, "cat hat " * 300,
]  # fmt: skip


def tokenizer() -> CLIPTokenizer:
    """CLIP's own kind of vocabulary, shortened: all bytes, six merges, and the two ends at their real places."""
    letters = sorted(ByteLevel.alphabet())
    words = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in MERGES)]
    vocabulary = {word: at for at, word in enumerate(words)} | {"<|startoftext|>": START, "<|endoftext|>": END}
    return CLIPTokenizer(vocab=vocabulary, merges=MERGES)


class Pooled(nn.Module):
    """What an export keeps of the text model: ids in, vectors out, no mask, as the repository's text_model.onnx."""

    def __init__(self, model: CLIPTextModelWithProjection) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor) -> Tensor:
        return self.model(input_ids=input_ids).text_embeds


@dataclass(frozen=True)
class Pair:
    """transformers' way from texts to vectors, and the folder in which it wrote the same model as a graph."""

    theirs: CLIPTextModelWithProjection
    folder: Path

    def wanted(self, texts: list[str]) -> NDArray[np.float32]:
        """Vectors of length 1 by transformers, padded to the longest text and masked."""
        found = tokenizer()(texts, padding=True, truncation=True, max_length=LENGTH, return_tensors="pt")
        with torch.inference_mode():
            vectors = self.theirs(**found).text_embeds
        return np.asarray((vectors / vectors.norm(dim=-1, keepdim=True)).numpy())


# OpenAI's config says 2, by which transformers takes the place of the largest id; configs written later say 49407, by
# which it takes the first place of that id. 49407 is the largest, so both are the first end of the text.
@pytest.fixture(scope="module", params=[2, END])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    config = CLIPTextConfig(
        vocab_size=END + 1, hidden_size=32, intermediate_size=37, projection_dim=16, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=LENGTH, bos_token_id=START, eos_token_id=request.param,
    )  # fmt: skip
    torch.manual_seed(5)
    model = CLIPTextModelWithProjection(config).eval()
    folder = families.clip(tmp_path_factory.mktemp("clip"))
    tokenizer().save_pretrained(folder)
    torch.onnx.export(
        Pooled(model).eval(), (torch.full((2, LENGTH), END),), str(folder / "onnx" / "text_model.onnx"),
        input_names=["input_ids"], output_names=["text_embeds"], dynamo=True, external_data=False,
        dynamic_shapes=({0: torch.export.Dim("N")},), verbose=False,
    )  # fmt: skip
    return Pair(model, folder)


class Overheard:
    """A session that keeps what it was fed."""

    def __init__(self, session: Session) -> None:
        self.inputs, self.outputs, self.metadata = session.inputs, session.outputs, session.metadata
        self.providers, self._session = session.providers, session
        self.fed: Mapping[str, NDArray[Any]] = {}

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        self.fed = feeds
        return self._session.run(feeds)


def test_the_graph_is_fed_the_ids_that_transformers_gives(pair: Pair) -> None:
    found = fed.opening(NAME, pair.folder)
    params = found.manifest.output.params
    session = Overheard(found.session(str(params["text"])))
    length, pad = int(str(params["length"])), int(str(params["pad_id"]))
    encode = TextEncoder(session, found.paths["tokenizer.json"], NAME, "text_embeds", length, pad)
    encode(TEXTS)
    ids = session.fed["input_ids"]
    wanted = tokenizer()(TEXTS, padding="max_length", truncation=True, max_length=LENGTH, return_tensors="np")
    assert list(session.fed) == ["input_ids"] and np.array_equal(ids, wanted["input_ids"])
    # A text that is too long keeps its end, in the last of the 77 places.
    assert (ids[:, 0] == START).all() and (ids[:, -1] == END).all() and ids[-1, -2] != END


# 1e-5: single precision through two layers, in torch and in ONNX Runtime.
def test_texts_get_the_vectors_that_transformers_gives(pair: Pair) -> None:
    # We fill up to 77 and feed no mask, as the graph takes none; they pad to the longest and mask. A word sees only
    # what stands before it, so what follows the first end of the text changes nothing.
    encode = load_text_encoder(fed.opening(NAME, pair.folder))
    np.testing.assert_allclose(encode(TEXTS), pair.wanted(TEXTS), atol=1e-5)
    for text in TEXTS:
        np.testing.assert_allclose(encode([text]), pair.wanted([text]), atol=1e-5)
    assert np.abs(np.diff(pair.wanted(TEXTS[:5]), axis=0)).max(1).min() > 0.01  # texts differ


def test_padding_by_zeros_as_open_clip_does_gives_the_same_vectors(pair: Pair) -> None:
    found = fed.opening(NAME, pair.folder)
    session = found.session("onnx/text_model.onnx")
    zeros = TextEncoder(session, found.paths["tokenizer.json"], NAME, "text_embeds", LENGTH, 0)
    np.testing.assert_allclose(zeros(TEXTS), pair.wanted(TEXTS), atol=1e-5)
