"""Writes a migration from what the tables say and the newest revision does not; review it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config

from storage.core.engine import engine_for


def main(message: str) -> None:
    """Write ``storage/migrations/versions/NNNN_message.py``."""
    folder = Path("storage/migrations")
    number = f"{len(list((folder / 'versions').glob('[0-9]*.py'))) + 1:04}"
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    with tempfile.TemporaryDirectory() as data:
        engine = engine_for(f"sqlite:///{data}/empty.db")
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            command.revision(config, message, autogenerate=True, rev_id=number)
        engine.dispose()


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "change")
