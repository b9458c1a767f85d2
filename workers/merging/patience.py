"""Patience: how long the index may do without a change while more is about to be known of the image."""

from datetime import timedelta

from schemas.merging import MergeInput
from schemas.record import Record

FIRST = timedelta(seconds=1)
NEXT = timedelta(seconds=5)


def patience(known: MergeInput, record: Record) -> timedelta:
    """How long the index may wait for this record, not yet published, to be given what is still being worked on.

    Nothing waits that is whole, gone, said nothing of (a new image has waited before it was merged), or that moderation
    hides, shows or flags. So an image that comes alone is written once instead of after each group of stages, and
    nobody looks longer than `NEXT` for what is known of an image because some model takes its time.
    """
    more = any(piece.state == "pending" for piece in known.unfinished)
    if not more or not known.said or not record.places:
        return timedelta()
    if known.published is None:
        return FIRST
    judged = (known.published.visibility, known.published.flags)
    return NEXT if judged == (record.visibility, record.flags) else timedelta()
