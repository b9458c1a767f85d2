"""Sessions and runners on small graphs that are true in shape."""
