"""Transitions: pure code that says what each event makes of a conversation.

At most one owner at any time; ``owner_epoch`` grows only when the owner changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from handoff.errors import IllegalTransition
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
    Event,
    GivenBack,
    HandoffRequested,
    LeftQueue,
    NativeEnded,
    NativeReply,
    NobodyOnline,
    Reason,
    TimerFired,
    Transferred,
)
from handoff.machine.ownership import owner_of
from handoff.machine.rules import Rules
from handoff.machine.states import to_agent, to_bot, to_closed, to_external, to_queue
from handoff.machine.timer_transitions import timer_transition
from handoff.machine.timetable import next_timer
from handoff.machine.transition import Alert, Notice, Transition
from handoff.model.conversation import Conversation, State, WaitingMode


def transition_for(
    conversation: Conversation, event: Event, now: datetime, rules: Rules
) -> Transition:
    """Return the transition that an event makes.

    Args:
        now: Aware UTC.

    Returns:
        The transition; its conversation has ``owner_epoch`` and ``due_at`` set, and is not saved.

    Raises:
        IllegalTransition: The event cannot happen in this state; nothing changes.
    """
    transition = _transition(conversation, event, now, rules)
    after = transition.conversation
    has_new_owner = owner_of(after) != owner_of(conversation)
    timer = next_timer(after, rules)
    return replace(
        transition,
        conversation=replace(
            after,
            owner_epoch=conversation.owner_epoch + has_new_owner,
            due_at=None if timer is None else timer[0],
        ),
    )


def _transition(  # noqa: PLR0911, PLR0912 - a branch is a row of the table
    conversation: Conversation, event: Event, now: datetime, rules: Rules
) -> Transition:
    match event:
        case CustomerWrote():
            return _customer_wrote(conversation, event, now, rules)
        case HandoffRequested():
            return _handed_off(conversation, event.reason, now, event.mode, event.summary)
        case BotFailed():
            return _handed_off(conversation, Reason.BOT_ERROR, now, event.mode)
        case Claimed():
            return _claimed(conversation, event, now)
        case AgentSent():
            return _agent_sent(conversation, event, now)
        case Acted():
            _require(conversation, State.AGENT, is_so=conversation.assignee == event.agent)
            return Transition(replace(conversation, acted_at=conversation.acted_at or now))
        case Transferred():
            return _transferred(conversation, event, now)
        case GivenBack():
            _require(conversation, State.AGENT)
            return Transition(to_bot(conversation), notice=Notice.GIVEN_BACK)
        case Closed():
            return _closed(conversation, now)
        case LeftQueue():
            _require(conversation, State.WAITING)
            return Transition(to_bot(conversation), notice=Notice.LEFT_QUEUE)
        case ChoseToWait():
            _require(conversation, State.WAITING)
            return Transition(conversation, notice=Notice.KEEPS_WAITING)
        case ChoseToLeaveMessage():
            _require(conversation, State.WAITING)
            return Transition(conversation, notice=Notice.LEAVES_MESSAGE)
        case NativeReply():
            return _native_reply(conversation, now)
        case NativeEnded():
            _require(conversation, State.EXTERNAL)
            return Transition(to_bot(conversation))
        case NobodyOnline():
            is_live = conversation.mode is WaitingMode.LIVE
            _require(conversation, State.WAITING, is_so=is_live)
            after = replace(conversation, mode=WaitingMode.AFTER_HOURS)
            return Transition(after, notice=Notice.CHOICES)
        case AgentLeft():
            return _agent_left(conversation, event, now)
        case TimerFired():
            return timer_transition(conversation, event, now, rules)


def _require(conversation: Conversation, *states: State, is_so: bool = True) -> None:
    if conversation.state not in states or not is_so:
        raise IllegalTransition(f"this cannot happen in state {conversation.state.value}")


def _customer_wrote(
    conversation: Conversation, event: CustomerWrote, now: datetime, rules: Rules
) -> Transition:
    heard = replace(conversation, last_customer_at=now)
    if conversation.state is State.CLOSED:
        return _reopened(heard, event, now, rules) if event.reopens else Transition(heard)
    if conversation.state is not State.AGENT:
        return Transition(heard)
    if conversation.nudges_sent > 1:
        # nudged and escalated in vain: each further message begins anew
        heard = replace(heard, unanswered_since=None, nudges_sent=0)
    # the first unanswered message counts: else who keeps asking is answered last
    unanswered_since = heard.unanswered_since or now
    return Transition(replace(heard, closing_at=None, unanswered_since=unanswered_since))


def _reopened(
    conversation: Conversation, event: CustomerWrote, now: datetime, rules: Rules
) -> Transition:
    closed_at = conversation.closed_at or conversation.opened_at
    is_recent = now - closed_at <= timedelta(seconds=rules.reopen_s)
    person = conversation.last_assignee if is_recent else None
    fresh = replace(to_bot(conversation), opened_at=now, last_assignee=None)
    opened = Transition(fresh, opens_segment=True, segment_first_seq=event.first_seq)
    if person is None:
        return opened
    if event.free_agent_name is not None and rules.reopens_to_same_agent:
        held = replace(to_agent(fresh, person, now), reason=Reason.REOPENED.value, queued_at=now)
        return replace(
            opened,
            conversation=held,
            notice=Notice.AGENT_JOINED,
            agent_name=event.free_agent_name,
            alert=Alert.REOPENED,
        )
    queued = to_queue(fresh, now, reason=Reason.REOPENED, mode=event.mode)
    return replace(opened, conversation=queued, notice=Notice.HANDED_OFF, alert=Alert.REOPENED)


def _handed_off(
    conversation: Conversation,
    reason: Reason,
    now: datetime,
    mode: WaitingMode | None,
    summary: Mapping[str, Any] | None = None,
) -> Transition:
    if conversation.state is State.WAITING:
        # asked again, or the bot failed where it helps after hours: the place is kept
        return Transition(conversation, notice=Notice.ALREADY_WAITING)
    _require(conversation, State.BOT)
    after = to_queue(conversation, now, reason=reason, mode=mode, summary=summary)
    return Transition(after, notice=Notice.HANDED_OFF, alert=Alert.HANDOFF)


def _claimed(conversation: Conversation, event: Claimed, now: datetime) -> Transition:
    _require(conversation, State.WAITING)
    after = to_agent(conversation, event.agent, now)
    return Transition(after, notice=Notice.AGENT_JOINED, agent_name=event.name)


def _agent_sent(conversation: Conversation, event: AgentSent, now: datetime) -> Transition:
    if conversation.assignee == event.agent:
        return Transition(_replied(conversation, now), is_agents_reply=True)
    # what is answered in the channel's own app cannot be taken over from here
    _require(conversation, State.BOT, State.WAITING, State.AGENT, State.CLOSED)
    if conversation.state is State.AGENT:
        _require(conversation, State.AGENT, is_so=event.takes_over)
    is_reopened = conversation.state is State.CLOSED
    before = replace(to_bot(conversation), opened_at=now) if is_reopened else conversation
    after = _replied(to_agent(before, event.agent, now), now)
    return Transition(
        replace(after, reason=after.reason or Reason.TAKEOVER.value),
        notice=Notice.AGENT_JOINED,
        agent_name=event.name,
        is_agents_reply=True,
        opens_segment=is_reopened,
        # the agent's own words, and the notice before them, come after what is stored now
        segment_first_seq=conversation.last_seq + 1 if is_reopened else None,
    )


def _replied(conversation: Conversation, now: datetime) -> Conversation:
    return replace(
        conversation,
        acted_at=conversation.acted_at or now,
        last_agent_at=now,
        closing_at=None,
        unanswered_since=None,
        nudges_sent=0,
        missed_claims=0,
    )


def _transferred(conversation: Conversation, event: Transferred, now: datetime) -> Transition:
    _require(conversation, State.AGENT, is_so=bool(event.note.strip()))
    if event.to is None:
        # a new place: with the old one the wait's own timers would all be over at once
        after = to_queue(conversation, now, reason=Reason.TRANSFERRED, mode=event.mode)
        return Transition(after, notice=Notice.TRANSFERRED_TO_QUEUE, alert=Alert.TRANSFERRED)
    _require(conversation, State.AGENT, is_so=event.to != conversation.assignee)
    return Transition(
        to_agent(conversation, event.to, now),
        notice=Notice.TRANSFERRED,
        agent_name=event.name,
        alert=Alert.TRANSFERRED,
    )


def _closed(conversation: Conversation, now: datetime) -> Transition:
    _require(conversation, State.AGENT, State.BOT)
    after = to_closed(conversation, now, CloseReason.AGENT)
    return Transition(after, closes_segment=True, asks_csat=True)


def _native_reply(conversation: Conversation, now: datetime) -> Transition:
    muted = to_external(conversation, now)
    if conversation.state is State.CLOSED:
        return Transition(replace(muted, opened_at=now), opens_segment=True)
    return Transition(muted)


def _agent_left(conversation: Conversation, event: AgentLeft, now: datetime) -> Transition:
    _require(conversation, State.AGENT)
    after = to_queue(conversation, now, reason=Reason.AGENT_LEFT, mode=event.mode)
    return Transition(after, notice=Notice.REQUEUED, alert=Alert.LAPSED)
