"""Tables of the desk: who answers, who is logged in, who looked at what."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
)

from storage.tables.base import UtcDateTime, metadata

ID = String(26)
"""A ULID."""

agents = Table(
    "agents",
    metadata,
    Column("id", ID, primary_key=True),
    Column("username", String(32), nullable=False, unique=True),
    Column("name", String(80), nullable=False),
    Column("role", String(12), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("is_disabled", Boolean(create_constraint=True, name="is_disabled"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    CheckConstraint("role in ('agent','supervisor','admin')", name="role"),
)

sessions = Table(
    "sessions",
    metadata,
    # only the token's hash: a copy of the database logs nobody in
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("agent_id", ForeignKey("agents.id"), nullable=False, index=True),
    Column("csrf_token", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)

login_attempts = Table(
    "login_attempts",
    metadata,
    Column("id", ID, primary_key=True),
    # keyed hashes: neither names that were tried nor network addresses are kept
    Column("pair", LargeBinary(32), nullable=False),
    Column("source", LargeBinary(32), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_login_attempts_pair_at", "pair", "at"),
    Index("ix_login_attempts_source_at", "source", "at"),
)

reveals = Table(
    "reveals",
    metadata,
    Column("id", ID, primary_key=True),
    Column("secret_id", ForeignKey("secrets.id"), nullable=False, index=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False, index=True),
    Column("agent_id", ForeignKey("agents.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
