"""Words to ids and back, by a `tokenizer.json` that came with a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import ManifestError

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def read_tokenizer(path: Path, model: str) -> Tokenizer:
    """The tokenizer of a file. ManifestError names the model when the file is none."""
    from tokenizers import Tokenizer as Reader

    try:
        return Reader.from_file(str(path))
    except Exception as error:
        raise ManifestError(f"{model}: {path.name} is no tokenizer.json: {error}") from error


def token(tokenizer: Tokenizer, name: str, model: str) -> int:
    """The id of a special token. ManifestError when there is none of that name."""
    found = tokenizer.token_to_id(name)
    if found is None:
        raise ManifestError(f"{model}: its tokenizer has no token {name!r}")
    return int(found)
