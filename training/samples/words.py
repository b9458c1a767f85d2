"""The closed word lists of the sample captioner and the sample text encoder, as tokenizer files."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import islice

from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import WordLevel

from training.samples import captions, sampling
from training.samples.facts import facts
from training.samples.queries import query

PAD, BEGIN, END, UNKNOWN = range(4)
_SPECIAL = ("[PAD]", "[BEGIN]", "[END]", "[UNK]")
# So many scenes name every word there is.
_SCENES = 6_000
# Words that people use for what the drawings show, and that no template says.
_LITTLE = (
    "with",
    "the",
    "an",
    "is",
    "who",
    "has",
    "wears",
    "has",
    "picture",
    "drawing",
    "photo",
    "image",
    "of",
    "person",
)


def caption_tokenizer() -> Tokenizer:
    """Whole words and punctuation, case kept; ids decode to a sentence again."""
    tokenizer = _tokenizer(captions.caption(sampling.scene(seed)) for seed in range(_SCENES))
    tokenizer.decoder = decoders.Sequence(
        [decoders.WordPiece(prefix="##", cleanup=True), decoders.Replace(" :", ":"), decoders.Replace(" ,", ",")]
    )
    return tokenizer


def query_tokenizer(length: int) -> Tokenizer:
    """Lower-case words, padded and cut to `length`."""
    rng = random.Random(0)
    scenes = [sampling.scene(seed) for seed in range(_SCENES)]
    texts = [query(facts(scene), rng).text for scene in scenes] + [captions.caption(scene) for scene in scenes]
    tokenizer = _tokenizer((*texts, " ".join(_LITTLE)), normalizers.Lowercase())
    tokenizer.enable_padding(pad_id=PAD, pad_token=_SPECIAL[PAD], length=length)
    tokenizer.enable_truncation(length)
    return tokenizer


def _tokenizer(texts: Iterable[str], normaliser: normalizers.Normalizer | None = None) -> Tokenizer:
    cut = pre_tokenizers.Whitespace()
    words = set()
    for text in texts:
        for word, _ in cut.pre_tokenize_str(normaliser.normalize_str(text) if normaliser else text):
            words.add(word)
    names = (*_SPECIAL, *sorted(words))
    tokenizer = Tokenizer(WordLevel({name: number for number, name in enumerate(names)}, unk_token=_SPECIAL[UNKNOWN]))
    tokenizer.pre_tokenizer = cut
    if normaliser:
        tokenizer.normalizer = normaliser
    tokenizer.add_special_tokens(list(islice(_SPECIAL, 3)))
    return tokenizer
