"""Protocols of the repositories that this folder needs; ``storage`` implements them.

A *unit of work* is a function over repositories that runs in one transaction. Nothing in it waits
for a network or a slow hash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from connectors.messages import Address, MessageId
from handoff.model.conversation import (
    AgentId,
    Conversation,
    ConversationId,
    CustomerId,
    Segment,
    SegmentId,
)
from handoff.model.live_events import LiveEvent, LiveEventKind
from handoff.model.transcript import Author, Message, SecretRef

T = TypeVar("T")
W_co = TypeVar("W_co", covariant=True)
Clock = Callable[[], datetime]


class Conversations(Protocol):
    """Conversations, one row each."""

    def get(self, conversation_id: ConversationId) -> Conversation | None:
        """The conversation, or ``None``."""

    def lock(self, conversation_id: ConversationId) -> Conversation:
        """The conversation, held against other writers until the unit ends.

        Raises:
            NoSuchConversation: There is none by this id.
        """

    def of_address(self, address: Address) -> Conversation | None:
        """The one conversation of this address, locked; ``None`` before the first message."""

    def add(self, conversation: Conversation) -> None:
        """Store a new conversation."""

    def save(self, conversation: Conversation) -> Conversation:
        """Store a changed conversation and count its version up by one.

        Returns:
            The conversation as it is stored now.

        Raises:
            Conflict: Somebody else changed it since it was read.
        """

    def due(self, now: datetime, limit: int) -> Sequence[ConversationId]:
        """Conversations whose timer has come, earliest first."""

    def waiting(self) -> Sequence[Conversation]:
        """The queue: all that wait, the longest first (``queued_at``, then id)."""

    def position(self, conversation: Conversation) -> int | None:
        """Place in the queue from 1; ``None`` if it does not wait."""

    def page(
        self, view: str, agent_id: AgentId, *, limit: int, before: str | None
    ) -> tuple[Sequence[Conversation], str | None]:
        """A page of a console list, and the cursor of the next (``None`` at the end).

        Args:
            view: ``queue``, ``mine``, ``bot``, ``all`` (open ones) or ``closed``.
            agent_id: Whose ``mine``.
            limit: Most rows, 1 to 200.
            before: The cursor that the page before gave; ``None`` for the first page.
        """

    def counts(self, agent_id: AgentId) -> dict[str, int]:
        """Count the conversations in ``queue``, ``mine`` and ``bot``."""

    def open_count(self, agent_id: AgentId) -> int:
        """Count the conversations that this agent holds."""

    def held_by(self, agent_id: AgentId) -> Sequence[Conversation]:
        """Conversations in state ``agent`` with this assignee."""


class Segments(Protocol):
    """Stretches of conversations."""

    def add(self, segment: Segment) -> None:
        """Store a new segment."""

    def get(self, segment_id: SegmentId) -> Segment | None:
        """The segment, or ``None``."""

    def save(self, segment: Segment) -> None:
        """Store a changed segment."""

    def of_conversation(self, conversation_id: ConversationId) -> Sequence[Segment]:
        """All segments, newest first."""


class Messages(Protocol):
    """The transcript."""

    def add(self, message: Message) -> None:
        """Store a message; its ``seq`` must be the conversation's next."""

    def get(self, message_id: MessageId) -> Message | None:
        """The message, or ``None``."""

    def by_client_id(self, conversation_id: ConversationId, client_id: str) -> Message | None:
        """The message that its sender named so, or ``None``."""

    def after(self, conversation_id: ConversationId, seq: int, limit: int) -> Sequence[Message]:
        """Up to ``limit`` messages with a greater place, ascending."""

    def before(self, conversation_id: ConversationId, seq: int, limit: int) -> Sequence[Message]:
        """The last ``limit`` messages with a smaller place, ascending."""

    def retext(self, message_id: MessageId, text: str, secrets: Sequence[SecretRef]) -> None:
        """Replace a message's stored text, and what its placeholders stand for."""

    def requote(self, message_id: MessageId, quoted: str, secrets: Sequence[SecretRef]) -> None:
        """Replace what a message answers, and what all its placeholders stand for."""

    def last(self, conversation_ids: Sequence[ConversationId]) -> dict[ConversationId, Message]:
        """The newest message of each that is no note, for previews."""

    def unread(self, conversation_ids: Sequence[ConversationId]) -> dict[ConversationId, int]:
        """Count the customer's messages after ``read_seq``, by conversation."""


class Outbox(Protocol):
    """Messages on their way to customers."""

    def add(self, message: Message, conversation: Conversation) -> None:
        """Queue a message of the transcript for sending, in this unit's transaction."""

    def retry(self, message_id: MessageId) -> bool:
        """Queue a failed message again; ``False`` if it had not failed."""


class LiveEvents(Protocol):
    """The log that the console follows."""

    def add(
        self,
        kind: LiveEventKind,
        conversation_id: ConversationId,
        at: datetime,
        *,
        message_id: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Append a change."""

    def after(self, cursor: int, limit: int) -> Sequence[LiveEvent]:
        """Events with a greater id, ascending."""

    def cursor(self) -> int:
        """Id of the newest event; 0 when there is none."""

    def oldest(self) -> int:
        """Id of the oldest event that is kept; 0 when there is none."""


class Secrets(Protocol):
    """Sealed values that message texts point to."""

    def seal(
        self,
        conversation_id: ConversationId,
        value: str,
        kind: str,
        order_number: str | None = None,
    ) -> SecretRef:
        """Keep a value encrypted; the text holds ``{{secret:ID}}`` in its place.

        Args:
            order_number: The order whose proof shows it to the customer, where one is known.
        """

    def values(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The values of several."""

    def orders(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The order that each belongs to; those of none are left out."""

    def reveal(self, secret_id: str) -> str | None:
        """The value, or ``None`` if there is none by this id."""

    def conversation_of(self, secret_id: str) -> ConversationId | None:
        """Return the conversation in which the secret was written."""


class Customers(Protocol):
    """People, as far as one channel identity knows them."""

    def name(self, customer_id: CustomerId) -> str:
        """A name to show: what the channel told, or a made one such as 访客 3F2A."""

    def names(self, customer_ids: Sequence[CustomerId]) -> dict[CustomerId, str]:
        """Names of several."""

    def first_seen_at(self, customer_id: CustomerId) -> datetime:
        """Return the time of the first message."""


class Work(Protocol):
    """The repositories that a unit of this folder may use."""

    @property
    def conversations(self) -> Conversations:
        """Conversations."""

    @property
    def segments(self) -> Segments:
        """Segments."""

    @property
    def messages(self) -> Messages:
        """Transcripts."""

    @property
    def outbox(self) -> Outbox:
        """Messages on their way."""

    @property
    def live_events(self) -> LiveEvents:
        """The log that the console follows."""

    @property
    def secrets(self) -> Secrets:
        """Sealed values."""

    @property
    def customers(self) -> Customers:
        """People who write."""


class Units(Protocol[W_co]):
    """Runs units of work."""

    async def write(self, unit: Callable[[W_co], T]) -> T:
        """Run a unit in a transaction; answered after the commit.

        Raises:
            StorageUnavailable: The database cannot be written; nothing was changed.
        """
        ...

    async def read(self, unit: Callable[[W_co], T]) -> T:
        """Run a unit that only reads, on one snapshot."""
        ...


Sealer = Callable[[str], Sequence[tuple[int, int, str]]]
"""Finds secrets in a text: (start, end, kind) of each, in order, not overlapping."""

__all__ = [
    "Author",
    "Clock",
    "Conversations",
    "Customers",
    "LiveEvents",
    "Messages",
    "Outbox",
    "Sealer",
    "Secrets",
    "Segments",
    "Units",
    "Work",
]
