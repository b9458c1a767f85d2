"""Where raw notifications arrive: a module for each kind of queue, kept as `schemas.ports.EventSource`; no parsing."""
