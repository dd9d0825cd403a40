"""Bringing a database's tables up to date."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from handoff.errors import StorageUnavailable
from storage.core.engine import engine_for_migrations
from storage.core.errors import reason

_MIGRATIONS = Path(__file__).parent.parent / "migrations"
_DIGITS = 4
"""Revisions are numbered, and their files begin with the number."""


def is_current(url: str) -> bool:
    """Tell whether a database's tables are this version's.

    Raises:
        StorageUnavailable: It cannot be looked at.
    """
    engine = engine_for_migrations(url)
    try:
        with engine.connect() as connection:
            return _revision(connection) == _revisions()[-1]
    except DBAPIError as error:
        raise StorageUnavailable(f"the database cannot be used: {reason(error)}") from error
    finally:
        engine.dispose()


def upgrade(url: str) -> bool:
    """Bring the tables of a database to this version's; ``False`` if they were already.

    Raises:
        StorageUnavailable: It cannot be opened or changed, or a newer kefu has used it.
    """
    revisions = _revisions()
    engine = engine_for_migrations(url)
    try:
        with engine.begin() as connection:
            current = _revision(connection)
            if current == revisions[-1]:
                return False
            if current is not None and current not in revisions:
                raise StorageUnavailable(
                    f"the database is of a newer kefu (revision {current}): update kefu, "
                    "or restore the backup that was made before"
                )
            _run_alembic(connection)
            return True
    except DBAPIError as error:
        raise StorageUnavailable(f"the database cannot be used: {reason(error)}") from error
    finally:
        engine.dispose()


def _revisions() -> list[str]:
    return sorted(path.stem[:_DIGITS] for path in _MIGRATIONS.glob("versions/[0-9]*.py"))


def _revision(connection: Connection) -> str | None:
    """The revision that a database is at; ``None`` for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("select version_num from alembic_version")).scalar()
    return found


def _run_alembic(connection: Connection) -> None:
    # imported where tables change: at every other start it would cost a quarter of a second
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
