"""Runners that give figures: of pictures, and of what other stages found."""
