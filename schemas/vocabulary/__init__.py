"""The vocabulary as data: its file format, and what makes one sound (no cycles, no doubled edges)."""

import tomllib
from collections.abc import Mapping

from schemas.errors import ManifestError
from schemas.rules import Vocabulary


def parse_vocabulary(text: str, name: str, version: int = 0) -> Vocabulary:
    """A vocabulary from TOML: tables `aliases`, `implications`, and lists under `exclusive`.

    ManifestError names the file and what is wrong: an alias of an alias, a cycle of implications, an edge that
    follows from others, a set that excludes fewer than two tags.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{name}: not TOML: {error}") from None
    unknown = set(document) - {"aliases", "implications", "exclusive"}
    if unknown:
        raise ManifestError(f"{name}: {sorted(unknown)} is not known; allowed: aliases, implications, exclusive")
    aliases = {str(old): str(new) for old, new in document.get("aliases", {}).items()}
    implications = {str(tag): tuple(map(str, to)) for tag, to in document.get("implications", {}).items()}
    exclusive = tuple(frozenset(map(str, group)) for group in document.get("exclusive", {}).values())
    _check_aliases(aliases, name)
    _check_implications(implications, name)
    if any(len(group) < 2 for group in exclusive):
        raise ManifestError(f"{name}: a set of exclusive tags needs at least two of them")
    return Vocabulary(version, aliases, implications, exclusive)


def implied(tag: str, implications: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Everything that a tag implies, transitively, itself left out."""
    found: set[str] = set()
    todo = list(implications.get(tag, ()))
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(implications.get(name, ()))
    return found


def _check_aliases(aliases: Mapping[str, str], name: str) -> None:
    for old, new in aliases.items():
        if new in aliases:
            raise ManifestError(f"{name}: {old} is an alias of {new}, which is an alias itself; name {aliases[new]}")


def _check_implications(implications: Mapping[str, tuple[str, ...]], name: str) -> None:
    for tag, direct in implications.items():
        if tag in implied(tag, implications):
            raise ManifestError(f"{name}: {tag} implies itself in a circle")
        for target in direct:
            others = [each for each in direct if each != target]
            if any(target in implied(other, implications) for other in others):
                raise ManifestError(f"{name}: {tag} implies {target} already through another tag; leave it out")
