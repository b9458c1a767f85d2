"""Ingest: from a hint about an object to an image with facts, a thumbnail, and work planned for it."""
