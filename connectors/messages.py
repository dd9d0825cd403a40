"""Channel-neutral messages: what comes in, what goes out, and what a connector promises.

Every connector speaks these types and no other; what is stored, decided and retried knows nothing
of Telegram, WeChat or the web page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType, Protocol

MessageId = NewType("MessageId", str)


@dataclass(frozen=True, slots=True)
class ChannelRef:
    """One account on one channel, such as a bot, an app or a site key."""

    channel: str
    account_id: str


class PeerKind(StrEnum):
    """Who reads what we send."""

    PRIVATE = "private"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a conversation lives.

    Attributes:
        ref: The account it came in by.
        peer_id: The chat: a visitor, a user, a group.
        user_id: Who wrote; equals ``peer_id`` in private chats.
        kind: In a group nothing of an order or a card is ever shown.
    """

    ref: ChannelRef
    peer_id: str
    user_id: str
    kind: PeerKind = PeerKind.PRIVATE

    @property
    def identity(self) -> str:
        """One stable text for the person behind it: ``channel:account:user``."""
        return f"{self.ref.channel}:{self.ref.account_id}:{self.user_id}"


class InboundKind(StrEnum):
    """What happened on the channel."""

    MESSAGE = "message"
    BUTTON = "button"
    CSAT = "csat"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a message carries, already fetched and checked by content.

    Attributes:
        id: Unguessable; also the file's name in the media folder.
        kind: ``image`` or ``file``.
        size: Bytes.
        width: Pixels; ``None`` where it is no image.
        height: Pixels; ``None`` where it is no image.
    """

    id: str
    kind: str
    mime: str
    size: int
    name: str = ""
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Button:
    """A choice offered under a message; pressing it sends ``id`` back."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Inbound:
    """Something a customer did, as the channel told it.

    Attributes:
        dedup_key: The channel's own id of it; equal over every redelivery.
        text: As typed, possibly empty. Secrets in it are sealed before it is stored.
        button: The pressed button's id; ``button_of`` is the message that offered it.
        client_id: The page's own id of it, given back with the acknowledgement.
        score: Satisfaction, 1 (bad) to 5 (good), for ``InboundKind.CSAT``.
        sources: Keys for throttling beside the identity, such as a hash of the network address.
        locale: ``zh`` or ``en``: the language of the page or app, where known.
    """

    dedup_key: str
    address: Address
    received_at: datetime
    kind: InboundKind = InboundKind.MESSAGE
    text: str = field(default="", repr=False)
    attachments: tuple[Attachment, ...] = ()
    button: str | None = None
    button_of: str | None = None
    score: int | None = None
    client_id: str | None = None
    sources: tuple[str, ...] = ()
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an accepted message.

    Attributes:
        seq: Its place in the conversation, growing for the life of the customer on this channel.
        is_new: ``False`` when the channel delivered it before.
    """

    dedup_key: str
    message_id: MessageId
    conversation_id: str
    seq: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class Outbound:
    """One message on its way to a customer.

    Attributes:
        outbox_id: ULID; the idempotency key where the channel takes one.
        text: With secrets filled in; never log it.
        author: ``bot``, ``agent`` or ``system``; ``author_name`` is shown where it is an agent.
        kind: ``text``, ``notice``, ``csat`` or ``mail``; only a mail has a ``subject``.
    """

    outbox_id: str
    address: Address
    message_id: MessageId
    seq: int
    text: str = field(repr=False)
    author: str
    at: datetime
    author_name: str | None = None
    kind: str = "text"
    subject: str | None = None
    client_id: str | None = None
    buttons: tuple[Button, ...] = ()
    attachments: tuple[Attachment, ...] = ()


class SendStatus(StrEnum):
    """How sure we are that it arrived."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True)
class SendResult:
    """A channel took the message; ``platform_ids`` are its names for it."""

    status: SendStatus
    platform_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can do; what it cannot is rendered another way outside the connector.

    Attributes:
        max_text: Longest text in ``text_unit``s.
        text_unit: ``chars``, ``utf16`` or ``bytes``.
        send_idempotent: Sending the same ``outbox_id`` twice shows once.
    """

    max_text: int
    text_unit: str
    has_buttons: bool
    has_images: bool
    has_typing: bool
    send_idempotent: bool
    redelivers: bool


class HealthState(StrEnum):
    """Of one connector."""

    STARTING = "starting"
    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Health:
    """How a connector feels; shown in /readyz, in the metrics and in the console."""

    state: HealthState
    last_inbound_at: datetime | None = None
    last_outbound_ok_at: datetime | None = None
    last_error: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


class Sink(Protocol):
    """Takes messages in: one durable transaction, before the platform is acknowledged."""

    async def accept(self, messages: Sequence[Inbound]) -> tuple[Receipt, ...]:
        """Store messages, each once.

        Args:
            messages: In the order in which the channel had them.

        Returns:
            One receipt a message, in the same order.

        Raises:
            NotStored: Nothing of it was kept; the channel must not be acknowledged.
        """
        ...


class Connector(Protocol):
    """Our code for one account on one channel."""

    @property
    def ref(self) -> ChannelRef:
        """The account it speaks for."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can do now."""
        ...

    def health(self) -> Health:
        """How it feels now."""
        ...

    async def send(self, message: Outbound) -> SendResult:
        """Hand one message to the platform.

        Raises:
            SendError: It was not taken, or nobody knows; the subclass says what helps.
        """
        ...

    async def typing(self, address: Address, author: str, *, is_on: bool) -> None:
        """Show or hide that somebody writes; nothing where the channel cannot."""
        ...
