"""The recorded notifications: one message a file, with the key that was really asked for."""

import json
from pathlib import Path
from typing import cast

SAMPLES = Path(__file__).parent / "samples"


def recorded(name: str) -> dict[str, object]:
    """One file: `body` is the message as the broker delivered it."""
    return cast(dict[str, object], json.loads((SAMPLES / f"{name}.json").read_text("utf-8")))


def record(**changes: object) -> dict[str, object]:
    """A well-formed record as AWS writes it; `changes` replace fields of `object`, `bucket` or the record."""
    stored: dict[str, object] = {"key": "a.png", "size": 3, "eTag": "abc", "sequencer": "0055AED6"}
    bucket: dict[str, object] = {"name": "b"}
    base: dict[str, object] = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}
    for name, value in changes.items():
        target = stored if name in {"key", "size", "eTag", "versionId", "sequencer"} else base
        target = bucket if name == "name" else target
        target[name] = value
    return {**base, "s3": {"bucket": bucket, "object": stored, "configurationId": "naf"}}


def message(*records: object) -> dict[str, object]:
    """A notification of these records."""
    return {"Records": list(records)}
