"""Servers that Nafuda starts for itself when none is configured."""
