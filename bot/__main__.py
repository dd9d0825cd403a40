"""``python -m bot`` is ``kefu``."""

import sys


def start() -> None:
    """Run the command, which Ctrl-C ends at any moment: while it is still being loaded as well."""
    try:
        from bot.cli.main import main  # noqa: PLC0415 - it takes a second, in which Ctrl-C may come

        main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    start()
