"""The desk: makes a move in the database, tells the customer and calls the agents.

Everything that changes hands goes through ``Desk.perform``, in the unit of work of whoever reports
the occurrence: the bot's turn, an agent's request, a timer.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ulid import ULID

from handoff.desk.hours import OpeningHours, open_seconds
from handoff.desk.notices import (
    Circumstances,
    csat_question,
    notice,
    when_text,
)
from handoff.desk.presence import Presence
from handoff.desk.queue import estimate_min
from handoff.desk.speech import say
from handoff.machine.events import (
    AgentLeft,
    AgentSent,
    BotFailed,
    CustomerWrote,
    HandoffRequested,
    Occurrence,
    Reason,
    TimerFired,
    Transferred,
)
from handoff.machine.move import Move, Notice
from handoff.machine.moves import apply
from handoff.machine.rules import Rules
from handoff.model.conversation import (
    Conversation,
    Segment,
    SegmentId,
    State,
    WaitingMode,
)
from handoff.model.live_events import LiveEventKind
from handoff.model.ports import Clock, Work
from handoff.model.transcript import Author, MessageKind

_PAGE = 200


class Desk:
    """Makes moves real. Safe to use from any thread; opens no unit of its own."""

    def __init__(
        self, rules: Rules, *, presence: Presence, hours: OpeningHours, clock: Clock
    ) -> None:
        self.rules = rules
        self.presence = presence
        self._hours = hours
        self._clock = clock

    def perform(self, work: Work, conversation: Conversation, event: Occurrence) -> Conversation:
        """Make the move that an occurrence makes, and everything that belongs to it.

        Args:
            work: The running unit.
            conversation: As it is in this unit, locked in it; changes not yet saved are saved too.

        Returns:
            The conversation as it is stored now.

        Raises:
            IllegalMove: This state has no such move; nothing was changed.
            Conflict: Somebody else changed it since it was read.
        """
        now = self._clock()
        move = apply(conversation, self._with_facts(work, conversation, event), now, self.rules)
        after = self._with_segment(work, conversation, move, event, now)
        if move.notice is not None:
            after = self._say_notice(work, after, move, now)
        if move.asks_csat and _has_been_helped(work, after):
            after, _ = say(
                work,
                after,
                author=Author.SYSTEM,
                kind=MessageKind.CSAT,
                text=csat_question(after.locale),
                at=now,
            )
        if move.closes_segment:
            _end_segment(work, after)
        saved = work.conversations.save(after)
        _record(work, conversation, saved, move, now)
        return saved

    def when_back(self, *, is_english: bool = False) -> str:
        """When a person will be there, as customers are told: 明天 09:00, 尽快."""
        now = self._clock()
        opens_at = None if self._hours.is_open(now) else self._hours.next_opening(now)
        return when_text(opens_at, now, self._hours.zone, is_english=is_english)

    def mode(self) -> WaitingMode:
        """How somebody who is queued now would wait."""
        return WaitingMode.LIVE if self.presence.online_count() else WaitingMode.AFTER_HOURS

    def _with_facts(self, work: Work, conversation: Conversation, event: Occurrence) -> Occurrence:
        match event:
            case CustomerWrote() if conversation.state is not State.CLOSED:
                return event
            case CustomerWrote():
                return replace(
                    event,
                    mode=event.mode or self.mode(),
                    free_agent_name=event.free_agent_name or self._free_agent(work, conversation),
                )
            case HandoffRequested() | BotFailed() | Transferred() | AgentLeft():
                return replace(event, mode=event.mode or self.mode())
            case TimerFired():
                position, wait_min = self._place(work, conversation)
                return replace(
                    event, mode=event.mode or self.mode(), position=position, wait_min=wait_min
                )
            case _:
                return event

    def _free_agent(self, work: Work, conversation: Conversation) -> str | None:
        person = conversation.last_assignee
        if person is None or not self.rules.reopens_to_same_agent:
            return None
        if work.conversations.open_count(person) >= self.rules.agent_cap:
            return None
        return self.presence.name_if_online(person)

    def _place(self, work: Work, conversation: Conversation) -> tuple[int | None, int | None]:
        position = work.conversations.position(conversation)
        if position is None:
            return None, None
        online = self.presence.online_count()
        return position, estimate_min(position, online, self.rules.handling_s)

    def _say_notice(
        self, work: Work, conversation: Conversation, move: Move, now: datetime
    ) -> Conversation:
        assert move.notice is not None  # noqa: S101 - the caller looked
        position, wait_min = self._place(work, conversation)
        is_open = self._hours.is_open(now)
        about = Circumstances(
            now=now,
            zone=self._hours.zone,
            is_open=is_open,
            agent_name=move.agent_name,
            position=position,
            wait_min=wait_min,
            opens_at=None if is_open else self._hours.next_opening(now),
            closing_min=round(self.rules.closing_notice_s / 60),
        )
        text, buttons = notice(move.notice, conversation, about)
        said, _ = say(
            work,
            conversation,
            author=Author.SYSTEM,
            kind=MessageKind.NOTICE,
            text=text,
            buttons=buttons,
            at=now,
        )
        if said.state is not State.WAITING:
            return said
        return replace(said, told_position=position, told_wait_min=wait_min)

    def _with_segment(
        self, work: Work, before: Conversation, move: Move, event: Occurrence, now: datetime
    ) -> Conversation:
        after = move.conversation
        if move.opens_segment:
            segment = Segment(
                id=SegmentId(str(ULID())),
                conversation_id=after.id,
                opened_at=now,
                first_seq=move.segment_first_seq or max(after.last_seq, 1),
            )
            work.segments.add(segment)
            after = replace(after, segment_id=segment.id)
        is_called = after.state is State.WAITING and before.state is not State.WAITING
        is_given = after.assignee is not None and after.assignee != before.assignee
        has_answered = isinstance(event, AgentSent)
        if not (is_called or is_given or has_answered or move.closes_segment):
            return after
        found = work.segments.get(after.segment_id)
        if found is None:
            return after
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
        if has_answered and changed.first_response_s is None and queued_at is not None:
            waited_s = open_seconds(self._hours, queued_at, now)
            changed = replace(changed, first_response_s=waited_s)
        if move.closes_segment:
            changed = replace(changed, closed_at=now, closed_reason=after.closed_reason)
        if changed != found:
            work.segments.save(changed)
        return after


def _has_been_helped(work: Work, conversation: Conversation) -> bool:
    """Whether the bot or a person answered in the running segment."""
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


def _record(
    work: Work, before: Conversation, after: Conversation, move: Move, now: datetime
) -> None:
    """Tell the console what changed."""
    shown_before = (before.state, before.mode, before.assignee, before.closing_at, before.reason)
    shown_after = (after.state, after.mode, after.assignee, after.closing_at, after.reason)
    if shown_before != shown_after or move.opens_segment:
        work.live_events.add(LiveEventKind.STATE_CHANGED, after.id, now, detail=after.state.value)
    if (before.state is State.WAITING) != (after.state is State.WAITING):
        work.live_events.add(LiveEventKind.QUEUE_CHANGED, after.id, now)
    if move.alert is not None:
        work.live_events.add(LiveEventKind.ALERT, after.id, now, detail=move.alert.value)


__all__ = ["Desk", "Notice"]
