"""Runners that give pictures and texts vectors of one space."""
