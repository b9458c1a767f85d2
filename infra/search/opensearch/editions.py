"""Editions of the index: one is read, each that is current is written, and an alias says which is which.

An index `NAME-STAMP` carries the alias `NAME` while it is read, and `NAME-STAMP.write` while it is written. Writers
send to the latter and ask for an alias: an index that was lost is missed at once, and not made anew without a mapping.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infra.search.opensearch.client import GONE, Client, errors
from infra.search.opensearch.mapping import VECTOR, mapping, settings, shape, vectors
from schemas.errors import ConfigurationError, ConflictError, NotFoundError, PermanentError, TransientError

_WRITE = ".write"
_STAMP = r"-(0|\d{14}-[0-9a-f]{4})"
_ASKED = f"*.aliases,*.mappings._meta,*.mappings.properties.{VECTOR}*,*.settings.index.uuid,*.settings.index.knn"


@dataclass(frozen=True, slots=True)
class Edition:
    """An index by its name. read: searches go there; written: documents go there; filled: it was given everything.

    shape: of its mapping; see `shape()`. spaces: widths of the vectors that it can hold, by model; vectors: it can.
    """

    name: str
    read: bool
    written: bool
    filled: bool
    shape: str
    spaces: Mapping[int, int]
    vectors: bool

    @property
    def target(self) -> str:
        """Where its documents are sent."""
        return self.name + _WRITE


@dataclass(frozen=True, slots=True)
class Editions:
    """All editions under one alias."""

    client: Client
    name: str
    shards: int = 1
    replicas: int = 0

    def all(self) -> list[Edition]:
        """Oldest first. Indexes of another Nafuda whose name begins alike are none of ours."""
        with errors(f"editions of {self.name}"):
            found = self.client.indices.get(index=f"{self.name}-*", params={"filter_path": _ASKED})
        ours = re.compile(re.escape(self.name) + _STAMP)
        return [_edition(name, self.name, about) for name, about in sorted(found.items()) if ours.fullmatch(name)]

    def read(self) -> Edition | None:
        """The edition that is searched."""
        return next((edition for edition in self.all() if edition.read), None)

    def written(self) -> list[Edition]:
        """Where documents are to be sent."""
        return [edition for edition in self.all() if edition.written]

    def ensure(self) -> Edition:
        """The edition that is read, made when there is none. Fields that an older Nafuda had not are added."""
        editions = self.all()
        for edition in editions:
            if edition.written and edition.shape != shape():
                self._note(edition.name, filled=edition.filled)
        return next((edition for edition in editions if edition.read), None) or self._first()

    def begin(self) -> Edition:
        """A new edition that is written from now on, but not read yet. It holds the vectors that the read one does."""
        read = self.read()
        spaces = read.spaces if read else {}
        name = f"{self.name}-{datetime.now(UTC):%Y%m%d%H%M%S}-{secrets.token_hex(2)}"
        return self._make(name, spaces, read=False)

    def open_space(self, space: int, width: int) -> bool:
        """Make room for a model's vectors in every written edition; False where the server has no k-NN."""
        editions = self.written()
        for edition in editions:
            if edition.vectors and space not in edition.spaces:
                with errors(f"edition {edition.name}"):
                    body = {"properties": vectors({space: width})}
                    self.client.indices.put_mapping(index=edition.name, body=body)
        return all(edition.vectors for edition in editions)

    def filled(self, name: str) -> None:
        """Note that an edition was given every document there was."""
        self._note(name, filled=True)

    def read_from(self, name: str) -> None:
        """Send searches to an edition, in one step: no search falls between.

        NotFoundError when there is none, ConflictError when it is written no more.
        """
        editions = self.all()
        if name not in {edition.name for edition in editions}:
            raise NotFoundError(f"there is no edition {name}; `nafuda index editions` lists them")
        moves: list[dict[str, object]] = [
            {"remove": {"index": edition.name, "alias": self.name}} for edition in editions if edition.read
        ]
        actions = [*_still(name, name + _WRITE), *moves, {"add": {"index": name, "alias": self.name}}]
        if not self._alias(name, actions):
            raise ConflictError(f"{name} is not kept up, so it is not searched; `nafuda index rebuild` makes another")

    def give_up(self, name: str, searched: str) -> bool:
        """Write to an edition no more, if that one is still searched; False when searches moved, or another was first.

        One step with the look at who is searched: an edition that is searched is always written.
        """
        left = {"remove": {"index": name, "alias": name + _WRITE, "must_exist": True}}
        return self._alias(name, [*_still(searched, self.name), left])

    def _alias(self, name: str, actions: Sequence[Mapping[str, object]]) -> bool:
        """Change aliases, all or none; False when one that must exist does not."""
        try:
            with errors(f"edition {name}"):
                self.client.indices.update_aliases(body={"actions": actions})
        except TransientError as error:
            if error.code != GONE:
                raise
            return False
        return True

    def leave(self, name: str) -> None:
        """Write to an edition no more."""
        with errors(f"edition {name}"):
            self.client.indices.delete_alias(index=name, name=name + _WRITE)

    def drop(self, names: Sequence[str]) -> None:
        """Remove editions for good. ConflictError for the one that is read."""
        for edition in self.all():
            if edition.name in names and edition.read:
                raise ConflictError(f"{edition.name} is searched: rebuild or roll back first, then drop it")
        for name in names:
            with errors(f"edition {name}"):
                self.client.indices.delete(index=name, ignore_unavailable=True)

    def _note(self, name: str, *, filled: bool) -> None:
        """Write down what we know of an edition, and the fields that it lacks. A field cannot change its type."""
        try:
            with errors(f"edition {name}"):
                self.client.indices.put_mapping(index=name, body={**mapping(), "_meta": _meta(filled=filled)})
        except PermanentError as error:
            raise ConfigurationError(f"{error}; say `nafuda index rebuild`") from error

    def _first(self) -> Edition:
        """The same name for everybody, so that of two processes that find nothing one makes it."""
        name = f"{self.name}-0"
        try:
            return self._make(name, {}, read=True)
        except PermanentError:
            found = next((edition for edition in self.all() if edition.name == name), None)
            if found is None:
                raise
            if found.read:
                return found
            remedy = f"say `nafuda index rollback {name}` to search it, or remove it"
            raise ConflictError(f"{name} is there but nothing is searched: {remedy}") from None

    def _make(self, name: str, spaces: Mapping[int, int], *, read: bool) -> Edition:
        try:
            return self._create(name, spaces, read=read, knn=True)
        except PermanentError as error:
            if "index.knn" not in str(error):
                raise
            return self._create(name, {}, read=read, knn=False)

    def _create(self, name: str, spaces: Mapping[int, int], *, read: bool, knn: bool) -> Edition:
        shaped = mapping()
        mappings = {**shaped, "properties": {**shaped["properties"], **vectors(spaces)}, "_meta": _meta(filled=False)}
        aliases: dict[str, object] = {name + _WRITE: {}, **({self.name: {}} if read else {})}
        body = {"settings": settings(self.shards, self.replicas, knn=knn), "mappings": mappings, "aliases": aliases}
        with errors(f"edition {name}"):
            self.client.indices.create(index=name, body=body)
        return Edition(name, read=read, written=True, filled=False, shape=shape(), spaces=spaces, vectors=knn)


def _still(index: str, alias: str) -> list[Mapping[str, object]]:
    """Actions that change nothing, and fail when the index has the alias no more."""
    return [
        {"remove": {"index": index, "alias": alias, "must_exist": True}},
        {"add": {"index": index, "alias": alias}},
    ]


def _edition(name: str, alias: str, about: Mapping[str, Any]) -> Edition:
    aliases = about.get("aliases", {})
    noted = about.get("mappings", {}).get("_meta", {})
    return Edition(
        name,
        read=alias in aliases,
        written=name + _WRITE in aliases,
        filled=noted.get("filled", False),
        shape=noted.get("shape", ""),
        spaces={
            int(field.removeprefix(VECTOR)): int(told["dimension"])
            for field, told in about.get("mappings", {}).get("properties", {}).items()
        },
        vectors=about["settings"]["index"].get("knn") == "true",
    )


def _meta(*, filled: bool) -> Mapping[str, object]:
    return {"filled": filled, "shape": shape()}
