"""Appending a message to a conversation: a line of the transcript, a row of the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from ulid import ULID

from connectors.messages import Attachment, Button, MessageId
from handoff.model.conversation import Conversation, ConversationId
from handoff.model.live_events import LiveEventKind
from handoff.model.ports import Sealer, Secrets, Work
from handoff.model.transcript import (
    Author,
    DeliveryState,
    Message,
    MessageKind,
    SecretRef,
    TurnReasons,
)


def append_message(
    work: Work,
    conversation: Conversation,
    *,
    author: Author,
    text: str,
    at: datetime,
    kind: MessageKind = MessageKind.TEXT,
    author_id: str | None = None,
    author_name: str | None = None,
    client_id: str | None = None,
    turn_id: str | None = None,
    secrets: Sequence[SecretRef] = (),
    quoted: str = "",
    buttons: Sequence[Button] = (),
    attachments: Sequence[Attachment] = (),
    reasons: TurnReasons | None = None,
    is_last_word: bool = False,
    message_id: MessageId | None = None,
) -> tuple[Conversation, Message]:
    """Append a message to the transcript and, unless it is a note or the customer's, to the outbox.

    Args:
        work: The running unit; the caller saves the returned conversation in it.
        text: As it is stored: secrets already replaced by placeholders (see ``sealed``).
        message_id: Where it was made before; ``None`` makes one.
        is_last_word: Said with a handoff or a closing of this very unit: it never goes stale.

    Returns:
        The conversation with its counters moved, not yet saved, and the message.
    """
    is_sent = author is not Author.CUSTOMER and kind is not MessageKind.NOTE
    message = Message(
        id=message_id or MessageId(str(ULID())),
        conversation_id=conversation.id,
        segment_id=conversation.segment_id,
        seq=conversation.last_seq + 1,
        author=author,
        at=at,
        kind=kind,
        text=text,
        quoted=quoted,
        author_id=author_id,
        author_name=author_name,
        client_id=client_id,
        turn_id=turn_id,
        # only a bot's words go stale: agents' and system messages and a last word never do
        epoch=conversation.owner_epoch if author is Author.BOT and not is_last_word else None,
        secrets=tuple(secrets),
        buttons=tuple(buttons),
        attachments=tuple(attachments),
        delivery=DeliveryState.PENDING if is_sent else DeliveryState.NONE,
        reasons=reasons,
    )
    work.messages.add(message)
    work.live_events.add(LiveEventKind.MESSAGE_ADDED, conversation.id, at, message_id=message.id)
    conversation = replace(conversation, last_seq=message.seq, last_message_at=at)
    if is_sent:
        work.outbox.add(message, conversation)
    return conversation, message


def sealed(
    secrets: Secrets,
    conversation_id: ConversationId,
    text: str,
    find: Sealer,
    order_number: str | None = None,
) -> tuple[str, tuple[SecretRef, ...]]:
    """Put placeholders in place of the secrets in a text, and keep their values encrypted.

    Args:
        order_number: The order that they belong to, where it is known.

    Returns:
        The text to store, and what its placeholders stand for, in order.
    """
    parts: list[str] = []
    refs: list[SecretRef] = []
    end_of_last = 0
    for start, end, kind in find(text):
        ref = secrets.seal(conversation_id, text[start:end], kind, order_number)
        parts += [text[end_of_last:start], "{{secret:", ref.id, "}}"]
        refs.append(ref)
        end_of_last = end
    parts.append(text[end_of_last:])
    return "".join(parts), tuple(refs)
