"""What a parsed notification consists of: events, what was ignored, what was refused."""

from dataclasses import dataclass

from schemas.events import ObjectEvent


@dataclass(frozen=True, slots=True)
class Refusal:
    """One record that could not be understood, among others that could.

    `body` is a whole notification as JSON text with this record alone, so it can be kept and parsed again.
    """

    index: int
    reason: str
    body: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """A notification, understood at least in part; never all three empty.

    `ignored` has one sentence a record that says nothing about an object's bytes ("s3:TestEvent: …").
    """

    events: tuple[ObjectEvent, ...] = ()
    ignored: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
