"""How work is done: pure functions and small machines that know only schemas, never a service."""
