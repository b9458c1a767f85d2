"""Faults on the real stack: all is broken while people upload; in the end bucket, records and index agree."""
