"""The transcript: every message of a conversation, as it is stored.

A message's stored text holds ``{{secret:ID}}`` in place of card keys, query passwords and contacts;
the values are sealed beside it and filled in only at sending or at a logged reveal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from connectors.messages import Attachment, Button, MessageId
from handoff.model.conversation import ConversationId, SegmentId

PLACEHOLDER = re.compile(r"\{\{secret:([0-9A-Z]{26})\}\}")
"""Stands in a stored text for a sealed value; the group is its id."""


class Author(StrEnum):
    """The side that wrote a message."""

    CUSTOMER = "customer"
    BOT = "bot"
    AGENT = "agent"
    SYSTEM = "system"


class MessageKind(StrEnum):
    """A kind of message; a ``NOTE`` never reaches an outbound path."""

    TEXT = "text"
    NOTE = "note"
    NOTICE = "notice"
    CSAT = "csat"


class DeliveryState(StrEnum):
    """State of a message to the customer; ``NONE`` for what is not sent."""

    NONE = "none"
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A sealed value in a message's text: its id, what may be shown of it, and its kind."""

    id: str
    mask: str
    kind: str


def with_masks(text: str, secrets: Sequence[SecretRef]) -> str:
    """A stored text as it may be read without a logged reveal."""
    masks = {ref.id: ref.mask for ref in secrets}
    return PLACEHOLDER.sub(lambda found: masks.get(found[1], found[0]), text)


@dataclass(frozen=True, slots=True)
class TurnReasons:
    """Reasons of one turn: why the bot did what it did, for the console.

    Attributes:
        actions: ``answer``, ``clarify``, ``ask_slot:NAME``, ``tool:NAME``, ``handoff``,
            ``fallback`` or ``silent``; more than one where a message held two questions.
        confidence: In [0, 1]; ``None`` where nothing was recognised.
        candidates: Best first: intent, title, confidence, source.
        outcome: What the tool said, by its outcome's name.
    """

    turn_id: str
    actions: tuple[str, ...]
    intent: str | None = None
    intent_title: str | None = None
    confidence: float | None = None
    band: str | None = None
    rule: str | None = None
    tool: str | None = None
    outcome: str | None = None
    candidates: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """One line of the transcript.

    Attributes:
        seq: Place in the conversation, from 1; unique in it.
        client_id: The sender's own id of it (page or console); unique in the conversation.
        text: Stored form, with placeholders for secrets.
        quoted: What a customer's message answers, in the same form; ``secrets`` holds both's.
        epoch: The ``owner_epoch`` a bot's message was decided in; ``None`` for everybody else.
    """

    id: MessageId
    conversation_id: ConversationId
    segment_id: SegmentId
    seq: int
    author: Author
    at: datetime
    kind: MessageKind = MessageKind.TEXT
    text: str = field(default="", repr=False)
    quoted: str = field(default="", repr=False)
    author_id: str | None = None
    author_name: str | None = None
    client_id: str | None = None
    turn_id: str | None = None
    epoch: int | None = None
    secrets: tuple[SecretRef, ...] = ()
    buttons: tuple[Button, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    delivery: DeliveryState = DeliveryState.NONE
    delivery_error: str | None = None
    reasons: TurnReasons | None = None
