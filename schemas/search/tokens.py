"""How text becomes comparable: the one tokeniser for keys, captions and queries, and the folding of names."""

import re
import unicodedata
from functools import lru_cache

MAX_WORD = 64

# Scripts written without spaces: CJK ideographs, kana (their prolonged sound mark too) and their extensions.
_UNSPACED = "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_RUNS = re.compile(f"[{_UNSPACED}]+|[^\\W_{_UNSPACED}]+")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_SPACES = re.compile(r"\s+")


def words(text: str) -> tuple[str, ...]:
    """The distinct words of a text in order of appearance: NFKC, lower case, letters and digits only.

    Everything else separates, underscores too. Runs of Chinese and Japanese give each character and each pair
    of neighbours, so that one character is found and two find their neighbourhood. Words end after 64
    characters. Applied to its own words, the function gives the same words again.
    """
    found: dict[str, None] = {}
    for run in _runs(text):
        if _IS_UNSPACED.match(run):
            found.update(dict.fromkeys(run))
            found.update(dict.fromkeys(run[i : i + 2] for i in range(len(run) - 1)))
        else:
            found[run] = None
    return tuple(found)


def plain(text: str) -> str:
    """A text as `words` sees it, for people to read: single spaces between its runs. Has the same words."""
    return " ".join(_runs(text))


def _runs(text: str) -> list[str]:
    runs = _RUNS.findall(_settle(text, "NFKC"))
    return [run if _IS_UNSPACED.match(run) else run[:MAX_WORD] for run in runs]


@lru_cache(maxsize=1 << 16)
def fold(name: str) -> str:
    """A name (of a tag, label, flag …) as it is stored and compared: NFC, lower case, `_` for spaces."""
    return _SPACES.sub("_", _settle(name, "NFC").strip()).replace("\0", "")


def _settle(text: str, form: str) -> str:
    """Lower case in a normal form. Lower-casing can undo a normal form: it is done until nothing changes."""
    if text.isascii():
        return text.lower()
    for _ in range(4):
        again = unicodedata.normalize(form, text.lower())  # type: ignore[arg-type]
        if again == text:
            break
        text = again
    return text
