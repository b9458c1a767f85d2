"""The vocabulary as data: its file format, and what makes one sound (no cycles, no doubled edges)."""

import tomllib
from collections.abc import Mapping

from schemas.errors import ManifestError
from schemas.rules import Vocabulary


def parse_vocabulary(text: str, name: str, version: int = 0) -> Vocabulary:
    """A vocabulary from TOML: tables `aliases`, `implications`, and lists under `exclusive`.

    ManifestError names the file and what is wrong: an alias of an alias or in use, a cycle of implications, an edge
    that follows from others, a set that excludes fewer than two tags or tags that imply each other.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{name}: not TOML: {error}") from None
    unknown = set(document) - {"aliases", "implications", "exclusive"}
    if unknown:
        raise ManifestError(f"{name}: {sorted(unknown)} is not known; allowed: aliases, implications, exclusive")
    aliases = {old: _text(new, f"{name}: aliases.{old}") for old, new in _table(document, "aliases", name).items()}
    implications = _lists(document, "implications", name)
    exclusive = tuple(frozenset(group) for group in _lists(document, "exclusive", name).values())
    _check_aliases(aliases, name)
    _check_canonical(aliases, {tag for group in exclusive for tag in group}, name)
    _check_canonical(aliases, {tag for cause, to in implications.items() for tag in (cause, *to)}, name)
    _check_implications(implications, name)
    _check_exclusive(exclusive, implications, name)
    return Vocabulary(version, aliases, implications, exclusive)


def _table(document: Mapping[str, object], key: str, name: str) -> Mapping[str, object]:
    table = document.get(key, {})
    if not isinstance(table, dict):
        raise ManifestError(f"{name}: {key} must be a table: write [{key}] above its lines")
    return table


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise ManifestError(f"{where}: expected text, got {value!r}; put the tag in quotes")
    return value


def _lists(document: Mapping[str, object], key: str, name: str) -> dict[str, tuple[str, ...]]:
    lists = {}
    for tag, value in _table(document, key, name).items():
        if not isinstance(value, list):
            raise ManifestError(f'{name}: {key}.{tag}: expected a list of tags, got {value!r}; write ["a", "b"]')
        lists[tag] = tuple(_text(each, f"{name}: {key}.{tag}") for each in value)
    return lists


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


def _check_canonical(aliases: Mapping[str, str], tags: set[str], name: str) -> None:
    for tag in sorted(tags & aliases.keys()):
        raise ManifestError(f"{name}: {tag} is an alias of {aliases[tag]} and never holds itself; name {aliases[tag]}")


def _check_exclusive(
    exclusive: tuple[frozenset[str], ...], implications: Mapping[str, tuple[str, ...]], name: str
) -> None:
    for group in exclusive:
        if len(group) < 2:
            raise ManifestError(f"{name}: a set of exclusive tags needs at least two of them")
        for tag in sorted(group):
            for other in sorted(group & implied(tag, implications)):
                raise ManifestError(f"{name}: {tag} implies {other}, so they cannot exclude each other")
