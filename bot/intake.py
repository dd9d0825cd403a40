"""The inbox: every customer's message is stored once, before anybody thinks about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from ulid import ULID

from bot.inbound import Inbox, Pending, Stored
from connectors.errors import NotStored
from connectors.messages import Address, Inbound, InboundKind, MessageId, Receipt
from handoff.conversation import (
    Conversation,
    ConversationId,
    CustomerId,
    Segment,
    SegmentId,
    State,
)
from handoff.errors import Conflict, StorageUnavailable
from handoff.ports import Units, Work
from handoff.speech import say, sealed
from handoff.transcript import Author, MessageKind

FindSecrets = Callable[[str, Conversation], Sequence[tuple[int, int, str]]]
"""Finds what must be sealed in a customer's text: (start, end, kind), in order."""

_ATTEMPTS = 3


class People(Protocol):
    """Customers, made at their first message."""

    def of_address(self, address: Address, now: datetime, name: str) -> CustomerId:
        """The customer behind a channel identity."""


class IntakeWork(Work, Protocol):
    """The repositories that storing a message needs."""

    @property
    def inbox(self) -> Inbox:
        """What came in."""

    @property
    def people(self) -> People:
        """Who writes."""


class Intake:
    """Implements ``connectors.messages.Sink``.

    Args:
        find_secrets: What must not be stored in the clear.
        on_stored: Told after the commit what is new, in the order in which it was stored.
    """

    def __init__(
        self,
        units: Units[IntakeWork],
        *,
        find_secrets: FindSecrets,
        on_stored: Callable[[Stored], None],
    ) -> None:
        self._units = units
        self._find_secrets = find_secrets
        self._on_stored = on_stored

    async def accept(self, messages: Sequence[Inbound]) -> tuple[Receipt, ...]:
        """Store messages, each once, in one transaction.

        Raises:
            NotStored: The database cannot be written now; nothing was kept.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                accepted = await self._units.write(lambda work: self._accept_all(work, messages))
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
        return tuple(receipt for receipt, _ in accepted)

    def _accept_all(
        self, work: IntakeWork, messages: Sequence[Inbound]
    ) -> tuple[tuple[Receipt, Stored | None], ...]:
        return tuple(self.accept_one(work, message) for message in messages)

    def accept_one(self, work: IntakeWork, message: Inbound) -> tuple[Receipt, Stored | None]:
        """Store one message inside a running unit; ``None`` for what was stored before."""
        conversation = work.conversations.of_address(message.address)
        if conversation is None:
            conversation = open_conversation(work, message)
        message_id = MessageId(str(ULID()))
        row = work.inbox.record(message, conversation.id, message_id)
        if row is None:
            known = work.inbox.receipt(message)
            assert known is not None, "it was recorded before"  # noqa: S101 - the row says so
            return known, None
        known_so_far = conversation

        def find(text: str) -> Sequence[tuple[int, int, str]]:
            return self._find_secrets(text, known_so_far)

        text, secrets = sealed(work.secrets, conversation.id, message.text, find)
        conversation, line = say(
            work,
            replace(conversation, last_customer_at=message.received_at),
            author=Author.CUSTOMER,
            kind=MessageKind.CSAT if message.kind is InboundKind.CSAT else MessageKind.TEXT,
            text=text,
            secrets=secrets,
            at=message.received_at,
            client_id=message.client_id,
            attachments=message.attachments,
            message_id=message_id,
        )
        saved = work.conversations.save(conversation)
        pending = Pending(
            id=row,
            kind=message.kind,
            message=line,
            received_at=message.received_at,
            text=message.text,
            sources=message.sources,
            button=message.button,
            button_of=message.button_of,
            score=message.score,
        )
        receipt = Receipt(message.dedup_key, line.id, saved.id, line.seq, is_new=True)
        return receipt, Stored(saved, pending)


def open_conversation(work: IntakeWork, message: Inbound) -> Conversation:
    """A conversation for a customer who writes for the first time, with its first segment."""
    now = message.received_at
    short = message.address.user_id[-4:].upper()
    segment = Segment(
        id=SegmentId(str(ULID())),
        conversation_id=ConversationId(str(ULID())),
        opened_at=now,
        first_seq=1,
    )
    conversation = Conversation(
        id=segment.conversation_id,
        customer_id=work.people.of_address(message.address, now, f"访客 {short}"),
        address=message.address,
        state=State.BOT,
        segment_id=segment.id,
        opened_at=now,
        locale=message.locale or "zh",
    )
    work.conversations.add(conversation)
    work.segments.add(segment)
    return conversation
