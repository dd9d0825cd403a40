"""What the state machine itself must remember of a conversation, beside its columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from handoff.model.conversation import Conversation

_KEY = "desk"


@dataclass(frozen=True, slots=True)
class DeskMemory:
    """Kept in the conversation's summary under a key of its own, and so written with every save.

    Attributes:
        told_position: The place in the queue that the customer last heard; ``None`` if none.
        told_wait_min: The estimate that the customer last heard, in minutes.
        unanswered_since: When the oldest message came that the assignee has not answered.
    """

    told_position: int | None = None
    told_wait_min: int | None = None
    unanswered_since: datetime | None = None


def remembered(conversation: Conversation) -> DeskMemory:
    """What is remembered of this conversation."""
    stored: dict[str, Any] = (conversation.summary or {}).get(_KEY) or {}
    return DeskMemory(
        told_position=stored.get("told_position"),
        told_wait_min=stored.get("told_wait_min"),
        unanswered_since=_time(stored.get("unanswered_since")),
    )


def remembering(conversation: Conversation, memory: DeskMemory) -> Conversation:
    """The conversation with this remembered, and nothing else changed."""
    values = {
        "told_position": memory.told_position,
        "told_wait_min": memory.told_wait_min,
        "unanswered_since": _text(memory.unanswered_since),
    }
    stored = {name: value for name, value in values.items() if value is not None}
    summary = {key: value for key, value in (conversation.summary or {}).items() if key != _KEY}
    if stored:
        summary[_KEY] = stored
    return replace(conversation, summary=summary or None)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
