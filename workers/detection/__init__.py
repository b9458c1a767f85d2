"""Runners that give an image scored labels with boxes."""
