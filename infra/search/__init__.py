"""Adapters of the search index port."""
