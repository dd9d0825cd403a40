"""The state machine: every legal move of a conversation, as pure code.

Who may speak is a table of states (``may_bot_speak``) and a table of occurrences (``apply``).
At most one owner at any time; ``owner_epoch`` moves only when the owner does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from handoff.errors import IllegalMove
from handoff.machine.events import (
    Acted,
    AgentLeft,
    AgentSent,
    BotFailed,
    ChoseToLeaveMessage,
    ChoseToWait,
    Claimed,
    Closed,
    CloseReason,
    CustomerWrote,
    GivenBack,
    HandoffRequested,
    LeftQueue,
    NativeEnded,
    NativeReply,
    NobodyOnline,
    Occurrence,
    Reason,
    TimerFired,
    Transferred,
)
from handoff.machine.move import (
    Alert,
    Move,
    Notice,
    Speech,
    closed,
    in_queue,
    may_bot_speak,
    owner_of,
    with_agent,
    with_bot,
)
from handoff.machine.rules import Rules
from handoff.machine.timer_moves import fired
from handoff.machine.timetable import next_step
from handoff.model.conversation import Conversation, State, WaitingMode


def apply(conversation: Conversation, event: Occurrence, now: datetime, rules: Rules) -> Move:
    """The move that an occurrence makes.

    Args:
        now: Aware UTC.

    Returns:
        The move; its conversation has its ``owner_epoch`` and ``due_at`` set, and is not saved.

    Raises:
        IllegalMove: This state has no such move; nothing happens.
    """
    move = _move(conversation, event, now, rules)
    after = move.conversation
    has_new_owner = owner_of(after) != owner_of(conversation)
    due = next_step(after, rules)
    return replace(
        move,
        conversation=replace(
            after,
            owner_epoch=conversation.owner_epoch + has_new_owner,
            due_at=None if due is None else due[0],
        ),
    )


def _move(  # noqa: PLR0911, PLR0912 - a branch is a row of the table
    conversation: Conversation, event: Occurrence, now: datetime, rules: Rules
) -> Move:
    match event:
        case CustomerWrote():
            return _customer_wrote(conversation, event, now, rules)
        case HandoffRequested():
            return _person_needed(conversation, event, event.reason, now, event.summary)
        case BotFailed():
            return _person_needed(conversation, event, Reason.BOT_ERROR, now)
        case Claimed():
            return _taken_from_queue(conversation, event, now)
        case AgentSent():
            return _agent_sent(conversation, event, now)
        case Acted():
            _require(conversation, State.AGENT, is_so=conversation.assignee == event.agent)
            return Move(replace(conversation, acted_at=conversation.acted_at or now))
        case Transferred():
            return _transferred(conversation, event, now)
        case GivenBack():
            _require(conversation, State.AGENT)
            return Move(with_bot(conversation), notice=Notice.GIVEN_BACK)
        case Closed():
            _require(conversation, State.AGENT, State.BOT)
            after = closed(conversation, now, CloseReason.AGENT)
            return Move(after, closes_segment=True, asks_csat=True)
        case LeftQueue():
            _require(conversation, State.WAITING)
            return Move(with_bot(conversation), notice=Notice.LEFT_QUEUE)
        case ChoseToWait() | ChoseToLeaveMessage():
            return _chose(conversation, event)
        case NativeReply():
            return _native_reply(conversation, now)
        case NativeEnded():
            _require(conversation, State.EXTERNAL)
            return Move(with_bot(conversation))
        case NobodyOnline():
            is_live = conversation.mode is WaitingMode.LIVE
            _require(conversation, State.WAITING, is_so=is_live)
            after = replace(conversation, mode=WaitingMode.AFTER_HOURS)
            return Move(after, notice=Notice.CHOICES)
        case AgentLeft():
            return _agent_left(conversation, event, now)
        case TimerFired():
            return fired(conversation, event, now, rules)


def _require(conversation: Conversation, *states: State, is_so: bool = True) -> None:
    if conversation.state not in states or not is_so:
        raise IllegalMove(f"no such move while the conversation is {conversation.state.value}")


def _customer_wrote(
    conversation: Conversation, event: CustomerWrote, now: datetime, rules: Rules
) -> Move:
    heard = replace(conversation, last_customer_at=now)
    if conversation.state is State.CLOSED:
        return _reopened(heard, event, now, rules) if event.reopens else Move(heard)
    if conversation.state is not State.AGENT:
        return Move(heard)
    if conversation.nudges_sent > 1:
        # nudged and escalated in vain: each further message begins anew
        heard = replace(heard, unanswered_since=None, nudges_sent=0)
    # the first unanswered message counts: else who keeps asking is answered last
    unanswered_since = heard.unanswered_since or now
    return Move(replace(heard, closing_at=None, unanswered_since=unanswered_since))


def _reopened(
    conversation: Conversation, event: CustomerWrote, now: datetime, rules: Rules
) -> Move:
    closed_at = conversation.closed_at or conversation.opened_at
    is_recent = now - closed_at <= timedelta(seconds=rules.reopen_s)
    person = conversation.last_assignee if is_recent else None
    fresh = replace(with_bot(conversation), opened_at=now, last_assignee=None)
    if person is None:
        return Move(fresh, opens_segment=True, segment_first_seq=event.first_seq)
    if event.free_agent_name is not None and rules.reopens_to_same_agent:
        return Move(
            replace(with_agent(fresh, person, now), reason=Reason.REOPENED.value, queued_at=now),
            notice=Notice.AGENT_JOINED,
            agent_name=event.free_agent_name,
            alert=Alert.REOPENED,
            opens_segment=True,
            segment_first_seq=event.first_seq,
        )
    return Move(
        in_queue(fresh, now, reason=Reason.REOPENED, mode=event.mode),
        notice=Notice.HANDED_OFF,
        alert=Alert.REOPENED,
        opens_segment=True,
        segment_first_seq=event.first_seq,
    )


def _person_needed(
    conversation: Conversation,
    event: HandoffRequested | BotFailed,
    reason: Reason,
    now: datetime,
    summary: Mapping[str, Any] | None = None,
) -> Move:
    if conversation.state is State.WAITING:
        # asked again, or the bot failed where it helps after hours: the place is kept
        return Move(conversation, notice=Notice.ALREADY_WAITING)
    _require(conversation, State.BOT)
    after = in_queue(conversation, now, reason=reason, mode=event.mode, summary=summary)
    return Move(after, notice=Notice.HANDED_OFF, alert=Alert.HANDOFF)


def _taken_from_queue(conversation: Conversation, event: Claimed, now: datetime) -> Move:
    _require(conversation, State.WAITING)
    after = with_agent(conversation, event.agent, now)
    return Move(after, notice=Notice.AGENT_JOINED, agent_name=event.name)


def _agent_sent(conversation: Conversation, event: AgentSent, now: datetime) -> Move:
    if conversation.state is State.AGENT and conversation.assignee == event.agent:
        return Move(_spoken(conversation, now))
    if conversation.state is State.AGENT:
        _require(conversation, State.AGENT, is_so=event.takes_over)
    # what is answered in the channel's own app cannot be taken over from here
    _require(conversation, State.BOT, State.WAITING, State.AGENT, State.CLOSED)
    is_reopened = conversation.state is State.CLOSED
    before = conversation
    if is_reopened:
        before = replace(with_bot(conversation), opened_at=now)
    after = _spoken(with_agent(before, event.agent, now), now)
    return Move(
        replace(after, reason=after.reason or Reason.TAKEOVER.value),
        notice=Notice.AGENT_JOINED,
        agent_name=event.name,
        opens_segment=is_reopened,
        # the agent's own words, and the notice before them, come after what is stored now
        segment_first_seq=conversation.last_seq + 1 if is_reopened else None,
    )


def _spoken(conversation: Conversation, now: datetime) -> Conversation:
    return replace(
        conversation,
        acted_at=conversation.acted_at or now,
        last_agent_at=now,
        closing_at=None,
        unanswered_since=None,
        nudges_sent=0,
        missed_claims=0,
    )


def _transferred(conversation: Conversation, event: Transferred, now: datetime) -> Move:
    _require(conversation, State.AGENT, is_so=bool(event.note.strip()))
    if event.to is None:
        # a new place: with the old one the wait's own timers would all be over at once
        after = in_queue(conversation, now, reason=Reason.TRANSFERRED, mode=event.mode)
        return Move(after, notice=Notice.TRANSFERRED_TO_QUEUE, alert=Alert.TRANSFERRED)
    _require(conversation, State.AGENT, is_so=event.to != conversation.assignee)
    return Move(
        with_agent(conversation, event.to, now),
        notice=Notice.TRANSFERRED,
        agent_name=event.name,
        alert=Alert.TRANSFERRED,
    )


def _chose(conversation: Conversation, event: ChoseToWait | ChoseToLeaveMessage) -> Move:
    _require(conversation, State.WAITING)
    keeps_waiting = isinstance(event, ChoseToWait)
    notice = Notice.KEEPS_WAITING if keeps_waiting else Notice.LEAVES_MESSAGE
    return Move(conversation, notice=notice)


def _native_reply(conversation: Conversation, now: datetime) -> Move:
    is_reopened = conversation.state is State.CLOSED
    muted = replace(
        with_bot(conversation),
        state=State.EXTERNAL,
        opened_at=now if is_reopened else conversation.opened_at,
        last_agent_at=now,
        reason=conversation.reason,
        summary=conversation.summary,
    )
    return Move(muted, opens_segment=is_reopened)


def _agent_left(conversation: Conversation, event: AgentLeft, now: datetime) -> Move:
    _require(conversation, State.AGENT)
    after = in_queue(conversation, now, reason=Reason.AGENT_LEFT, mode=event.mode)
    return Move(after, notice=Notice.REQUEUED, alert=Alert.LAPSED)


__all__ = [
    "Acted",
    "AgentLeft",
    "AgentSent",
    "Alert",
    "BotFailed",
    "ChoseToLeaveMessage",
    "ChoseToWait",
    "Claimed",
    "CloseReason",
    "Closed",
    "CustomerWrote",
    "GivenBack",
    "HandoffRequested",
    "LeftQueue",
    "Move",
    "NativeEnded",
    "NativeReply",
    "NobodyOnline",
    "Notice",
    "Occurrence",
    "Reason",
    "Rules",
    "Speech",
    "TimerFired",
    "Transferred",
    "apply",
    "may_bot_speak",
    "owner_of",
]
