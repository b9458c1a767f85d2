"""Bringing images of many callers together into batches for one device."""
