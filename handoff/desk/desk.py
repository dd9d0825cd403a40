"""The desk: an event becomes a transition, and the transition is applied.

Everything that changes a conversation's owner goes through ``Desk.handle``, in the unit of work of
whoever reports the event: the bot's turn, an agent's request, a timer.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from handoff.desk.apply import apply_transition
from handoff.desk.hours import ServiceHours
from handoff.desk.notices import NoticeFacts, when_text
from handoff.desk.presence import Presence
from handoff.desk.queue import place_of
from handoff.machine.events import (
    AgentLeft,
    BotFailed,
    CustomerWrote,
    Event,
    HandoffRequested,
    TimerFired,
    Transferred,
)
from handoff.machine.rules import Rules
from handoff.machine.transition import Transition
from handoff.machine.transitions import transition_for
from handoff.model.conversation import Conversation, State, WaitingMode
from handoff.model.ports import Clock, Work


class Desk:
    """Applies events to conversations. Safe to use from any thread; opens no unit of its own."""

    def __init__(
        self, rules: Rules, *, presence: Presence, hours: ServiceHours, clock: Clock
    ) -> None:
        self.rules = rules
        self.presence = presence
        self._hours = hours
        self._clock = clock

    def handle(self, work: Work, conversation: Conversation, event: Event) -> Conversation:
        """Apply the transition that an event makes, and everything that belongs to it.

        Args:
            work: The running unit.
            conversation: As it is in this unit, locked in it; changes not yet saved are saved too.

        Returns:
            The conversation as it is stored now.

        Raises:
            IllegalTransition: The event cannot happen in this state; nothing was changed.
            Conflict: Somebody else changed it since it was read.
        """
        now = self._clock()
        complete = self._with_facts(work, conversation, event)
        transition = transition_for(conversation, complete, now, self.rules)
        return apply_transition(
            work,
            conversation,
            transition,
            now=now,
            hours=self._hours,
            notice_facts=lambda after: self._notice_facts(work, after, transition, now),
        )

    def when_back(self, *, is_english: bool = False) -> str:
        """Say when a person will be there, as customers are told: 明天 09:00, 尽快."""
        now = self._clock()
        opens_at = None if self._hours.is_open(now) else self._hours.next_opening(now)
        return when_text(opens_at, now, self._hours.zone, is_english=is_english)

    def mode(self) -> WaitingMode:
        """Return how a customer who is queued now would wait."""
        return WaitingMode.LIVE if self.presence.online_count() else WaitingMode.AFTER_HOURS

    def _with_facts(self, work: Work, conversation: Conversation, event: Event) -> Event:
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
                place = place_of(work, conversation, self.presence.online_count, self.rules)
                return replace(
                    event,
                    mode=event.mode or self.mode(),
                    position=place.position,
                    wait_min=place.wait_min,
                )
            case _:
                return event

    def _notice_facts(
        self, work: Work, conversation: Conversation, transition: Transition, now: datetime
    ) -> NoticeFacts:
        place = place_of(work, conversation, self.presence.online_count, self.rules)
        is_open = self._hours.is_open(now)
        return NoticeFacts(
            now=now,
            zone=self._hours.zone,
            is_open=is_open,
            agent_name=transition.agent_name,
            position=place.position,
            wait_min=place.wait_min,
            opens_at=None if is_open else self._hours.next_opening(now),
            closing_min=round(self.rules.closing_notice_s / 60),
        )

    def _free_agent(self, work: Work, conversation: Conversation) -> str | None:
        person = conversation.last_assignee
        if person is None or not self.rules.reopens_to_same_agent:
            return None
        if work.conversations.open_count(person) >= self.rules.agent_cap:
            return None
        return self.presence.name_if_online(person)
