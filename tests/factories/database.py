"""Databases for tests: empty, with all tables, on SQLite and on PostgreSQL.

On PostgreSQL each test process makes schemas of its own, in whatever database
``KEFU_TEST_POSTGRES_URL`` names, migrates each once, empties it after each test and drops it at the
end. What a killed run left behind is dropped by the next.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from sqlalchemy import (
    URL,
    Column,
    Connection,
    MetaData,
    String,
    Table,
    create_engine,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool
from ulid import ULID

from storage.core.schema import upgrade

Kind = Literal["sqlite", "postgres"]

SETTING = "KEFU_TEST_POSTGRES_URL"
USUAL_SERVER = "postgresql+psycopg://root@127.0.0.1:5432/test"
PREFIX = "kefu_test_"
FOR_TESTS = {"synchronous_commit": "off"}
"""What a test's database need not keep: it would not survive the machine anyway."""


class NoPostgres(Exception):
    """No PostgreSQL server answers."""

    def __str__(self) -> str:
        return f"no PostgreSQL server answers; set {SETTING}"


def with_session_settings(url: URL, **settings: str) -> URL:
    """The address with more session settings; what it asks for already stays."""
    given = url.query.get("options", ())
    parts = [given] if isinstance(given, str) else list(given)
    parts += [f"-c {name}={value}" for name, value in settings.items()]
    return url.update_query_dict({"options": " ".join(parts)})


def written(url: URL) -> str:
    """The address as text, password included."""
    return url.render_as_string(hide_password=False)


class PostgresSchemas:
    """Schemas of this process on one server.

    Raises:
        NoPostgres: It does not answer.
    """

    def __init__(self) -> None:
        server = make_url(os.environ.get(SETTING) or USUAL_SERVER)
        if "connect_timeout" not in server.query:
            server = server.update_query_dict({"connect_timeout": "2"})
        self._server = server
        self._free: list[str] = []
        self._made: list[str] = []
        self._newest: str | None = None
        engine = create_engine(
            with_session_settings(server, **FOR_TESTS),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
        )
        try:
            self._admin = engine.connect()
        except (OperationalError, ModuleNotFoundError) as error:
            raise NoPostgres from error
        self._drop_left_behind()

    def take(self) -> str:
        """The address of an empty schema that has all tables."""
        return self._free.pop() if self._free else self._new()

    def give_back(self, address: str) -> None:
        """Empty the schema for the next test."""
        schema = _schema_of(address)
        # a process that was killed may hold its locks until the server has noticed
        ended = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = :a"
        self._admin.execute(text(ended), {"a": schema})
        filled = _filled_tables(self._admin, schema)
        if filled:
            names = ", ".join(filled)
            self._admin.execute(text(f"truncate {names} restart identity cascade"))
        if self._revision(schema) == self._newest:
            self._free.append(address)
        else:
            self._drop(schema)  # a test made it an older one

    def _revision(self, schema: str) -> str | None:
        table = Table("alembic_version", MetaData(), Column("version_num", String), schema=schema)
        return self._admin.execute(select(table.c.version_num)).scalar()

    def close(self) -> None:
        """Drop them all."""
        for schema in self._made:
            self._drop(schema)
        self._admin.close()
        self._admin.engine.dispose()

    def _new(self) -> str:
        schema = f"{PREFIX}{str(ULID()).lower()}"
        # held by this process until it ends, however it ends: the sign that the schema is in use
        self._admin.execute(text("select pg_advisory_lock(hashtext(:a))"), {"a": schema})
        self._admin.execute(text(f"create schema {schema}"))
        self._made.append(schema)
        url = with_session_settings(self._server, search_path=schema, **FOR_TESTS)
        address = written(url.update_query_dict({"application_name": schema}))
        upgrade(address)
        self._newest = self._revision(schema)
        return address

    def _drop_left_behind(self) -> None:
        named = "select nspname from pg_namespace where starts_with(nspname, :a)"
        for (schema,) in self._admin.execute(text(named), {"a": PREFIX}).all():
            free = text("select pg_try_advisory_lock(hashtext(:a))")
            if self._admin.execute(free, {"a": schema}).scalar():
                self._drop(schema)
                free = text("select pg_advisory_unlock(hashtext(:a))")
                self._admin.execute(free, {"a": schema})

    def _drop(self, schema: str) -> None:
        self._admin.execute(text(f"drop schema if exists {schema} cascade"))


class Databases:
    """One database after the other, each empty and with all tables.

    Args:
        folder: Of this session; the migrated SQLite file that all others are copied from is there.
    """

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template.db"
        self._postgres: PostgresSchemas | None = None

    @contextmanager
    def one(self, kind: Kind, path: Path) -> Iterator[str]:
        """The address of a database, for as long as the block runs.

        Args:
            path: Where the file is to be, if it is one.

        Raises:
            NoPostgres: It cannot be on PostgreSQL.
        """
        if kind == "sqlite":
            yield self._copied(path)
            return
        if self._postgres is None:
            self._postgres = PostgresSchemas()
        address = self._postgres.take()
        try:
            yield address
        finally:
            self._postgres.give_back(address)

    def close(self) -> None:
        """Leave nothing behind."""
        if self._postgres is not None:
            self._postgres.close()

    def _copied(self, path: Path) -> str:
        if not self._template.exists():
            upgrade(f"sqlite:///{self._template}")
        shutil.copy(self._template, path)
        return f"sqlite:///{path}"


def assign(data: Path, url: str) -> None:
    """Say which database goes with a data folder; the folder need not exist yet."""
    _note(data).write_text(url, encoding="utf-8")


def database_of(data: Path) -> str | None:
    """The database that a test assigned to a data folder; ``None``: the file in the folder."""
    with suppress(FileNotFoundError):
        return _note(data).read_text(encoding="utf-8")
    return None


def address_of(data: Path) -> str:
    """The address of the database that goes with a data folder."""
    return database_of(data) or f"sqlite:///{data / 'kefu.db'}"


def _note(data: Path) -> Path:
    # beside the folder: in it, tests put file systems, quotas and modes
    return data.with_name(f"{data.name}.database")


def _schema_of(address: str) -> str:
    return str(make_url(address).query["application_name"])


def _filled_tables(connection: Connection, schema: str) -> list[str]:
    named = "select tablename from pg_tables where schemaname = :a and tablename <> :b"
    found = connection.execute(text(named), {"a": schema, "b": "alembic_version"})
    names = [f'{schema}."{name}"' for (name,) in found]
    parts = [f"select '{name}' where exists (select from {name})" for name in names]  # noqa: S608 - ours
    return [name for (name,) in connection.execute(text(" union all ".join(parts)))]
