"""Patterns as Lucene's regular expressions."""

_SPECIAL = frozenset('.?+*|{}[]()"\\#@&<>~^$-')


def pattern_of(wild: str) -> str:
    """An expression for a pattern in which `*` stands for any characters."""
    return _whole(".*".join(map(_literal, wild.split("*"))))


def beginning(start: str, after: str = "") -> str:
    """An expression for names that begin like this, or in which a word does: after `_` or an opening bracket.

    after: an expression for what stands before the name.
    """
    return _whole(f"{after}(.*[_(])?{_literal(start)}.*")


def under(prefix: str) -> str:
    """An expression for what begins like this."""
    return _whole(_literal(prefix) + ".*")


def _literal(text: str) -> str:
    return "".join("\\" + letter if letter in _SPECIAL else letter for letter in text)


def _whole(expression: str) -> str:
    """In brackets, for a bare beginning after the last name of a field breaks aggregations (OpenSearch #19636)."""
    return f"({expression})"
