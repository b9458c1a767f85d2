"""Tests of the notification parsers."""
