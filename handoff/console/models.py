"""What the console's API says, as pydantic models; ``openapi.json`` is made of these."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

from connectors.kit.payload import clean
from connectors.messages import HealthState, MediaState
from handoff.auth.agents import Role
from handoff.console.fields import (
    MAX_TEXT_CHARS,
    FileKind,
    In,
    Instant,
    Out,
    Query,
    Seq,
    Text,
    Word,
)
from handoff.desk.presence import Status
from handoff.model.conversation import State, WaitingMode
from handoff.model.live_events import LiveEventKind
from handoff.model.transcript import Author, DeliveryState, MessageKind

# ---------------------------------------------------------------------------------- people


class AgentOut(Out):
    """An agent, as colleagues see them."""

    id: str
    username: str
    name: str
    role: Role
    status: Status
    open_count: int


class AgentsOut(Out):
    """Everybody who may log in."""

    items: list[AgentOut]


class LoginIn(In):
    """A username and a password."""

    username: Annotated[str, StringConstraints(min_length=1, max_length=80), AfterValidator(clean)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(repr=False)


class SessionOut(Out):
    """Who is logged in, and the token that every change must carry in ``X-CSRF-Token``."""

    agent: AgentOut
    csrf_token: str


class PresenceIn(In):
    """What the agent wants to be."""

    status: Literal["online", "away"]


# ---------------------------------------------------------------------------------- conversations


class CustomerRef(Out):
    """Who writes, and on which channel."""

    id: str
    name: str
    channel: str


class AgentRef(Out):
    """An agent, in short."""

    id: str
    name: str


class LastMessage(Out):
    """The newest line, for the list."""

    author: Author
    preview: str
    at: Instant
    seq: int


class Csat(Out):
    """How satisfied the customer was, 1 (bad) to 5 (good)."""

    score: int
    comment: str | None


class Budget(Out):
    """What the platform still lets us say; ``left`` 0 locks the composer."""

    left: int
    total: int
    expires_at: Instant | None


class Row(Out):
    """A conversation in a list.

    ``account`` is the shop's account on that channel; ``unreachable`` says why nothing arrives;
    ``budget`` is ``null`` where sends are not counted.
    """

    id: str
    customer: CustomerRef
    state: State
    mode: WaitingMode | None
    assignee: AgentRef | None
    reason: str | None
    reason_text: str | None
    queued_at: Instant | None
    position: int | None
    opened_at: Instant
    closed_at: Instant | None
    closing_at: Instant | None
    last_message: LastMessage | None
    last_seq: int
    unread: int
    version: int
    csat: Csat | None
    account: str
    is_group: bool
    unreachable: str | None
    budget: Budget | None


class Counts(Out):
    """How many conversations wait, are this agent's, are with the bot."""

    queue: int
    mine: int
    bot: int


class ListQuery(Query):
    """Which list, and which page of it."""

    view: Literal["queue", "mine", "bot", "all", "closed"] = "queue"
    limit: int = Field(50, ge=1, le=200)
    before: str | None = Field(None, max_length=80)


class RowsOut(Out):
    """A page of a list; ``next`` is the ``before`` of the page after it, ``null`` at the end."""

    items: list[Row]
    next: str | None
    counts: Counts


class SummaryOrder(Out):
    """An order that was spoken of before the handoff."""

    number: str
    state_text: str | None = None


class Summary(Out):
    """What the agent should know at the handoff."""

    reason: str | None
    wanted: str | None
    tried: list[str]
    orders: list[SummaryOrder]


class ConversationOut(Out):
    """One conversation."""

    row: Row
    summary: Summary | None


class ClaimIn(In):
    """The version that the agent saw."""

    version: int | None = None


class TransferIn(In):
    """To whom (``null``: the queue), and what they should know."""

    to: str | None = None
    note: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT_CHARS),
        AfterValidator(clean),
    ]


class Empty(In):
    """Nothing need be said."""


class CloseIn(In):
    """A last word to the customer, sent before it closes."""

    text: Text | None = None
    client_id: Word | None = None


class ReadIn(In):
    """The newest place that was seen."""

    seq: Seq


# ---------------------------------------------------------------------------------- messages


class SecretOut(Out):
    """A value that the text points to with ``{{secret:ID}}``; shown only by a reveal."""

    id: str
    mask: str
    kind: str


class ButtonOut(Out):
    """A choice that was offered."""

    id: str
    label: str


class AttachmentOut(Out):
    """A file; ``url`` needs the session."""

    id: str
    kind: FileKind
    url: str
    name: str
    mime: str
    size: int
    width: int | None
    height: int | None
    state: MediaState


class DeliveryOut(Out):
    """Where a message to the customer stands.

    ``is_held``: the platform lets nothing through until the customer writes again.
    """

    state: DeliveryState
    error: str | None
    is_held: bool = False


class CandidateOut(Out):
    """An intent that was considered."""

    intent: str
    title: str
    confidence: float
    source: str


class TurnOut(Out):
    """Why the bot did what it did."""

    id: str
    action: str
    actions: list[str]
    intent: str | None
    intent_title: str | None
    confidence: float | None
    band: str | None
    rule: str | None
    tool: str | None
    outcome: str | None
    candidates: list[CandidateOut]


class MessageOut(Out):
    """One line of the transcript."""

    id: str
    conversation_id: str
    seq: int
    author: Author
    author_id: str | None
    author_name: str | None
    client_id: str | None
    kind: MessageKind
    text: str
    quoted: str
    secrets: list[SecretOut]
    buttons: list[ButtonOut]
    attachments: list[AttachmentOut]
    at: Instant
    delivery: DeliveryOut
    turn: TurnOut | None


class MessagesQuery(Query):
    """Which stretch: after a place, before a place, or (neither) the newest."""

    after: Seq | None = None
    before: Seq | None = None
    limit: int = Field(100, ge=1, le=500)


class MessagesOut(Out):
    """Lines in ascending order; ``has_more``: there are further ones in the direction asked."""

    items: list[MessageOut]
    has_more: bool


class MessageIn(In):
    """What an agent writes; the same ``client_id`` is stored once, however often it comes."""

    client_id: Word
    text: Text = ""
    attachment_ids: list[Word] = Field(default_factory=list, max_length=10)
    note: bool = False
    takeover: bool = False


# ---------------------------------------------------------------------------------- the customer


class ProfileOut(Out):
    """Who writes."""

    id: str
    name: str
    channel: str
    first_seen_at: Instant
    segments_count: int


class ProofOut(Out):
    """What the customer proved of an order."""

    order_number: str
    factor: str
    factor_text: str
    proved_at: Instant


class CardOut(Out):
    """A card, masked."""

    mask: str
    stock_state_text: str
    redemption_text: str
    checked_at: Instant | None


class RefundOut(Out):
    """A refund; fen."""

    amount_fen: int
    state_text: str


class OrderOut(Out):
    """An order of this customer; card data only where it was proved."""

    number: str
    product: str
    state_text: str
    payment_state: str
    fulfilment_state: str
    amount_fen: int | None
    created_at: Instant
    paid_at: Instant | None
    delivered_at: Instant | None
    contact_mask: str | None
    proved: bool
    cards: list[CardOut]
    refunds: list[RefundOut]


class EarlierOut(Out):
    """An earlier segment of the conversation."""

    segment_id: str
    opened_at: Instant
    closed_at: Instant | None
    closed_reason_text: str | None
    agent_name: str | None
    first_seq: int
    last_seq: int | None
    preview: str
    csat: Csat | None


class CustomerOut(Out):
    """The panel beside the conversation; ``problem`` says why orders cannot be shown now."""

    customer: ProfileOut
    proofs: list[ProofOut]
    orders: list[OrderOut]
    earlier: list[EarlierOut]
    problem: str | None = None


# ---------------------------------------------------------------------------------- the rest


class RevealOut(Out):
    """A secret's value; the look is logged."""

    value: str = Field(repr=False)


class UploadOut(Out):
    """A stored file; what it is was told by its content."""

    id: str
    kind: FileKind
    url: str
    name: str
    mime: str
    size: int
    width: int | None
    height: int | None


class KbStatus(Out):
    """How kb.yaml is."""

    ok: bool
    loaded_at: Instant
    intents: int
    phrases: int
    problem: str | None = None


class ConnectorStatus(Out):
    """How a channel's account is, in short."""

    channel: str
    account: str
    state: HealthState
    last_error: str | None = None


class Figure(Out):
    """Something that a channel tells of itself: a word or a number, or a time."""

    name: str
    label: str
    text: str | None = None
    at: Instant | None = None


class ChannelOut(ConnectorStatus):
    """An account that customers write to.

    ``channel_title`` is the channel's name, ``title`` the account's, empty where it has none;
    ``sends`` names the kinds of files that go out; ``has_budget``: sends are counted; ``held``:
    messages that wait until their customer writes.
    """

    channel_title: str
    title: str = ""
    last_inbound_at: Instant | None = None
    last_outbound_at: Instant | None = None
    sends: list[FileKind]
    has_budget: bool
    held: int = 0
    figures: list[Figure]


class ChannelsOut(Out):
    """Every account, and the largest file that agents may send, in bytes."""

    items: list[ChannelOut]
    max_file_bytes: int


class StatusOut(Out):
    """How the server is."""

    kb: KbStatus
    connectors: list[ConnectorStatus]
    version: str


class EventOut(Out):
    """A change, for the live list."""

    id: int
    kind: LiveEventKind
    conversation_id: str
    message_id: str | None
    detail: str | None


class ErrorDetail(BaseModel):
    """What went wrong; some codes have further fields, such as ``assignee`` or ``fields``."""

    model_config = ConfigDict(frozen=True, extra="allow")

    code: str
    message: str
    retry_after_s: float | None = None


class ErrorOut(Out):
    """Every answer that is no success."""

    error: ErrorDetail


class LiveQuery(Query):
    """The cursor of the last frame that was received; without it, from now on."""

    cursor: Annotated[int, Field(ge=0, le=2**62)] | None = None
