"""Channel-neutral messages: what comes in, what goes out, and what a connector promises.

Every connector speaks these types and no other; what is stored, decided and retried knows nothing
of Telegram, WeChat or the web page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NewType, Protocol

if TYPE_CHECKING:  # the commands that need no server need not load one
    from aiohttp import web

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
    EDIT = "edit"
    """A message was changed; ``text`` is the new one."""
    ARRIVAL = "arrival"
    """Followed, started, added as a friend, entered: the customer can be greeted."""
    DEPARTURE = "departure"
    """Unfollowed, blocked: nothing can be sent until they come back."""
    RECALL = "recall"
    """A message was taken back."""
    DELIVERY_FAILED = "undelivered"
    """A unit that the platform had taken did not arrive; ``reference`` is the unit's id."""
    NATIVE_REPLY = "native_reply"
    """Our account said something that we did not send: a person answers in the native app."""
    NATIVE_END = "native_end"
    """That person's session is over."""
    OTHER = "other"
    """Anything else: its ``raw`` form is kept for a while and skipped."""


class MediaState(StrEnum):
    """Whether an attachment's bytes are here."""

    READY = "ready"
    PENDING = "pending"
    FAILED = "failed"
    EXPIRED = "expired"
    """An upload that no message carried; its bytes were deleted."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a message carries.

    Attributes:
        id: Unguessable; also the file's name in the media folder.
        kind: ``image``, ``voice``, ``video`` or ``file``; told by content once it is ``ready``.
        size: Bytes; 0 where it is not known yet.
        width: Pixels; ``None`` where it is no image.
        height: Pixels; ``None`` where it is no image.
        state: ``pending`` until it was fetched from the platform and checked by content.
    """

    id: str
    kind: str
    mime: str
    size: int
    name: str = ""
    width: int | None = None
    height: int | None = None
    state: MediaState = MediaState.READY


@dataclass(frozen=True, slots=True)
class MediaHandle:
    """A file that still lies with the platform; the connector that named it can fetch it.

    Attributes:
        kind: ``image``, ``voice``, ``video`` or ``file``, as the platform says.
        handle: JSON-safe; opaque to everybody but the connector. It may hold a signed address:
            it is stored encrypted, and never logged.
        size: Bytes, as the platform says; ``None`` where it does not.
    """

    kind: str
    handle: Mapping[str, Any] = field(repr=False)
    name: str = ""
    mime: str = ""
    size: int | None = None


@dataclass(frozen=True, slots=True)
class ReplyWindow:
    """What the platform lets us say after something that a customer did.

    Attributes:
        key: The platform's own name of what opened it; equal over redeliveries.
        data: JSON-safe; handed back to the connector with each send in this window (QQ's
            ``msg_id``, a group's temporary session).
        expires_at: Aware UTC; ``None`` where it never does.
        max_replies: How many sends it holds; ``None`` where they are not counted.
        replaces: Earlier windows of the conversation close when this one opens: the platform
            counts from the newest message (WeChat, WeCom); ``False`` where each message has
            replies of its own (QQ).
    """

    key: str
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    expires_at: datetime | None = None
    max_replies: int | None = None
    replaces: bool = True


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to send one unit, written down before it is sent and kept over its retries.

    Attributes:
        data: Of the window.
        number: Which reply of the window this is, from 1: QQ's ``msg_seq``.
    """

    data: Mapping[str, Any] = field(repr=False)
    number: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a connector has read; stored in the transaction that stores what it read.

    Attributes:
        ref: Whose.
        name: Which of the account's: ``offset``, ``cursor``.
        value: Opaque text.
    """

    ref: ChannelRef
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Button:
    """A choice offered under a message; pressing it sends ``id`` back."""

    id: str
    label: str


BUTTON_PREFIX = "kf1:"
_TOKEN = re.compile(r"kf1:([0-9A-Z]{26}):([0-9]{1,2})")


def button_token(message_id: MessageId, index: int) -> str:
    """What a platform gives back when a button is pressed: which button of which message.

    At most 33 characters of ASCII, and nothing but a look-up: Telegram allows 64 bytes of
    ``callback_data``, WeCom 64 of a menu item's id.

    Args:
        index: Place among the message's buttons, from 0.

    >>> button_token(MessageId("01JABCDEFGHJKMNPQRSTVWXYZ0"), 2)
    'kf1:01JABCDEFGHJKMNPQRSTVWXYZ0:2'
    """
    return f"{BUTTON_PREFIX}{message_id}:{index}"


def read_button_token(token: str) -> tuple[MessageId, int] | None:
    """The message and the button's place in it; ``None`` for what is no token of ours."""
    found = _TOKEN.fullmatch(token)
    return None if found is None else (MessageId(found[1]), int(found[2]))


@dataclass(frozen=True, slots=True)
class Inbound:
    """Something a customer did, as the channel told it.

    Attributes:
        dedup_key: The channel's own id of it; equal over every redelivery.
        text: As typed, possibly empty. Secrets in it are sealed before it is stored.
        quoted: What the message answers, where the channel tells; not the customer's own words.
            Secrets in it are sealed as well.
        is_unreadable: ``text`` only describes what was sent (``[位置] …``): the bot says that it
            cannot read it. A sticker is its emoji instead.
        album: The channel's own name of what this is a part of: an album comes as a message a
            file.
        attachments: Files that are here already.
        media: Files that the connector can fetch; they become attachments.
        button: The pressed button's id; ``button_of`` is the message that offered it.
        button_token: Where the platform gives back a token (``button_token``) instead.
        client_id: The page's own id of it, given back with the acknowledgement.
        score: Satisfaction, 1 (bad) to 5 (good), for ``InboundKind.CSAT``.
        sources: Keys for throttling beside the identity, such as a hash of the network address.
        locale: ``zh`` or ``en``: the language of the page or app, where known.
        person_name: What the customer is called there; shown in the console, never trusted.
        contacts: Contacts that the shop itself vouches for (the app channel alone): the bot may
            take them as this customer's own.
        window: What we may say back; ``None`` where the channel does not limit it.
        order_hint: Sorts messages of one conversation as the platform had them, where deliveries
            may overtake each other; all of a channel have one, or none.
        platform_time: When the platform says it happened; aware UTC.
        reference: The unit or platform message that an event is about, or that a message answers.
        detail: Why, for the console: a failed delivery's reason, in Chinese.
        raw: The payload of what we do not understand, for ``OTHER``.
    """

    dedup_key: str
    address: Address
    received_at: datetime
    kind: InboundKind = InboundKind.MESSAGE
    text: str = field(default="", repr=False)
    quoted: str = field(default="", repr=False)
    is_unreadable: bool = False
    album: str | None = None
    attachments: tuple[Attachment, ...] = ()
    media: tuple[MediaHandle, ...] = ()
    button: str | None = None
    button_of: str | None = None
    button_token: str | None = None
    score: int | None = None
    client_id: str | None = None
    sources: tuple[str, ...] = ()
    locale: str | None = None
    person_name: str | None = field(default=None, repr=False)
    contacts: tuple[str, ...] = field(default=(), repr=False)
    window: ReplyWindow | None = None
    order_hint: str | None = None
    platform_time: datetime | None = None
    reference: str | None = None
    detail: str | None = None
    raw: bytes | None = field(default=None, repr=False)


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
        verify: Pressed to see again what is hidden in the text: the proof has ended.
        codes: Card keys in the text: shown so that a tap copies them where the channel can, and
            never sent to a group.
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
    codes: tuple[str, ...] = field(default=(), repr=False)
    verify: Button | None = None


class Markup(StrEnum):
    """How a unit's text is written."""

    PLAIN = "plain"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class Unit:
    """One request's worth of an outbound message, cut to what the channel takes.

    Attributes:
        id: ``OUTBOXID-N``: at most 32 of ``[0-9A-Za-z-]``, the same over every retry; the
            idempotency key where the channel takes one.
        outbound: The message that it is part of.
        text: In ``markup``; empty where there is only a file.
        attachment: One file, where this unit is a file.
        buttons: (Token, label), where the channel draws buttons; the token comes back as
            ``Inbound.button_token``.
        is_last: Whether the message ends with it.
        grant: Leave to send it, where the channel has reply windows.
    """

    id: str
    outbound: Outbound
    text: str = field(default="", repr=False)
    markup: Markup = Markup.PLAIN
    attachment: Attachment | None = None
    buttons: tuple[tuple[str, str], ...] = ()
    is_last: bool = True
    grant: Grant | None = None

    @property
    def address(self) -> Address:
        """Where it goes."""
        return self.outbound.address


class SendStatus(StrEnum):
    """How sure we are that it arrived."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    PENDING_AUDIT = "pending_audit"
    """Taken, and held by the platform for a review of its own."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """A channel took the message; ``platform_ids`` are its names for it."""

    status: SendStatus
    platform_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a channel may be written to.

    Attributes:
        account_per_s: Messages a second over all customers.
        peer_per_s: Messages a second to one of them.
        peer_burst: How many may follow each other at once before that counts.
    """

    account_per_s: float
    peer_per_s: float
    peer_burst: int = 1


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can do; what it cannot is rendered another way outside the connector.

    Attributes:
        max_text: Longest text in ``text_unit``s.
        text_unit: ``chars``, ``utf16`` or ``bytes`` (of UTF-8).
        has_buttons: Buttons are drawn; else they become numbered lines and "2" picks the second.
        max_buttons: Of one message.
        max_label: Longest label, in ``text_unit``s.
        max_button_text: Longest text that buttons can stand under; ``None``: as any text.
        sends: Kinds of files that go out (``image``, ``voice``, ``video``, ``file``); for others
            the customer reads that there is one.
        composes: One send carries text, files and buttons together.
        markup: What ``Unit.text`` is written in; refused formatting is sent once more as plain.
        needs_grant: Sends are counted within reply windows.
        merges_replies: Replies are few: a turn's several are sent as one.
        send_idempotent: Sending the same ``Unit.id`` twice shows once.
        redelivers: What was not acknowledged comes again.
        loses_before_us: Messages may be lost before they reach us (a relay's queue): declared,
            so that nobody promises more.
        pace: ``None`` where it is not limited.
    """

    max_text: int
    text_unit: str = "chars"
    has_buttons: bool = False
    max_buttons: int = 10
    max_label: int = 40
    max_button_text: int | None = None
    sends: frozenset[str] = frozenset()
    composes: bool = False
    has_typing: bool = False
    markup: Markup = Markup.PLAIN
    needs_grant: bool = False
    merges_replies: bool = False
    send_idempotent: bool = False
    redelivers: bool = False
    loses_before_us: bool = False
    pace: Pace | None = None


class HealthState(StrEnum):
    """Of one connector."""

    STARTING = "starting"
    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    """Nothing but a change of configuration helps."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a connector feels; shown in /readyz, in the metrics and in the console.

    Attributes:
        last_error: What went wrong last and was not followed by a success, for an admin: never a
            token, an identity or a customer's words.
    """

    state: HealthState
    last_inbound_at: datetime | None = None
    last_outbound_ok_at: datetime | None = None
    last_error: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """What ``kefu channels check`` says of an account; each text is for an admin, in Chinese.

    Attributes:
        is_reachable: The platform answered; ``None`` where we only wait to be called.
        is_authorised: It took our credentials; ``None`` where it was not asked.
        webhook: Where its events go, or what is missing there; ``None`` where there is none.
        advice: What to do about what is wrong, one sentence each.
        name: What the account calls itself there.
    """

    is_reachable: bool | None
    is_authorised: bool | None
    webhook: str | None = None
    advice: tuple[str, ...] = ()
    name: str | None = None


class Sink(Protocol):
    """Takes messages in: one durable transaction, before the platform is acknowledged."""

    async def accept(
        self, messages: Sequence[Inbound], checkpoint: Checkpoint | None = None
    ) -> tuple[Receipt, ...]:
        """Store messages, each once, and how far the connector has read.

        Args:
            messages: In the order in which the channel had them; all of one account.
            checkpoint: Stored in the same transaction, also where no message came.

        Returns:
            One receipt a message that has a place in a conversation, in the same order.

        Raises:
            NotStored: Nothing of it was kept; the channel must not be acknowledged.
        """
        ...


class Connector(Protocol):
    """Our code for one account on one channel: it decodes, verifies, encodes, classifies errors.

    Cutting, rendering, order, quotas, retries and repeats are dealt with outside, for all alike.
    """

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

    def routes(self) -> Sequence[web.RouteDef]:
        """Routes that the platform calls; empty where it is we who call."""
        ...

    async def start(self) -> None:
        """Begin: log in, poll, dial. Returns soon; what goes on belongs to the connector.

        A platform that is away is no error here: it shows in ``health``.
        """
        ...

    async def stop(self) -> None:
        """Take nothing in any more, and end what ``start`` began; once more does nothing."""
        ...

    async def send(self, unit: Unit) -> SendResult:
        """Hand one unit to the platform.

        Raises:
            SendError: It was not taken, or nobody knows; the subclass says what helps.
        """
        ...

    async def typing(self, address: Address, author: str, *, is_on: bool) -> None:
        """Show or hide that somebody writes; nothing where the channel cannot; never an error."""
        ...

    async def fetch(self, media: MediaHandle, max_bytes: int) -> bytes:
        """A file's content.

        Raises:
            MediaError: It is gone, too large, or not to be had now.
        """
        ...

    async def check(self) -> Check:
        """Ask the platform how things stand, without changing anything."""
        ...
