"""SQL as data: migrations in order, and named queries with the index that each one uses."""
