"""The inbox: every customer's message is stored once, before anybody thinks about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog
from ulid import ULID

from bot.inbox.bounds import bounded, few
from bot.inbox.channel_events import (
    EVENTS,
    IntakeWork,
    arrival_text,
    interpreted,
    is_double_press,
    note_effects,
    open_conversation,
    store_event,
)
from bot.inbox.quotes import cut, sealed_quote
from bot.inbox.turn_queue import source_of
from bot.sealing.finder import masked
from connectors.errors import NotStored
from connectors.media.store import new_key
from connectors.messages import (
    Attachment,
    Checkpoint,
    Inbound,
    InboundKind,
    MediaHandle,
    MediaState,
    MessageId,
    Receipt,
)
from handoff.desk.append import append_message, sealed
from handoff.desk.desk import Desk
from handoff.errors import Conflict, StorageUnavailable
from handoff.model.conversation import Conversation
from handoff.model.inbound import Pending, Stored
from handoff.model.ports import Units
from handoff.model.transcript import Author, MessageKind

log = structlog.get_logger(__name__)

FindSecrets = Callable[[str, Conversation], Sequence[tuple[int, int, str]]]
"""Finds what must be sealed in a customer's text: (start, end, kind), in order."""

_ATTEMPTS = 3


class Intake:
    """Implements ``connectors.messages.Sink``.

    Args:
        desk: Applies the events that happen on the channel.
        find_secrets: What must not be stored in the clear.
        on_stored: Told after the commit what is new, in the order in which it was stored.
    """

    def __init__(
        self,
        units: Units[IntakeWork],
        *,
        desk: Desk,
        find_secrets: FindSecrets,
        on_stored: Callable[[Stored], None],
    ) -> None:
        self._units = units
        self._desk = desk
        self._find_secrets = find_secrets
        self._on_stored = on_stored

    async def accept(
        self, messages: Sequence[Inbound], checkpoint: Checkpoint | None = None
    ) -> tuple[Receipt, ...]:
        """Store messages, each once, and how far the connector has read, in one transaction.

        Raises:
            NotStored: The database cannot be written now; nothing was kept.
        """
        kept = tuple(bounded(message) for message in messages)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                accepted = await self._units.write(
                    lambda work: self._accept_all(work, kept, checkpoint)
                )
                break
            except Conflict as error:
                # two first messages of one customer, on two connections: the second finds the row
                if attempt == _ATTEMPTS:
                    raise NotStored("the conversation kept changing") from error
            except StorageUnavailable as error:
                raise NotStored(str(error)) from error
        for _, stored in accepted:
            if stored is not None:
                self._on_stored(stored)
        return tuple(receipt for receipt, _ in accepted if receipt is not None)

    def _accept_all(
        self, work: IntakeWork, messages: Sequence[Inbound], checkpoint: Checkpoint | None
    ) -> tuple[tuple[Receipt | None, Stored | None], ...]:
        accepted = tuple(self._accept_any(work, message) for message in messages)
        if checkpoint is not None:
            work.channels.save_checkpoint(checkpoint)
        return accepted

    def _accept_any(
        self, work: IntakeWork, message: Inbound
    ) -> tuple[Receipt | None, Stored | None]:
        if message.kind is InboundKind.OTHER:
            work.channels.keep_raw(message)
            return None, None
        if message.kind in EVENTS:
            store_event(work, self._desk, message)
            return None, None
        return self.accept_one(work, message)

    def accept_one(self, work: IntakeWork, message: Inbound) -> tuple[Receipt, Stored | None]:
        """Store one message inside a running unit; ``None`` for what was stored before."""
        conversation = work.conversations.of_address(message.address)
        if conversation is None:
            conversation = open_conversation(work, message)
        message = interpreted(work, conversation, message)
        if is_double_press(work, conversation, message):
            pressed = MessageId(message.button_of or "")
            known_as = (message.dedup_key, pressed, conversation.id, conversation.last_seq)
            return Receipt(*known_as, is_new=False), None
        message_id = MessageId(str(ULID()))
        row = work.inbox.record(message, conversation.id, message_id)
        if row is None:
            known = work.inbox.receipt(message)
            assert known is not None, "it was recorded before"  # noqa: S101 - the row says so
            return known, None
        note_effects(work, conversation, message)
        known_so_far = conversation

        def find(text: str, at: Conversation = known_so_far) -> Sequence[tuple[int, int, str]]:
            try:
                return few(self._find_secrets(text, at))
            except Exception as error:  # noqa: BLE001 - refused, it would be delivered for ever
                log.error("secrets_not_searched", error=type(error).__name__)
                return [(0, len(text), "unread")]

        # what is asked for is answered by what is said, never by a quote
        asked_nothing = replace(conversation, memory={})
        text, secrets = sealed(work.secrets, conversation.id, message.text, find)
        named = tuple(
            replace(attachment, name=masked(attachment.name)) for attachment in message.attachments
        )
        quoted, quoted_secrets = sealed_quote(
            work, conversation, message.quoted, lambda text: find(text, asked_nothing)
        )
        handles = tuple(_pending_attachment(media) for media in message.media)
        is_arrival = message.kind is InboundKind.ARRIVAL
        conversation, line = append_message(
            work,
            replace(conversation, last_customer_at=message.received_at, unreachable=None),
            # who arrives has said nothing: agents read that they did, the customer does not
            author=Author.SYSTEM if is_arrival else Author.CUSTOMER,
            kind=_line_kind(message),
            text=arrival_text(text) if is_arrival else text,
            secrets=(*secrets, *quoted_secrets),
            quoted=quoted,
            at=message.received_at,
            client_id=message.client_id,
            attachments=(*named, *(attachment for attachment, _ in handles)),
            message_id=message_id,
        )
        for attachment, media in handles:
            work.attachments.add_pending(
                attachment,
                media,
                ref=message.address.ref,
                message_id=message_id,
                owner=message.address.identity,
                sent_from=source_of(message.address, message.sources)[:40],
                at=message.received_at,
            )
        if message.attachments:
            work.attachments.attach([attachment.id for attachment in message.attachments])
        saved = work.conversations.save(conversation)
        pending = Pending(
            id=row,
            kind=message.kind,
            message=line,
            received_at=message.received_at,
            text=message.text,
            quoted=cut(message.quoted),
            sources=message.sources,
            button=message.button,
            button_of=message.button_of,
            score=message.score,
            is_unreadable=message.is_unreadable,
            album=message.album,
        )
        receipt = Receipt(message.dedup_key, line.id, saved.id, line.seq, is_new=True)
        return receipt, Stored(saved, pending)


def _pending_attachment(media: MediaHandle) -> tuple[Attachment, MediaHandle]:
    name = masked("".join(char for char in media.name if char.isprintable())[:120])
    attachment = Attachment(
        new_key(), media.kind, media.mime[:80], media.size or 0, name, state=MediaState.PENDING
    )
    return attachment, media


def _line_kind(message: Inbound) -> MessageKind:
    if message.kind is InboundKind.ARRIVAL:
        return MessageKind.NOTE
    return MessageKind.CSAT if message.kind is InboundKind.CSAT else MessageKind.TEXT
