"""The migrations make exactly the tables that the code declares, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Engine, inspect, text
from sqlalchemy.schema import CreateTable

from handoff.errors import StorageUnavailable
from storage.core.engine import engine_for
from storage.core.schema import upgrade
from storage.tables.base import metadata


def test_migrations_and_tables_are_equal(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrations_make_every_check_that_the_tables_declare(engine: Engine) -> None:
    # the comparison above leaves these out
    found = inspect(engine)
    for table in metadata.sorted_tables:
        wanted = str(CreateTable(table).compile(engine))  # a database with booleans needs fewer
        checks = [one for one in table.constraints if isinstance(one, CheckConstraint)]
        declared = {one.name for one in checks if f"CONSTRAINT {one.name} " in wanted}
        made = {one["name"] for one in found.get_check_constraints(table.name)}
        assert made == declared, table.name


def test_every_index_and_constraint_has_a_name() -> None:
    for table in metadata.sorted_tables:
        assert all(one.name for one in table.constraints), table.name
        assert all(one.name for one in table.indexes), table.name


def test_a_database_that_is_up_to_date_is_left_alone(url: str) -> None:
    assert upgrade(url) is False


def test_a_database_of_a_newer_kefu_is_refused_with_what_to_do(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'kefu.db'}"
    upgrade(url)
    engine = engine_for(url)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = 'from-the-future'"))
    engine.dispose()
    with pytest.raises(StorageUnavailable, match="update kefu"):
        upgrade(url)
