"""From a query's text to its tree. Every complaint says at which column and what would be right."""

import re
from dataclasses import dataclass, field
from difflib import get_close_matches

from schemas.errors import QueryError
from schemas.search.fields import ALIASES, FIELDS
from schemas.search.query import MAX_DEPTH, MAX_LENGTH, MAX_TERMS, Leaf, Node, Order, both, either, every, negate
from schemas.search.terms import Part, TermError, read_bare, read_term, read_text
from schemas.search.text import Query

_UNWRITABLE = re.compile("[\\x00-\\x08\\x0e-\\x1b\\x7f\\ud800-\\udfff]")


def parse(text: str) -> Query:
    """Read a query. QueryError names the column, counted from 1, and the remedy."""
    if len(text) > MAX_LENGTH:
        raise QueryError(f"the query has {len(text)} characters, at most {MAX_LENGTH} are read: shorten it")
    strange = _UNWRITABLE.search(text)
    if strange is not None:
        raise QueryError(f"column {strange.start() + 1}: this character cannot be written or seen: remove it")
    return _Parser(text).query()


@dataclass(slots=True)
class _Level:
    """One group while it is read: finished alternatives, the current AND, and what `~` collects."""

    alternatives: list[Node] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    optional: list[Node] = field(default_factory=list)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.terms = 0
        self.order: Order | None = None

    def query(self) -> Query:
        node = self._group(0)
        nodes = every((node,)) if node is not None else ()
        return Query(nodes, self.order or Order.NEWEST)

    def _group(self, opened: int) -> Node | None:
        level = _Level()
        while not self._ended():
            start = self.at
            if self._keyword("or"):
                level.alternatives.append(self._conjunction(level, start, "`or` needs a term before it"))
                if self._ended():
                    raise self._error(start, "`or` needs a term after it")
            elif not self._keyword("and"):
                self._item(level)
        if self.depth and self.at >= len(self.text):
            raise self._error(opened, "this ( is never closed, write ) after the group")
        if not (level.nodes or level.optional or level.alternatives):
            return None
        level.alternatives.append(self._conjunction(level, self.at, "`or` needs a term after it"))
        return either(level.alternatives)

    def _conjunction(self, level: _Level, start: int, missing: str) -> Node:
        nodes = [*level.nodes, either(level.optional)] if level.optional else level.nodes
        if not nodes:
            raise self._error(start, missing)
        level.nodes, level.optional = [], []
        return both(nodes)

    def _item(self, level: _Level) -> None:
        start, negative, optional = self.at, False, False
        while self.at < len(self.text) and self.text[self.at] in "-~":
            negative ^= self.text[self.at] == "-"
            optional |= self.text[self.at] == "~"
            self.at += 1
        if self.text[self.at : self.at + 1] == ")":
            raise self._error(self.at, 'this ) closes no group; in a tag\'s name write tag:"name" with quotes')
        if self._ended(skip=False):
            raise self._error(start, f"a term is missing after {self.text[start : self.at]}")
        node = self._parenthesis() if self.text[self.at] == "(" else self._term(start)
        if node is not None:
            (level.optional if optional else level.nodes).append(negate(node) if negative else node)

    def _parenthesis(self) -> Node:
        opened = self.at
        self.at += 1
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self._error(opened, f"groups lie deeper than {MAX_DEPTH}: unfold some")
        node = self._group(opened)
        if node is None:
            raise self._error(opened, "this group is empty, write a term in it or remove it")
        self.at += 1
        self.depth -= 1
        return node

    def _term(self, start: int) -> Leaf | None:
        begun = self.at
        name = self._field()
        parts = self._parts()
        if name == "order":
            self._set_order(begun, start, parts)
            return None
        try:
            if name:
                leaf: Leaf = read_term(name, parts)
            elif parts[0].quoted:
                leaf = read_text(parts)
            else:
                leaf = read_bare(self.text[begun : self.at])
        except TermError as error:
            raise self._error(begun, str(error)) from None
        self.terms += max(1, len(getattr(leaf, "values", getattr(leaf, "spans", ()))))
        if self.terms > MAX_TERMS:
            raise self._error(begun, f"more than {MAX_TERMS} terms: leave some out")
        return leaf

    def _field(self) -> str:
        end = self.at
        while end < len(self.text) and self.text[end].isascii() and self.text[end].isalnum():
            end += 1
        name = self.text[self.at : end].lower()
        if self.text[end : end + 1] != ":" or name not in FIELDS:
            return ""
        self.at = end + 1
        return ALIASES.get(name, name)

    def _set_order(self, begun: int, start: int, parts: list[Part]) -> None:
        name = parts[0].text.lower()
        if start != begun or self.depth:
            raise self._error(start, "order: holds for the whole query, write it once and outside of groups")
        if len(parts) > 1 or name not in tuple(Order):
            near = get_close_matches(name, tuple(Order), 1)
            hint = f"did you mean order:{near[0]}?" if near else f"write one of {', '.join(Order)}"
            raise self._error(begun, f"there is no order {name!r}, {hint}")
        if self.order is not None and self.order != name:
            raise self._error(begun, f"the order is already {self.order}: write one only")
        self.order = Order(name)

    def _parts(self) -> list[Part]:
        """What follows a field: parts between commas, quoted or up to a space or the group's end."""
        parts = [self._part()]
        while self.at < len(self.text) and self.text[self.at] == ",":
            self.at += 1
            parts.append(self._part())
        return parts

    def _part(self) -> Part:
        return self._quoted() if self.text[self.at : self.at + 1] == '"' else self._plain()

    def _quoted(self) -> Part:
        opened = self.at
        letters: list[str] = []
        self.at += 1
        while self.at < len(self.text) and self.text[self.at] != '"':
            self.at += self.text[self.at] == "\\"
            letters.append(self.text[self.at : self.at + 1])
            self.at += 1
        if self.at >= len(self.text):
            raise self._error(opened, 'this " is never closed')
        self.at += 1
        return Part("".join(letters), True)

    def _plain(self) -> Part:
        begun, inner = self.at, 0
        while self.at < len(self.text) and self.text[self.at] != "," and not self.text[self.at].isspace():
            if self.text[self.at] == "(":
                inner += 1
            elif self.text[self.at] == ")":
                if not inner:
                    break
                inner -= 1
            self.at += 1
        return Part(self.text[begun : self.at], False)

    def _keyword(self, word: str) -> bool:
        end = self.at + len(word)
        if self.text[self.at : end].lower() != word or not (self.text[end : end + 1] or " ").isspace():
            return False
        self.at = end
        return True

    def _ended(self, skip: bool = True) -> bool:
        """At the end of the text or of the group; skips spaces before."""
        while skip and self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return (
            self.at >= len(self.text)
            or (self.depth > 0 and self.text[self.at] == ")")
            or (not skip and self.text[self.at].isspace())
        )

    def _error(self, at: int, message: str) -> QueryError:
        return QueryError(f"column {at + 1}: {message}")
