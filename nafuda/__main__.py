"""`python -m nafuda` and the `nafuda` command."""

import sys


def main() -> None:
    """Run the command line."""
    from tasks.cli import main as command_line

    sys.exit(command_line())


if __name__ == "__main__":
    main()
