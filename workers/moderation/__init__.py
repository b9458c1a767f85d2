"""Policies against what models said; pure, and always before a person's word or any filter."""

from workers.moderation.evaluate import evaluate, watched

__all__ = ["evaluate", "watched"]
