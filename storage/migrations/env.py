"""Alembic's entry: runs on the connection that ``storage.core.schema`` hands in."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import TypeDecorator

from storage.tables import handoff, messaging, shop
from storage.tables.base import metadata

_TABLES = (handoff, messaging, shop)  # imported so that the metadata knows them


def _plain_types(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Migrations name the database's types: they must not change when our classes do."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    # SQLite changes a table by making a new one
    render_as_batch=True,
    compare_type=True,
    render_item=_plain_types,
)
context.run_migrations()
