"""A customer's message between the inbox and its turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from connectors.messages import Attachment, Inbound, InboundKind, MessageId, Receipt
from handoff.model.conversation import Conversation, ConversationId
from handoff.model.transcript import Message


@dataclass(frozen=True, slots=True)
class Pending:
    """An inbound row that no turn has dealt with.

    Attributes:
        id: Grows in the order of arrival.
        message: As stored in the transcript: secrets are placeholders.
        text: What the customer really wrote; lives for the turn only.
        quoted: What it answers, as it was really said.
        sources: Throttle keys beside the identity.
        is_unreadable: The text only describes what was sent.
        album: The channel's own name of what it is a part of; ``None`` where it names none.
    """

    id: int
    kind: InboundKind
    message: Message
    received_at: datetime
    text: str = field(default="", repr=False)
    quoted: str = field(default="", repr=False)
    sources: tuple[str, ...] = ()
    button: str | None = None
    button_of: str | None = None
    score: int | None = None
    is_unreadable: bool = False
    album: str | None = None

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The files that it carries."""
        return self.message.attachments


@dataclass(frozen=True, slots=True)
class Stored:
    """A message that was just stored, and its conversation as of that commit."""

    conversation: Conversation
    pending: Pending


class Inbox(Protocol):
    """Every message that a channel delivered, once."""

    def record(
        self,
        message: Inbound,
        conversation_id: ConversationId,
        message_id: MessageId,
        *,
        needs_turn: bool = True,
    ) -> int | None:
        """Store it; its row, or ``None`` if the channel delivered it before."""

    def pressed_since(
        self, conversation_id: ConversationId, button: str, button_of: str, since: datetime
    ) -> bool:
        """Tell whether the same button of the same message was pressed since then."""

    def receipt(self, message: Inbound) -> Receipt | None:
        """The receipt given when it first came; ``None`` if it never did."""

    def pending(self, conversation_id: ConversationId) -> Sequence[Pending]:
        """Return the rows that had no turn yet, in the order in which it came."""

    def unanswered(self) -> Sequence[ConversationId]:
        """Conversations in which something has had no turn, the longest waiting first."""

    def begin(self, ids: Sequence[int]) -> int:
        """Count one more start of a turn for these rows; the most that one of them has now.

        A row has one start when it is recorded.
        """

    def assign(self, ids: Sequence[int], turn_id: str) -> bool:
        """Give inbound rows to a turn; ``False`` if one of them had a turn already."""
