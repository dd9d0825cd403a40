"""Live events: the log that the console follows, one row for everything that changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from handoff.model.conversation import ConversationId


class LiveEventKind(StrEnum):
    """A kind of change."""

    MESSAGE_ADDED = "message_added"
    MESSAGE_CHANGED = "message_changed"
    STATE_CHANGED = "state_changed"
    QUEUE_CHANGED = "queue_changed"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """One change, in the order in which it was committed.

    Attributes:
        id: The cursor: grows with every event; 0 before it is stored.
        detail: A short word of explanation, never a customer's text.
    """

    id: int
    kind: LiveEventKind
    conversation_id: ConversationId
    at: datetime
    message_id: str | None = None
    detail: str | None = None
