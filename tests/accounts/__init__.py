"""Suites of accounts: passwords, sessions, links, limits."""
