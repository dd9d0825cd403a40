"""Bringing a database's tables up to date."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

from handoff.errors import StorageUnavailable
from storage.errors import reason
from storage.storage import engine_for

_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(url: str) -> bool:
    """Bring the tables of a database to this version's; ``False`` if they were already.

    Raises:
        StorageUnavailable: It cannot be opened or changed, or a newer kefu has used it.
    """
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    engine = engine_for(url)
    try:
        with engine.begin() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
            if current == scripts.get_current_head():
                return False
            known = {script.revision for script in scripts.walk_revisions()}
            if current is not None and current not in known:
                raise StorageUnavailable(
                    f"the database is of a newer kefu (revision {current}): update kefu, "
                    "or restore the backup that was made before"
                )
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            return True
    except DBAPIError as error:
        raise StorageUnavailable(f"the database cannot be used: {reason(error)}") from error
    finally:
        engine.dispose()
