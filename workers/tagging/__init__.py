"""Runners that give an image scored labels without places."""
