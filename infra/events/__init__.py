"""Raw bucket notifications in, `ObjectEvent`s out: pure parsers, a table of dialects, filters. No I/O."""
