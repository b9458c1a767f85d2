"""Records to and from JSON: the one written form, in the database, in `show --json` and in the API."""

from pydantic import TypeAdapter

from schemas.record import Record

_RECORD = TypeAdapter(Record)


def record_to_json(record: Record) -> str:
    """A record as compact JSON; keys are the field names."""
    return _RECORD.dump_json(record).decode()


def record_from_json(text: str | bytes) -> Record:
    """The inverse of `record_to_json`. pydantic.ValidationError when the text is not a record."""
    return _RECORD.validate_json(text)
