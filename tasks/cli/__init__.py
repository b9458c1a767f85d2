"""The command line: one module a subject, thin calls into the other floors, exit codes that mean something."""

from tasks.cli.main import main

__all__ = ["main"]
