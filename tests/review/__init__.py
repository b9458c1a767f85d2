"""Suites of the moderators' queue."""
