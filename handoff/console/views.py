"""What the console shows, put together from what is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Protocol

from connectors.messages import Attachment, MessageId, PeerKind
from handoff.auth.agents import Agent, Agents
from handoff.console.delivery_errors import delivery_text, trouble_text
from handoff.console.models import (
    AgentOut,
    AgentRef,
    AttachmentOut,
    Budget,
    ButtonOut,
    CandidateOut,
    Counts,
    Csat,
    CustomerRef,
    DeliveryOut,
    EarlierOut,
    EventOut,
    LastMessage,
    MessageOut,
    Row,
    SecretOut,
    Summary,
    SummaryOrder,
    TurnOut,
)
from handoff.console.wording import (
    close_reason_text,
    kind_text,
    reason_text,
)
from handoff.desk.presence import Presence
from handoff.desk.queue import positions
from handoff.model.conversation import (
    AgentId,
    Conversation,
    ConversationId,
    Segment,
    State,
)
from handoff.model.live_events import LiveEvent
from handoff.model.ports import Clock, Work
from handoff.model.transcript import (
    DeliveryState,
    Message,
    MessageKind,
    TurnReasons,
    with_masks,
)
from handoff.model.windows import SendBudget

_PREVIEW_CHARS = 80
UNCOUNTED = "web"
"""The channel whose sends nobody counts: it need not be asked."""
MEDIA_URL = "/api/v1/media/"


class Windows(Protocol):
    """What platforms still let us say."""

    def budget(self, conversation_id: ConversationId, now: datetime) -> SendBudget | None:
        """What is left; ``None`` where the channel does not count."""

    def held(self, conversation_id: ConversationId) -> frozenset[MessageId]:
        """Messages that wait until the customer writes."""

    def held_counts(self) -> Mapping[tuple[str, str], int]:
        """How many messages wait so, by channel and account."""


class ViewWork(Work, Protocol):
    """The repositories that the console's views read."""

    @property
    def windows(self) -> Windows:
        """What platforms still let us say."""

    @property
    def clock(self) -> Clock:
        """The time of this unit."""

    @property
    def agents(self) -> Agents:
        """Who answers."""


def agent_out(agent: Agent, presence: Presence, open_count: int) -> AgentOut:
    """An agent, as colleagues see them."""
    return AgentOut(
        id=agent.id,
        username=agent.username,
        name=agent.name,
        role=agent.role,
        status=presence.status(agent.id),
        open_count=open_count,
    )


def agents_out(work: ViewWork, presence: Presence) -> list[AgentOut]:
    """Everybody who may log in."""
    return [
        agent_out(agent, presence, work.conversations.open_count(agent.id))
        for agent in work.agents.all()
        if not agent.is_disabled
    ]


def rows(work: ViewWork, conversations: Sequence[Conversation]) -> list[Row]:
    """Conversations as a list shows them; everything is read once for all of them."""
    if not conversations:
        return []
    ids = [one.id for one in conversations]
    names = work.customers.names(list({one.customer_id for one in conversations}))
    last = work.messages.last(ids)
    unread = work.messages.unread(ids)
    has_waiting = any(one.state is State.WAITING for one in conversations)
    places = positions(work.conversations.waiting()) if has_waiting else {}
    assigned = any(one.assignee is not None for one in conversations)
    agents = {agent.id: agent for agent in work.agents.all()} if assigned else {}
    return [
        Row(
            id=one.id,
            customer=CustomerRef(
                id=one.customer_id,
                name=names.get(one.customer_id, "访客"),
                channel=one.address.ref.channel,
            ),
            state=one.state,
            mode=one.mode,
            assignee=_assignee(one, agents),
            reason=one.reason,
            reason_text=reason_text(one.reason),
            queued_at=one.queued_at,
            position=places.get(one.id),
            opened_at=one.opened_at,
            closed_at=one.closed_at,
            closing_at=one.closing_at,
            last_message=_last_message(last.get(one.id)),
            last_seq=one.last_seq,
            unread=unread.get(one.id, 0),
            version=one.version,
            csat=_csat_of(work, one),
            account=one.address.ref.account_id,
            is_group=one.address.kind is PeerKind.GROUP,
            unreachable=None if one.unreachable is None else trouble_text(one.unreachable),
            budget=_budget(work, one),
        )
        for one in conversations
    ]


def _budget(work: ViewWork, conversation: Conversation) -> Budget | None:
    if conversation.address.ref.channel == UNCOUNTED:
        return None
    found = work.windows.budget(conversation.id, work.clock())
    return None if found is None else Budget(**asdict(found))


def row(work: ViewWork, conversation: Conversation) -> Row:
    """One conversation as a list shows it."""
    return rows(work, [conversation])[0]


def counts(work: Work, agent_id: AgentId) -> Counts:
    """The numbers beside the lists."""
    return Counts(**work.conversations.counts(agent_id))


def summary(conversation: Conversation) -> Summary | None:
    """What the agent should know at the handoff; ``None`` where nobody was called."""
    if conversation.reason is None:
        return None
    stored: Mapping[str, Any] = conversation.summary or {}
    return Summary(
        reason=reason_text(conversation.reason),
        wanted=stored.get("wanted"),
        tried=[str(one) for one in stored.get("tried") or ()],
        orders=[
            SummaryOrder(
                number=str(one.get("number", "")),
                state_text=one.get("state_text"),
            )
            for one in stored.get("orders") or ()
        ],
    )


def message_outs(work: ViewWork, messages: Sequence[Message]) -> list[MessageOut]:
    """Lines of one conversation's transcript."""
    waits = any(one.delivery is DeliveryState.PENDING and one.delivery_error for one in messages)
    held = work.windows.held(messages[0].conversation_id) if waits else frozenset()
    return [_message_out(one, is_held=one.id in held) for one in messages]


def message_out(work: ViewWork, message: Message) -> MessageOut:
    """A line of the transcript."""
    return message_outs(work, [message])[0]


def _message_out(message: Message, *, is_held: bool) -> MessageOut:
    return MessageOut(
        id=message.id,
        conversation_id=message.conversation_id,
        seq=message.seq,
        author=message.author,
        author_id=message.author_id,
        author_name=message.author_name,
        client_id=message.client_id,
        kind=message.kind,
        text=message.text,
        quoted=message.quoted,
        secrets=[SecretOut(id=one.id, mask=one.mask, kind=one.kind) for one in message.secrets],
        buttons=[ButtonOut(id=one.id, label=one.label) for one in message.buttons],
        attachments=[attachment_out(one) for one in message.attachments],
        at=message.at,
        delivery=_delivery(message, is_held=is_held),
        turn=None if message.reasons is None else _turn(message.reasons),
    )


def _delivery(message: Message, *, is_held: bool) -> DeliveryOut:
    state, error = message.delivery, message.delivery_error
    text = None if is_held else delivery_text(state, error)
    return DeliveryOut(state=state, error=text, is_held=is_held)


def attachment_out(attachment: Attachment) -> AttachmentOut:
    """A file."""
    return AttachmentOut(
        id=attachment.id,
        kind=attachment.kind,
        url=MEDIA_URL + attachment.id,
        name=attachment.name,
        mime=attachment.mime,
        size=attachment.size,
        width=attachment.width,
        height=attachment.height,
        state=attachment.state,
    )


def earlier(work: ViewWork, conversation: Conversation) -> list[EarlierOut]:
    """The segments before the running one, newest first."""
    agents = {agent.id: agent.name for agent in work.agents.all()}
    return [
        EarlierOut(
            segment_id=one.id,
            opened_at=one.opened_at,
            closed_at=one.closed_at,
            closed_reason_text=close_reason_text(one.closed_reason),
            agent_name=None if one.agent_id is None else agents.get(one.agent_id),
            first_seq=one.first_seq,
            last_seq=one.last_seq,
            preview=_first_words(work, conversation.id, one),
            csat=_csat(one),
        )
        for one in work.segments.of_conversation(conversation.id)
        if one.id != conversation.segment_id
    ]


def event_out(event: LiveEvent) -> EventOut:
    """A change."""
    return EventOut(
        id=event.id,
        kind=event.kind,
        conversation_id=event.conversation_id,
        message_id=event.message_id,
        detail=event.detail,
    )


def preview(message: Message) -> str:
    """A line in few words, secrets as masks."""
    text = " ".join(with_masks(message.text, message.secrets).split())
    if not text and message.attachments:
        text = f"[{kind_text(message.attachments[0].kind)}]"
    if not text and message.kind is MessageKind.CSAT:
        text = "[评价]"
    return text if len(text) <= _PREVIEW_CHARS else text[: _PREVIEW_CHARS - 1] + "…"


def _first_words(work: Work, conversation_id: ConversationId, segment: Segment) -> str:
    found = work.messages.after(conversation_id, segment.first_seq - 1, 1)
    return preview(found[0]) if found else ""


def _assignee(conversation: Conversation, agents: Mapping[AgentId, Agent]) -> AgentRef | None:
    if conversation.assignee is None:
        return None
    agent = agents.get(conversation.assignee)
    return AgentRef(id=conversation.assignee, name=agent.name if agent else "已离开的客服")


def _last_message(message: Message | None) -> LastMessage | None:
    if message is None:
        return None
    return LastMessage(
        author=message.author, preview=preview(message), at=message.at, seq=message.seq
    )


def _csat_of(work: Work, conversation: Conversation) -> Csat | None:
    if conversation.state is not State.CLOSED:
        return None  # it is asked for at closing: a running segment has none
    segment = work.segments.get(conversation.segment_id)
    return None if segment is None else _csat(segment)


def _csat(segment: Segment) -> Csat | None:
    if segment.csat_score is None:
        return None
    return Csat(score=segment.csat_score, comment=segment.csat_comment)


def _turn(reasons: TurnReasons) -> TurnOut:
    return TurnOut(
        id=reasons.turn_id,
        action=" + ".join(reasons.actions) or "silent",
        actions=list(reasons.actions),
        intent=reasons.intent,
        intent_title=reasons.intent_title,
        confidence=reasons.confidence,
        band=reasons.band,
        rule=reasons.rule,
        tool=reasons.tool,
        outcome=reasons.outcome,
        candidates=[
            CandidateOut(
                intent=str(one.get("intent", "")),
                title=str(one.get("title") or one.get("intent", "")),
                confidence=float(one.get("confidence") or 0.0),
                source=str(one.get("source", "")),
            )
            for one in reasons.candidates
        ],
    )
