"""Applying a transition in the database: segment, notice, stars, conversation, live events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from ulid import ULID

from handoff.desk.append import append_message
from handoff.desk.hours import ServiceHours, open_seconds
from handoff.desk.notices import NoticeFacts, csat_question, notice_text
from handoff.machine.events import Reason
from handoff.machine.transition import Notice, Transition
from handoff.model.conversation import Conversation, Segment, SegmentId, State
from handoff.model.live_events import LiveEventKind
from handoff.model.ports import Work
from handoff.model.transcript import Author, MessageKind

_PAGE = 200


def apply_transition(
    work: Work,
    before: Conversation,
    transition: Transition,
    *,
    now: datetime,
    hours: ServiceHours,
    notice_facts: Callable[[Conversation], NoticeFacts],
) -> Conversation:
    """Carry a transition out in the running unit.

    Args:
        notice_facts: What a notice may have to tell of the conversation as it is afterwards.

    Returns:
        The conversation as it is stored now.

    Raises:
        Conflict: Somebody else changed it since it was read.
    """
    after = transition.conversation
    if transition.opens_segment:
        after = _open_segment(work, after, transition, now)
    _update_segment(work, before, after, transition, now=now, hours=hours)
    if transition.notice is not None:
        after = _send_notice(work, after, transition.notice, notice_facts(after))
    if transition.asks_csat and _has_been_helped(work, after):
        after = _ask_csat(work, after, now)
    if transition.closes_segment:
        _end_segment(work, after)
    saved = work.conversations.save(after)
    _add_live_events(work, before, saved, transition, now)
    return saved


def _open_segment(
    work: Work, conversation: Conversation, transition: Transition, now: datetime
) -> Conversation:
    segment = Segment(
        id=SegmentId(str(ULID())),
        conversation_id=conversation.id,
        opened_at=now,
        first_seq=transition.segment_first_seq or max(conversation.last_seq, 1),
    )
    work.segments.add(segment)
    return replace(conversation, segment_id=segment.id)


def _update_segment(
    work: Work,
    before: Conversation,
    after: Conversation,
    transition: Transition,
    *,
    now: datetime,
    hours: ServiceHours,
) -> None:
    """Note in the running segment who was called, who has it, and how fast they answered."""
    is_called = after.state is State.WAITING and before.state is not State.WAITING
    is_given = after.assignee is not None and after.assignee != before.assignee
    if not (is_called or is_given or transition.is_agents_reply or transition.closes_segment):
        return
    found = work.segments.get(after.segment_id)
    if found is None:
        return
    changed = found
    if is_called or is_given:
        changed = replace(
            changed,
            handed_off_at=changed.handed_off_at or now,
            handoff_reason=changed.handoff_reason or after.reason or Reason.TAKEOVER.value,
        )
    if after.assignee is not None:
        changed = replace(changed, agent_id=after.assignee)
    queued_at = after.queued_at
    if transition.is_agents_reply and changed.first_response_s is None and queued_at is not None:
        waited_s = open_seconds(hours, queued_at, now)
        changed = replace(changed, first_response_s=waited_s)
    if transition.closes_segment:
        changed = replace(changed, closed_at=now, closed_reason=after.closed_reason)
    if changed != found:
        work.segments.save(changed)


def _send_notice(
    work: Work, conversation: Conversation, notice: Notice, facts: NoticeFacts
) -> Conversation:
    """Tell the customer, and note which place in the queue was told."""
    text, buttons = notice_text(notice, conversation, facts)
    told, _ = append_message(
        work,
        conversation,
        author=Author.SYSTEM,
        kind=MessageKind.NOTICE,
        text=text,
        buttons=buttons,
        at=facts.now,
    )
    if told.state is not State.WAITING:
        return told
    return replace(told, told_position=facts.position, told_wait_min=facts.wait_min)


def _ask_csat(work: Work, conversation: Conversation, now: datetime) -> Conversation:
    asked, _ = append_message(
        work,
        conversation,
        author=Author.SYSTEM,
        kind=MessageKind.CSAT,
        text=csat_question(conversation.locale),
        at=now,
    )
    return asked


def _has_been_helped(work: Work, conversation: Conversation) -> bool:
    """Tell whether the bot or a person answered in the running segment."""
    segment = work.segments.get(conversation.segment_id)
    cursor = segment.first_seq - 1 if segment is not None else 0
    while True:
        page = work.messages.after(conversation.id, cursor, _PAGE)
        if any(
            message.author in {Author.BOT, Author.AGENT} and message.kind is MessageKind.TEXT
            for message in page
        ):
            return True
        if len(page) < _PAGE:
            return False
        cursor = page[-1].seq


def _end_segment(work: Work, conversation: Conversation) -> None:
    segment = work.segments.get(conversation.segment_id)
    if segment is not None:
        work.segments.save(replace(segment, last_seq=conversation.last_seq))


def _add_live_events(
    work: Work, before: Conversation, after: Conversation, transition: Transition, now: datetime
) -> None:
    """Tell the consoles what changed, and call the agents."""
    shown_before = (before.state, before.mode, before.assignee, before.closing_at, before.reason)
    shown_after = (after.state, after.mode, after.assignee, after.closing_at, after.reason)
    if shown_before != shown_after or transition.opens_segment:
        work.live_events.add(LiveEventKind.STATE_CHANGED, after.id, now, detail=after.state.value)
    if (before.state is State.WAITING) != (after.state is State.WAITING):
        work.live_events.add(LiveEventKind.QUEUE_CHANGED, after.id, now)
    if transition.alert is not None:
        work.live_events.add(LiveEventKind.ALERT, after.id, now, detail=transition.alert.value)
