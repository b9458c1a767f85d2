"""The pages, seen by a client: every test speaks HTTP to an application over the real adapters."""
