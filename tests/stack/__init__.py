"""The real servers on one machine without Docker: one module a server, and the tests that need them."""
