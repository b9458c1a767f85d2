"""Manifests, labels and the catalogue."""
