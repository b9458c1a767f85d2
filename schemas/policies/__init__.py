"""Policies as people write them: TOML to `Policy`, strictly, and back to what a version of rules stores."""

import re
import tomllib
from collections.abc import Iterable, Mapping

from schemas.errors import ConfigurationError, ManifestError
from schemas.rules import Action, Policy, Severity
from schemas.tables import Table

KINDS = ("tag", "label", "rating")
_WORD = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_NAME = re.compile(rf"{_WORD}(?:/{_WORD}){{0,2}}")
_QUEUE = re.compile(_WORD)


def parse_policies(text: str, name: str) -> tuple[Policy, ...]:
    """Policies from TOML, in the file's order. name: the file's, for messages.

    Raises ConfigurationError naming the file, the key and what is allowed there.
    """
    try:
        return read_policies(tomllib.loads(text), name)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{name}: not TOML: {error}") from error


def read_policies(document: Mapping[str, object], name: str) -> tuple[Policy, ...]:
    """Policies from a stored document, the inverse of `policies_document`; errors as in `parse_policies`."""
    try:
        top = Table(document, name)
        tables = top.tables("policy")
        top.end()
        found: dict[str, list[Policy]] = {}
        for table in tables:
            policies = _policies(table)
            policy = policies[0].name
            if policy in found:
                raise table.wrong("name", f"a name used once; put the subjects of {policy!r} into one [[policy]]")
            found[policy] = policies
    except ManifestError as error:  # the reader of tables is the manifests' one
        raise ConfigurationError(str(error)) from error
    return tuple(policy for policies in found.values() for policy in policies)


def policies_document(policies: Iterable[Policy]) -> dict[str, object]:
    """Plain values for JSON, in the form of the TOML; one table a policy name."""
    tables: dict[str, dict[str, object]] = {}
    scores: dict[str, dict[str, float]] = {}
    for policy in policies:
        scores.setdefault(policy.name, {})[policy.subject] = policy.at_least
        tables[policy.name] = {
            "name": policy.name,
            "queue": policy.queue,
            "severity": str(policy.severity),
            "action": str(policy.action),
            "at_least": scores[policy.name],
        }
    return {"policy": list(tables.values())}


def _policies(table: Table) -> list[Policy]:
    name = table.text("name")
    if not _NAME.fullmatch(name):
        words = "one to three words in a-z, 0-9 and '-' with '/' between them"
        raise table.wrong("name", f"{words}, such as 'violence/weapons', got {name!r}")
    queue = table.text("queue")
    if not _QUEUE.fullmatch(queue):
        raise table.wrong("queue", f"a word in a-z, 0-9 and '-', got {queue!r}")
    severity = Severity(table.text("severity", allowed=list(Severity)))
    action = Action(table.text("action", allowed=list(Action)))
    scores = table.table("at_least")
    table.end()
    subjects = scores.names()
    if not subjects:
        raise table.wrong("at_least", 'a table with at least one subject, such as "tag:sword" = 0.5')
    return [
        Policy(name, _subject(scores, subject), _score(scores, subject), severity, action, queue)
        for subject in subjects
    ]


def _subject(scores: Table, subject: str) -> str:
    kind, _, label = subject.partition(":")
    if kind not in KINDS or not label.strip() or label != label.strip():
        kinds = ", ".join(f"'{each}:NAME'" for each in KINDS)
        raise scores.wrong(subject, f"a subject out of {kinds} as the key")
    if kind != "label" and label != label.lower().replace(" ", "_"):
        raise scores.wrong(
            subject, f"a tag in lower case with '_' for spaces, as the models write it: '{kind}:tag_name'"
        )
    return subject


def _score(scores: Table, subject: str) -> float:
    value = scores.share(subject)
    if value == 0:
        raise scores.wrong(subject, "a score above 0: every image has at least 0")
    return value
