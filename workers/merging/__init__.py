"""Merging: from everything that is known about an image to one record. Pure functions, no I/O."""

from workers.merging.documents import document_of
from workers.merging.merge import merge

__all__ = ["document_of", "merge"]
