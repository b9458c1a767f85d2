"""The batcher."""
