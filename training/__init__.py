"""Offline work: whatever makes, measures or trains models, and never runs while an image is being served."""
