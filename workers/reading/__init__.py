"""Runners that read the words in a picture."""
