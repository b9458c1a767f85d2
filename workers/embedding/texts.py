"""The text half of a dual encoder: queries and captions as vectors of the pictures' space."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from schemas.errors import ManifestError
from schemas.results import Floats
from workers.embedding.embedder import unit
from workers.onnx.session import Session
from workers.text import read_tokenizer


class TextEncoder:
    """Texts to `(N, D) float32` of length 1. length: tokens of each text, 0 where the tokenizer's file says it.

    A graph is fed those of `input_ids` and `attention_mask` (N, T) int64 that it names.
    """

    def __init__(
        self, session: Session, tokenizer: Path, model: str, output: str, length: int = 0, pad_id: int = 0
    ) -> None:
        self._session, self._output = session, output
        self._tokenizer = read_tokenizer(tokenizer, model)
        if length:
            self._tokenizer.enable_truncation(length)
            self._tokenizer.enable_padding(length=length, pad_id=pad_id)
        self._wants = {each.name for each in session.inputs}
        unknown = sorted(self._wants - {"input_ids", "attention_mask"})
        if unknown or output not in [each.name for each in session.outputs]:
            raise ManifestError(
                f"{model}: its text graph takes {sorted(self._wants)} and gives "
                f"{[each.name for each in session.outputs]}; expected input_ids, attention_mask and {output}"
            )
        try:
            self.width = self(["a", "a red hat"]).shape[1]
        except ValueError as error:  # rows of several lengths
            raise ManifestError(f"{model}: texts get several lengths; set output.length and output.pad_id") from error

    def knows_nothing_of(self, text: str) -> bool:
        """True when no token of a text is in the vocabulary; never of a tokenizer that takes everything apart."""
        whole = self._tokenizer.encode(text)
        return bool(whole.tokens) and {"[UNK]"}.issuperset(
            token for token, special in zip(whole.tokens, whole.special_tokens_mask, strict=True)
            if not special or token == "[UNK]"
        )  # fmt: skip

    def __call__(self, texts: Sequence[str]) -> Floats:
        """One vector a text, in the same order."""
        found = self._tokenizer.encode_batch(list(texts))
        feeds = {
            "input_ids": np.array([each.ids for each in found], np.int64),
            "attention_mask": np.array([each.attention_mask for each in found], np.int64),
        }
        raw = self._session.run({name: value for name, value in feeds.items() if name in self._wants})[self._output]
        return unit(np.asarray(raw, np.float32))
