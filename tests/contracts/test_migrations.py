"""The migrations make exactly the tables that the code declares, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Engine, MetaData, Table, inspect, select, text
from sqlalchemy.schema import CreateTable

from handoff.errors import StorageUnavailable
from storage.core.engine import engine_for
from storage.core.schema import upgrade
from storage.tables.base import metadata
from storage.tables.messaging import customers
from tests.factories.handoff import NOON


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


def _migrate(engine: Engine, direction: Callable[[Config, str], None], revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "storage/migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        direction(config, revision)


def _stored(engine: Engine, *names: str) -> dict[str, tuple[Any, ...]]:
    # as the database has it now, not as the code declares it
    table = Table("conversations", MetaData(), autoload_with=engine)
    with engine.connect() as connection:
        found = connection.execute(select(table.c.id, *(table.c[name] for name in names)))
        return {row[0]: tuple(row)[1:] for row in found}


def _store(engine: Engine, key: str, **values: Any) -> None:
    zero = dict.fromkeys(["version", "owner_epoch", "last_seq", "read_seq", "missed_claims"], 0)
    table = Table("conversations", MetaData(), autoload_with=engine)
    row = {
        **zero,
        "id": key,
        "customer_id": "K1",
        "channel": "web",
        "account_id": "shop",
        "peer_id": key,
        "user_id": key,
        "peer_kind": "user",
        "segment_id": "S1",
        "opened_at": _NOON,
        "queued_at": _NOON,
        "locale": "zh",
        "memory": {},
        **values,
    }
    with engine.begin() as connection:
        connection.execute(table.insert(), row)


_NOON = datetime(2026, 11, 23, 4)  # noqa: DTZ001 - as databases keep it
_OLD = {
    "held": (
        {"wanted": "退款", "desk": {"unanswered_since": "2026-11-23T04:00:00+00:00"}},
        2,
    ),
    "waits": ({"desk": {"told_position": 3, "told_wait_min": 9}}, 1),
    "plain": ({"wanted": "退款"}, 1),
    "bot": (None, 0),
}


def test_what_was_told_moves_from_the_summary_to_columns_and_back(
    engine: Engine,
) -> None:
    _migrate(engine, command.downgrade, "0005")
    with engine.begin() as connection:
        connection.execute(customers.insert(), {"id": "K1", "name": "访客", "created_at": NOON})
    for key, (summary, notices_sent) in _OLD.items():
        state = {"held": "agent", "bot": "bot"}.get(key, "waiting")
        assignee = "A1" if state == "agent" else None
        row = {"state": state, "assignee": assignee, "summary": summary}
        _store(engine, key, notices_sent=notices_sent, **row)
    _migrate(engine, command.upgrade, "0006")
    assert _stored(
        engine,
        "summary",
        "notices_sent",
        "nudges_sent",
        "told_position",
        "told_wait_min",
        "unanswered_since",
    ) == {
        "held": ({"wanted": "退款"}, 0, 2, None, None, _NOON),
        "waits": (None, 1, 0, 3, 9, None),
        "plain": ({"wanted": "退款"}, 1, 0, None, None, None),
        "bot": (None, 0, 0, None, None, None),
    }
    _migrate(engine, command.downgrade, "0005")
    assert _stored(engine, "summary", "notices_sent") == _OLD
    _migrate(engine, command.upgrade, "head")
