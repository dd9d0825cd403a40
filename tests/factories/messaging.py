"""Messages in and out, as storage and delivery see them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from ulid import ULID

from bot.inbox.accept import Intake
from bot.sealing.finder import find_secrets
from connectors.messages import (
    Address,
    ChannelRef,
    Checkpoint,
    Inbound,
    MessageId,
    Outbound,
    Receipt,
    Unit,
)
from handoff.desk.append import append_message, sealed
from handoff.desk.desk import Desk
from handoff.desk.presence import Presence
from handoff.machine.rules import Rules
from handoff.model.conversation import ConversationId
from handoff.model.transcript import Author, Message
from storage.storage import Storage
from storage.unit_of_work import UnitOfWork
from tests.factories.handoff import DailyHours
from tests.factories.shop import NOON

WEB = ChannelRef("web", "default")


def an_address(visitor: str = "v1", ref: ChannelRef = WEB) -> Address:
    return Address(ref, peer_id=visitor, user_id=visitor)


def an_inbound(text: str = "在吗", *, visitor: str = "v1", key: str = "", **more: Any) -> Inbound:
    key = key or str(ULID())
    values: dict[str, Any] = {
        "dedup_key": f"{visitor}:{key}",
        "client_id": key,
        "address": an_address(visitor),
        "received_at": NOON,
    }
    return Inbound(text=text, **{**values, **more})


def an_outbound(number: int = 1, *, visitor: str = "v1", text: str = "", **more: Any) -> Outbound:
    values: dict[str, Any] = {
        "outbox_id": f"O{number}",
        "address": an_address(visitor),
        "message_id": MessageId(f"M{number}"),
        "seq": number,
        "text": text or f"line {number}",
        "author": "bot",
        "at": NOON,
    }
    return Outbound(**{**values, **more})


def a_unit(message: Outbound) -> Unit:
    """A message in one piece."""
    return Unit(f"{message.outbox_id}-0", message, text=message.text)


async def received(
    storage: Storage, *messages: Inbound, checkpoint: Checkpoint | None = None
) -> tuple[Receipt, ...]:
    """Store customers' messages as the product does."""
    desk = Desk(Rules(), presence=Presence(lambda: NOON), hours=DailyHours(), clock=lambda: NOON)
    intake = Intake(storage, desk=desk, find_secrets=find_secrets, on_stored=lambda _stored: None)
    return await intake.accept(messages, checkpoint)


async def a_stored_conversation(storage: Storage, visitor: str = "v1") -> ConversationId:
    (receipt,) = await received(storage, an_inbound(visitor=visitor))
    return ConversationId(receipt.conversation_id)


def bot_says(
    work: UnitOfWork,
    conversation_id: ConversationId,
    text: str = "您好",
    *,
    at: datetime = NOON,
    secrets: tuple[str, ...] = (),
) -> Message:
    """A line of the bot in a running unit, its secrets sealed."""

    def find(said: str) -> list[tuple[int, int, str]]:
        return [(said.index(one), said.index(one) + len(one), "card") for one in secrets]

    conversation = work.conversations.lock(conversation_id)
    text, refs = sealed(work.secrets, conversation_id, text, find)
    conversation, message = append_message(
        work, conversation, author=Author.BOT, text=text, secrets=refs, at=at
    )
    work.conversations.save(conversation)
    return message


def somebody_takes_over(work: UnitOfWork, conversation_id: ConversationId) -> None:
    """The conversation gets another owner: what the bot still wanted to say is stale."""
    conversation = work.conversations.lock(conversation_id)
    work.conversations.save(replace(conversation, owner_epoch=conversation.owner_epoch + 1))
