"""Tables of the message path: who wrote, what was said, what was decided, what is to be sent."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from storage.tables.base import BigId, Json, UtcDateTime, metadata

ID = String(26)
"""A ULID."""

customers = Table(
    "customers",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", String(80), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

identities = Table(
    "identities",
    metadata,
    Column("id", ID, primary_key=True),
    Column("customer_id", ForeignKey("customers.id"), nullable=False, index=True),
    Column("channel", String(20), nullable=False),
    Column("account_id", String(80), nullable=False),
    Column("user_id", String(120), nullable=False),
    Column("contacts", LargeBinary, info={"sealed": True}),
    UniqueConstraint("channel", "account_id", "user_id"),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", ID, primary_key=True),
    Column("customer_id", ForeignKey("customers.id"), nullable=False, index=True),
    Column("channel", String(20), nullable=False),
    Column("account_id", String(80), nullable=False),
    Column("peer_id", String(120), nullable=False),
    Column("user_id", String(120), nullable=False),
    Column("peer_kind", String(10), nullable=False),
    Column("state", String(10), nullable=False),
    Column("mode", String(12)),
    Column("assignee", ID),
    Column("last_assignee", ID),
    Column("segment_id", ID, nullable=False),
    Column("version", Integer, nullable=False),
    Column("owner_epoch", Integer, nullable=False),
    Column("last_seq", Integer, nullable=False),
    Column("read_seq", Integer, nullable=False),
    Column("reason", String(40)),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("queued_at", UtcDateTime),
    Column("claimed_at", UtcDateTime),
    Column("acted_at", UtcDateTime),
    Column("missed_claims", Integer, nullable=False),
    Column("notices_sent", Integer, nullable=False),
    Column("last_notice_at", UtcDateTime),
    Column("told_position", Integer),
    Column("told_wait_min", Integer),
    Column("unanswered_since", UtcDateTime),
    Column("nudges_sent", Integer, nullable=False, server_default="0"),
    Column("last_customer_at", UtcDateTime),
    Column("last_agent_at", UtcDateTime),
    Column("last_message_at", UtcDateTime),
    Column("closing_at", UtcDateTime),
    Column("closed_at", UtcDateTime),
    Column("closed_reason", String(40)),
    Column("due_at", UtcDateTime),
    Column("locale", String(8), nullable=False),
    Column("unreachable", String(80)),
    Column("summary", Json),
    Column("memory", Json, nullable=False),
    UniqueConstraint("channel", "account_id", "peer_id", "user_id"),
    CheckConstraint("state in ('bot','waiting','agent','external','closed')", name="state"),
    CheckConstraint("(state = 'agent') = (assignee is not null)", name="assignee_only_with_agent"),
    CheckConstraint("state <> 'waiting' or queued_at is not null", name="waiting_has_queued_at"),
    Index("ix_conversations_state_queued_at", "state", "queued_at"),
    Index("ix_conversations_assignee", "assignee"),
    Index("ix_conversations_due_at", "due_at"),
    Index("ix_conversations_state_last_message_at", "state", "last_message_at"),
)

segments = Table(
    "segments",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False, index=True),
    Column("opened_at", UtcDateTime, nullable=False, index=True),
    Column("first_seq", Integer, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("closed_reason", String(40)),
    Column("last_seq", Integer),
    Column("handed_off_at", UtcDateTime),
    Column("handoff_reason", String(40)),
    Column("agent_id", ID),
    Column("first_response_s", Float),
    Column("csat_score", Integer),
    Column("csat_comment", Text),
    CheckConstraint("csat_score between 1 and 5", name="csat_score"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("segment_id", ID, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("author", String(10), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("text", Text, nullable=False),
    Column("author_id", ID),
    Column("author_name", String(80)),
    Column("client_id", String(80)),
    Column("turn_id", ID),
    Column("epoch", Integer),
    Column("extra", Json),
    UniqueConstraint("conversation_id", "seq"),
    UniqueConstraint("conversation_id", "client_id"),
    CheckConstraint("author in ('customer','bot','agent','system')", name="author"),
)

inbound = Table(
    "inbound",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("channel", String(20), nullable=False),
    Column("account_id", String(80), nullable=False),
    Column("dedup_key", String(160), nullable=False),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("message_id", ID, nullable=False, index=True),
    Column("kind", String(12), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("order_hint", String(60)),
    Column("data", Json, nullable=False),
    Column("turn_id", ID, index=True),
    # starts of its turn; the first is the one that follows being stored
    Column("attempts", Integer, nullable=False, server_default="1"),
    UniqueConstraint("channel", "account_id", "dedup_key"),
)
# most rows have had their turn: the index holds only those that have not
Index(
    "ix_inbound_pending",
    inbound.c.conversation_id,
    inbound.c.id,
    sqlite_where=inbound.c.turn_id.is_(None),
    postgresql_where=inbound.c.turn_id.is_(None),
)

turns = Table(
    "turns",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False, index=True),
    Column("segment_id", ID, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("took_ms", Float, nullable=False),
    Column("band", String(10)),
    Column("intent", String(80), index=True),
    Column("reasons", Json, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", ID, primary_key=True),
    Column("message_id", ID, index=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("account_id", String(80), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("epoch", Integer),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("error", String(200)),
    Column("progress", Integer, nullable=False, server_default="0"),
    Column("grants", Json),
    Column("mail_key", String(120), unique=True),
    Column("mail", LargeBinary, info={"sealed": True}),
    CheckConstraint("state in ('pending','sent','failed','cancelled','unknown')", name="state"),
    CheckConstraint("(message_id is null) <> (mail is null)", name="message_or_mail"),
)
Index(
    "ix_outbox_pending",
    outbox.c.next_at,
    sqlite_where=outbox.c.state == "pending",
    postgresql_where=outbox.c.state == "pending",
)

reply_windows = Table(
    "reply_windows",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("key", String(160), nullable=False),
    Column("data", Json, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("max_replies", Integer),
    Column("used", Integer, nullable=False),
    Column("is_closed", Boolean(create_constraint=False), nullable=False),
    UniqueConstraint("conversation_id", "key"),
    CheckConstraint("max_replies is null or used <= max_replies", name="used"),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("channel", String(20), primary_key=True),
    Column("account_id", String(80), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("holder", String(40), nullable=False),
    Column("until", UtcDateTime, nullable=False),
)

raw_inbound = Table(
    "raw_inbound",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("channel", String(20), nullable=False),
    Column("account_id", String(80), nullable=False),
    Column("dedup_key", String(160), nullable=False),
    Column("received_at", UtcDateTime, nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False, info={"sealed": True}),
    UniqueConstraint("channel", "account_id", "dedup_key"),
)

events = Table(
    "events",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("kind", String(20), nullable=False),
    Column("conversation_id", ID, nullable=False),
    Column("message_id", ID),
    Column("at", UtcDateTime, nullable=False),
    Column("detail", String(80)),
    # ids are never used again, or a cursor could skip a new event under an old number
    sqlite_autoincrement=True,
)

secrets = Table(
    "secrets",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("mask", String(40), nullable=False),
    # whose proof opens it to the customer; none where nobody said of which order it is
    Column("order_number", String(64)),
    Column("sealed", LargeBinary, nullable=False, info={"sealed": True}),
)

keys = Table(
    "keys",
    metadata,
    Column("purpose", String(20), primary_key=True),
    Column("sealed", LargeBinary, nullable=False, info={"sealed": True}),
)

heartbeat = Table(
    "heartbeat",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
)

attachments = Table(
    "attachments",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("owner", String(200), nullable=False, index=True),
    Column("kind", String(10), nullable=False),
    Column("mime", String(80), nullable=False),
    Column("name", String(120), nullable=False),
    Column("size", Integer, nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("created_at", UtcDateTime, nullable=False),
    Column("state", String(10), nullable=False, server_default="ready"),
    # the network, or the group or person on a platform: quotas are counted by it
    Column("sent_from", String(40)),
    # an upload that no message carries by then is deleted; null once one does
    Column("loose_until", UtcDateTime),
    # what follows is of files that still lie with a platform
    Column("channel", String(20)),
    Column("account_id", String(80)),
    Column("message_id", ID),
    Column("source", LargeBinary, info={"sealed": True}),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", UtcDateTime),
)
Index("ix_attachments_sent_from", attachments.c.sent_from, attachments.c.created_at)
Index("ix_attachments_size", attachments.c.state, attachments.c.size)
Index(
    "ix_attachments_loose",
    attachments.c.loose_until,
    sqlite_where=attachments.c.loose_until.is_not(None),
    postgresql_where=attachments.c.loose_until.is_not(None),
)
Index(
    "ix_attachments_pending",
    attachments.c.next_at,
    sqlite_where=attachments.c.state == "pending",
    postgresql_where=attachments.c.state == "pending",
)
