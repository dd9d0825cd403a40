"""Events on a channel beside messages, and the meaning that a message has on its channel.

A pressed button comes back as a token, "2" may pick from a notice's choices, a customer may have
gone. All of it is settled in the unit that stores the message.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from ulid import ULID

from bot.dialogue.decide import VERIFY
from bot.sealing.finder import find_secrets, masked
from connectors.delivery.rendering import CSAT_BUTTONS
from connectors.messages import (
    Address,
    Attachment,
    Button,
    ChannelRef,
    Checkpoint,
    Inbound,
    InboundKind,
    MediaHandle,
    MessageId,
    ReplyWindow,
    read_button_token,
)
from handoff.desk.append import append_message, sealed
from handoff.desk.desk import Desk
from handoff.machine import events
from handoff.model.conversation import (
    Conversation,
    ConversationId,
    CustomerId,
    Segment,
    SegmentId,
    State,
)
from handoff.model.inbound import Inbox
from handoff.model.live_events import LiveEventKind
from handoff.model.ports import Work
from handoff.model.transcript import Author, Message, MessageKind

EVENTS = frozenset(
    {
        InboundKind.DEPARTURE,
        InboundKind.RECALL,
        InboundKind.DELIVERY_FAILED,
        InboundKind.NATIVE_REPLY,
        InboundKind.NATIVE_END,
    }
)
"""Kinds that need no answer."""
_REMEMBERED = frozenset({InboundKind.DEPARTURE, InboundKind.NATIVE_REPLY})
"""Kinds that count although their customer has not written yet."""
DOUBLE_PRESS = timedelta(seconds=10)
_EDITED = "✎ "
_CHOICE = re.compile(r"(?:第)?([1-9一二三四五])(?:个|分|星|颗星)?[。.!！~～]?")
_DIGITS = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5}
_RECENT = 3


class People(Protocol):
    """Customers, made at their first message."""

    def of_address(self, address: Address, now: datetime, name: str) -> CustomerId:
        """Return the customer behind a channel identity."""

    def name(self, customer_id: CustomerId) -> str:
        """Return a name to show."""

    def rename(self, customer_id: CustomerId, name: str) -> None:
        """Take over the name that the channel has for them now."""

    def vouch(self, address: Address, contacts: Sequence[str]) -> None:
        """Keep the contacts that the shop itself vouches for."""

    def vouched(self, address: Address) -> tuple[str, ...]:
        """Return the contacts that the shop vouches for."""


class Channels(Protocol):
    """State of connectors, and payloads that nobody understood."""

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Remember how far an account was read."""

    def keep_raw(self, message: Inbound) -> bool:
        """Keep a payload that nobody understood."""


class ReplyWindows(Protocol):
    """Leave that platforms give to speak."""

    def open(self, conversation_id: ConversationId, window: ReplyWindow, now: datetime) -> None:
        """Note that a customer's doing lets us speak; a repeat changes nothing."""


class HeldMessages(Protocol):
    """Messages of the outbox that wait for their customer, or were not delivered."""

    def release_held(self, conversation_id: ConversationId, now: datetime) -> None:
        """Make due what was held until the customer wrote."""

    def undelivered(self, outbox_id: str, now: datetime, error: str) -> bool:
        """Note that the platform did not deliver what it had taken; ``False``: unknown to us."""


class PendingFiles(Protocol):
    """Files that lie with a platform."""

    def add_pending(
        self,
        attachment: Attachment,
        media: MediaHandle,
        *,
        ref: ChannelRef,
        message_id: MessageId,
        owner: str,
        sent_from: str,
        at: datetime,
    ) -> None:
        """Note a file that is to be fetched."""

    def attach(self, ids: Sequence[str]) -> None:
        """Note that a message carries these uploads."""


class IntakeWork(Work, Protocol):
    """The repositories that storing a message needs."""

    @property
    def inbox(self) -> Inbox:
        """Messages that came in."""

    @property
    def people(self) -> People:
        """Customers."""

    @property
    def channels(self) -> Channels:
        """State of connectors, and payloads that nobody understood."""

    @property
    def windows(self) -> ReplyWindows:
        """Leave that platforms give to speak."""

    @property
    def held(self) -> HeldMessages:
        """Messages that wait in the outbox."""

    @property
    def attachments(self) -> PendingFiles:
        """Files that lie with a platform."""


def arrival_text(payload: str) -> str:
    """Return the line that agents read when a customer arrives."""
    return f"顾客打开了对话（{payload}）" if payload else "顾客打开了对话"


# ---------------------------------------------------------------------- what a message means


def interpreted(work: IntakeWork, conversation: Conversation, message: Inbound) -> Inbound:
    """Return the message with its button or choice looked up, and an edit marked as one."""
    if message.kind is InboundKind.EDIT:
        return replace(message, text=f"{_EDITED}{message.text}")
    if message.button_token is not None:
        return _pressed(work, conversation, message)
    has_notices = conversation.state in {State.WAITING, State.CLOSED}
    if message.kind is InboundKind.MESSAGE and has_notices and not message.attachments:
        return _chosen(work, conversation, message)
    return message


def is_double_press(work: IntakeWork, conversation: Conversation, message: Inbound) -> bool:
    """Return whether a button is pressed a second time at once: platforms name each press anew."""
    if message.button_token is None or message.button is None or message.button_of is None:
        return False
    since = message.received_at - DOUBLE_PRESS
    return work.inbox.pressed_since(conversation.id, message.button, message.button_of, since)


def _pressed(work: IntakeWork, conversation: Conversation, message: Inbound) -> Inbound:
    place = read_button_token(message.button_token or "")
    offered = work.messages.get(place[0]) if place is not None else None
    if place is None or offered is None or offered.conversation_id != conversation.id:
        return replace(message, kind=InboundKind.BUTTON, button="gone", text="（已失效的按钮）")
    return _picked(work, message, offered, place[1])


def _picked(work: IntakeWork, message: Inbound, offered: Message, index: int) -> Inbound:
    if offered.kind is MessageKind.CSAT and index < len(CSAT_BUTTONS):
        label = CSAT_BUTTONS[index].label
        return replace(message, kind=InboundKind.CSAT, score=index + 1, text=label)
    buttons = offered.buttons
    if index == len(buttons) and offered.secrets:
        # drawn after the others where the line went out with its secrets hidden
        orders = work.secrets.orders([ref.id for ref in offered.secrets])
        number = next(iter(orders.values()), "")
        buttons = (*buttons, Button(f"{VERIFY}:{number}" if number else VERIFY, "再次验证"))
    if index >= len(buttons):
        return replace(message, kind=InboundKind.BUTTON, button="gone", text="（已失效的按钮）")
    button = buttons[index]
    return replace(
        message,
        kind=InboundKind.BUTTON,
        button=button.id,
        button_of=offered.id,
        text=button.label,
    )


def _chosen(work: IntakeWork, conversation: Conversation, message: Inbound) -> Inbound:
    """Look up a number, or a label, that answers the newest notice with choices or the stars.

    The bot's own choices are the dialogue's matter.
    """
    text = message.text.strip()
    number = _CHOICE.fullmatch(text)
    recent = work.messages.before(conversation.id, conversation.last_seq + 1, _RECENT)
    for line in reversed(recent):
        if line.author is Author.CUSTOMER:
            return message
        is_offer = line.kind is MessageKind.CSAT or (
            line.kind is MessageKind.NOTICE and bool(line.buttons)
        )
        if not is_offer:
            continue
        labels = [button.label for button in line.buttons]
        if number is not None:
            index = (_DIGITS.get(number[1]) or int(number[1])) - 1
            count = len(CSAT_BUTTONS) if line.kind is MessageKind.CSAT else len(labels)
            return _picked(work, message, line, index) if index < count else message
        return _picked(work, message, line, labels.index(text)) if text in labels else message
    return message


# ---------------------------------------------------------------------- what else changes


def note_effects(work: IntakeWork, conversation: Conversation, message: Inbound) -> None:
    """Note what a new message changes beside the transcript."""
    if message.window is not None:
        work.windows.open(conversation.id, message.window, message.received_at)
    if message.window is not None or conversation.unreachable is not None:
        work.held.release_held(conversation.id, message.received_at)
    name = masked(message.person_name or "")
    if name and name[:80] != work.people.name(conversation.customer_id):
        work.people.rename(conversation.customer_id, name)
    if message.contacts and message.contacts != work.people.vouched(message.address):
        work.people.vouch(message.address, message.contacts)


def store_event(work: IntakeWork, desk: Desk, message: Inbound) -> None:
    """Store an event and change the conversation as it says; a repeat changes nothing."""
    conversation = work.conversations.of_address(message.address)
    if conversation is None and message.kind in _REMEMBERED and message.address.user_id:
        # whoever serves or has lost them, it counts when their first words come
        conversation = open_conversation(work, message)
    if conversation is None:
        return  # of somebody who never wrote
    line_id = MessageId(str(ULID()))
    if work.inbox.record(message, conversation.id, line_id, needs_turn=False) is None:
        return
    now = message.received_at
    match message.kind:
        case InboundKind.DELIVERY_FAILED:
            outbox_id = (message.reference or "").rpartition("-")[0]
            work.held.undelivered(outbox_id, now, message.detail or "平台没有送达")
        case InboundKind.RECALL:
            _note(work, conversation, message, line_id, "顾客撤回了一条消息")
        case InboundKind.DEPARTURE:
            why = message.detail or "顾客已取消关注或拉黑，暂时发不出消息"
            gone = replace(conversation, unreachable=why[:80])
            _note(work, gone, message, line_id, why)
            work.live_events.add(
                LiveEventKind.STATE_CHANGED, gone.id, now, detail=conversation.state.value
            )
        case InboundKind.NATIVE_REPLY:
            where = message.detail or "原生客户端"
            noted = _note(work, conversation, message, line_id, f"在{where}回复：{message.text}")
            desk.handle(work, noted, events.NativeReply())
        case InboundKind.NATIVE_END if conversation.state is State.EXTERNAL:
            noted = _note(work, conversation, message, line_id, "原生会话已结束")
            desk.handle(work, noted, events.NativeEnded())
        case _:
            return


def open_conversation(work: IntakeWork, message: Inbound) -> Conversation:
    """Open a conversation, with its first segment, for a customer who writes for the first time."""
    now = message.received_at
    name = masked(message.person_name or "") or f"访客 {message.address.user_id[-4:].upper()}"
    segment = Segment(
        id=SegmentId(str(ULID())),
        conversation_id=ConversationId(str(ULID())),
        opened_at=now,
        first_seq=1,
    )
    conversation = Conversation(
        id=segment.conversation_id,
        customer_id=work.people.of_address(message.address, now, name[:80]),
        address=message.address,
        state=State.BOT,
        segment_id=segment.id,
        opened_at=now,
        locale=message.locale or "zh",
    )
    work.conversations.add(conversation)
    work.segments.add(segment)
    return conversation


def _note(
    work: IntakeWork,
    conversation: Conversation,
    message: Inbound,
    line_id: MessageId,
    text: str,
) -> Conversation:
    """Add a line that agents read and the customer does not."""
    stored, secrets = sealed(
        work.secrets, conversation.id, text, lambda said: find_secrets(said, conversation)
    )
    conversation, _ = append_message(
        work,
        conversation,
        author=Author.SYSTEM,
        kind=MessageKind.NOTE,
        text=stored,
        secrets=secrets,
        at=message.received_at,
        message_id=line_id,
    )
    return work.conversations.save(conversation)
