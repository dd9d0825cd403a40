"""Conversations and their segments in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, Update, and_, bindparam, func, or_, select, update

from connectors.messages import Address, ChannelRef, PeerKind
from handoff.errors import Conflict, NoSuchConversation
from handoff.model.conversation import (
    AgentId,
    Conversation,
    ConversationId,
    Segment,
    SegmentId,
    State,
    WaitingMode,
)
from storage.core.dialect import for_update
from storage.core.keyring import Keyring
from storage.tables.messaging import conversations, segments

# Statements are built once: building one costs more than running it on SQLite.
_BY_ID = select(conversations).where(conversations.c.id == bindparam("key"))
_BY_ADDRESS = select(conversations).where(
    conversations.c.channel == bindparam("channel"),
    conversations.c.account_id == bindparam("account_id"),
    conversations.c.peer_id == bindparam("peer_id"),
    conversations.c.user_id == bindparam("user_id"),
)
_PLAIN = [
    field.name
    for field in fields(Conversation)
    if field.name not in {"id", "customer_id", "address", "state", "mode", "memory"}
]
_INSERT = conversations.insert()
_INSERT_SEGMENT = segments.insert()
_CHANGING = (*_PLAIN, "state", "mode", "memory")
_OPEN = (State.BOT, State.WAITING, State.AGENT, State.EXTERNAL)


@lru_cache(maxsize=256)
def _save_statement(names: tuple[str, ...]) -> Update:
    """Changes these columns of one conversation; of 30, a usual turn changes six."""
    return (
        update(conversations)
        .where(
            conversations.c.id == bindparam("key"),
            conversations.c.version == bindparam("version_before"),
        )
        .values({name: bindparam(name) for name in names})
    )


def conversation_of(row: Mapping[str, Any]) -> Conversation:
    """The dataclass behind a row."""
    return Conversation(
        id=row["id"],
        customer_id=row["customer_id"],
        address=Address(
            ref=ChannelRef(row["channel"], row["account_id"]),
            peer_id=row["peer_id"],
            user_id=row["user_id"],
            kind=PeerKind(row["peer_kind"]),
        ),
        state=State(row["state"]),
        mode=WaitingMode(row["mode"]) if row["mode"] else None,
        memory=row["memory"] or {},
        **{name: row[name] for name in _PLAIN},
    )


def _values(conversation: Conversation) -> dict[str, Any]:
    return {name: _stored_form(name, getattr(conversation, name)) for name in _CHANGING}


def _stored_form(name: str, value: Any) -> Any:
    """What a column holds: words for states, plain dicts for what is opaque here."""
    if name in {"state", "mode"}:
        return value.value if value is not None else None
    if name in {"memory", "summary"}:
        return None if value is None else dict(value)
    return value


class ConversationRows:
    """Implements ``handoff.model.ports.Conversations``."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:  # noqa: ARG002 - one shape for all repositories
        self._connection = connection
        self._stored: dict[ConversationId, Conversation] = {}

    def _one(self, statement: Select[Any], parameters: Mapping[str, Any]) -> Conversation | None:
        row = self._connection.execute(statement, parameters).mappings().one_or_none()
        if row is None:
            return None
        found = conversation_of(row)  # type: ignore[arg-type]
        self._stored[found.id] = found
        return found

    def get(self, conversation_id: ConversationId) -> Conversation | None:
        """The conversation, or ``None``."""
        return self._one(_BY_ID, {"key": conversation_id})

    def lock(self, conversation_id: ConversationId) -> Conversation:
        """The conversation, held until the unit ends."""
        found = self._one(for_update(self._connection, _BY_ID), {"key": conversation_id})
        if found is None:
            raise NoSuchConversation(conversation_id)
        return found

    def of_address(self, address: Address) -> Conversation | None:
        """The one conversation of this address, locked."""
        parameters = {
            "channel": address.ref.channel,
            "account_id": address.ref.account_id,
            "peer_id": address.peer_id,
            "user_id": address.user_id,
        }
        return self._one(for_update(self._connection, _BY_ADDRESS), parameters)

    def add(self, conversation: Conversation) -> None:
        """Store a new conversation."""
        address = conversation.address
        self._connection.execute(
            _INSERT,
            {
                **_values(conversation),
                "id": conversation.id,
                "customer_id": conversation.customer_id,
                "channel": address.ref.channel,
                "account_id": address.ref.account_id,
                "peer_id": address.peer_id,
                "user_id": address.user_id,
                "peer_kind": address.kind.value,
            },
        )

    def save(self, conversation: Conversation) -> Conversation:
        """Store a changed conversation, if nobody changed it in between."""
        saved = replace(conversation, version=conversation.version + 1)
        stored = self._stored.get(conversation.id)
        if stored is not None and stored.version == conversation.version:
            values = {
                name: _stored_form(name, value)
                for name in _CHANGING
                if (value := getattr(saved, name)) != getattr(stored, name)
            }
        else:
            values = _values(saved)
        result = self._connection.execute(
            _save_statement(tuple(values)),
            {**values, "key": conversation.id, "version_before": conversation.version},
        )
        if result.rowcount != 1:
            raise Conflict(f"conversation {conversation.id} changed in between")
        self._stored[conversation.id] = saved
        return saved

    def due(self, now: datetime, limit: int) -> Sequence[ConversationId]:
        """Conversations whose timer has come, earliest first."""
        statement = (
            select(conversations.c.id)
            .where(conversations.c.due_at <= now)
            .order_by(conversations.c.due_at)
            .limit(limit)
        )
        return [ConversationId(key) for key in self._connection.execute(statement).scalars()]

    def _many(self, statement: Select[Any]) -> list[Conversation]:
        rows = self._connection.execute(statement).mappings()
        return [conversation_of(row) for row in rows]  # type: ignore[arg-type]

    def waiting(self) -> Sequence[Conversation]:
        """The queue, the longest waiting first."""
        return self._many(
            select(conversations)
            .where(conversations.c.state == State.WAITING.value)
            .order_by(conversations.c.queued_at, conversations.c.id)
        )

    def position(self, conversation: Conversation) -> int | None:
        """Place in the queue from 1."""
        if conversation.state is not State.WAITING or conversation.queued_at is None:
            return None
        ahead = self._connection.execute(
            select(func.count())
            .select_from(conversations)
            .where(
                conversations.c.state == State.WAITING.value,
                or_(
                    conversations.c.queued_at < conversation.queued_at,
                    and_(
                        conversations.c.queued_at == conversation.queued_at,
                        conversations.c.id < conversation.id,
                    ),
                ),
            )
        ).scalar_one()
        return int(ahead) + 1

    def page(
        self, view: str, agent_id: AgentId, *, limit: int, before: str | None
    ) -> tuple[Sequence[Conversation], str | None]:
        """A page of a console list; the queue by waiting time, the others newest first."""
        c = conversations.c
        if view == "queue":
            order: Any = c.queued_at
            statement = select(conversations).where(c.state == State.WAITING.value)
        else:
            order = c.last_message_at
            states = {
                "mine": c.state == State.AGENT.value,
                "bot": c.state == State.BOT.value,
                "all": c.state.in_([state.value for state in _OPEN]),
                "closed": c.state == State.CLOSED.value,
            }
            statement = select(conversations).where(states[view])
            if view == "mine":
                statement = statement.where(c.assignee == agent_id)
        is_ascending = view == "queue"
        if before is not None:
            at_text, _, key = before.partition("|")
            at = datetime.fromisoformat(at_text)
            beyond = order > at if is_ascending else order < at
            tie = and_(order == at, c.id > key if is_ascending else c.id < key)
            statement = statement.where(or_(beyond, tie))
        statement = statement.order_by(
            *((order, c.id) if is_ascending else (order.desc(), c.id.desc()))
        ).limit(limit + 1)
        found = self._many(statement)
        if len(found) <= limit:
            return found, None
        last = found[limit - 1]
        moment = last.queued_at if is_ascending else last.last_message_at
        return found[:limit], f"{moment.isoformat() if moment else ''}|{last.id}"

    def counts(self, agent_id: AgentId) -> dict[str, int]:
        """How many are in the queue, with this agent, with the bot."""
        c = conversations.c
        rows = self._connection.execute(
            select(c.state, func.count())
            .where(c.state.in_([State.WAITING.value, State.BOT.value]))
            .group_by(c.state)
        )
        by_state = {state: int(count) for state, count in rows}
        return {
            "queue": by_state.get(State.WAITING.value, 0),
            "mine": self.open_count(agent_id),
            "bot": by_state.get(State.BOT.value, 0),
        }

    def open_count(self, agent_id: AgentId) -> int:
        """How many conversations this agent holds."""
        statement = (
            select(func.count())
            .select_from(conversations)
            .where(conversations.c.assignee == agent_id, conversations.c.state == State.AGENT.value)
        )
        return int(self._connection.execute(statement).scalar_one())

    def held_by(self, agent_id: AgentId) -> Sequence[Conversation]:
        """What this agent holds."""
        return self._many(
            select(conversations).where(
                conversations.c.assignee == agent_id, conversations.c.state == State.AGENT.value
            )
        )


class SegmentRows:
    """Implements ``handoff.model.ports.Segments``."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:  # noqa: ARG002 - one shape for all repositories
        self._connection = connection

    def add(self, segment: Segment) -> None:
        """Store a new segment."""
        self._connection.execute(_INSERT_SEGMENT, _segment_values(segment))

    def get(self, segment_id: SegmentId) -> Segment | None:
        """The segment, or ``None``."""
        row = (
            self._connection.execute(select(segments).where(segments.c.id == segment_id))
            .mappings()
            .one_or_none()
        )
        return None if row is None else Segment(**row)

    def save(self, segment: Segment) -> None:
        """Store a changed segment."""
        self._connection.execute(
            update(segments).where(segments.c.id == segment.id), _segment_values(segment)
        )

    def of_conversation(self, conversation_id: ConversationId) -> Sequence[Segment]:
        """All segments, newest first."""
        rows = self._connection.execute(
            select(segments)
            .where(segments.c.conversation_id == conversation_id)
            .order_by(segments.c.opened_at.desc(), segments.c.id.desc())
        ).mappings()
        return [Segment(**row) for row in rows]


def _segment_values(segment: Segment) -> dict[str, Any]:
    return {field.name: getattr(segment, field.name) for field in fields(Segment)}
