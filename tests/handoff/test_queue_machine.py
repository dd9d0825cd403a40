"""Several conversations and agents, whatever happens in whatever order: what the queue promises."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from handoff.desk.queue import order_of, positions
from handoff.errors import IllegalTransition
from handoff.machine.events import (
    AgentLeft,
    AgentSent,
    BotFailed,
    Claimed,
    Closed,
    CustomerWrote,
    Event,
    GivenBack,
    HandoffRequested,
    LeftQueue,
    NativeReply,
    NobodyOnline,
    Reason,
    TimerFired,
    Transferred,
)
from handoff.machine.rules import Rules
from handoff.machine.transitions import transition_for
from handoff.model.conversation import (
    AgentId,
    Conversation,
    ConversationId,
    State,
    WaitingMode,
)
from tests.factories.handoff import NOON, a_conversation

RULES = Rules()
CUSTOMERS = [ConversationId(f"C{number}") for number in range(1, 5)]
AGENTS = [AgentId("A1"), AgentId("A2")]
LONGEST_WAY_TO_REST = 25
"""Timers that may fire one after the other before nothing is due any more."""

customers = st.sampled_from(CUSTOMERS)
agents = st.sampled_from(AGENTS)
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(CustomerWrote),
    st.just(BotFailed()),
    st.builds(AgentSent, agents, st.just("小美"), takes_over=st.booleans()),
    st.builds(Transferred, st.just("要退款"), to=st.none() | agents),
    st.just(GivenBack()),
    st.just(Closed()),
    st.just(LeftQueue()),
    st.just(NativeReply()),
    st.just(NobodyOnline()),
    st.just(AgentLeft()),
)


def is_at_rest(conversation: Conversation) -> bool:
    """Nothing is due: it is closed, or its agent and the supervisors were called in vain."""
    is_escalated = conversation.state is State.AGENT and conversation.nudges_sent > 1
    return conversation.state is State.CLOSED or is_escalated


class AnyQueue(RuleBasedStateMachine):
    """A shop: each entry into the queue draws a ticket, and tickets are served in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.tickets = count()
        self.ticket_of: dict[ConversationId, int] = {}
        started = (
            transition_for(a_conversation(id=key), CustomerWrote(), NOON, RULES)
            for key in CUSTOMERS
        )
        self.all = {made.conversation.id: made.conversation for made in started}

    @rule(customer=customers, event=events)
    def something_happens(self, customer: ConversationId, event: Event) -> None:
        self.now += timedelta(seconds=1)  # two never come at the very same time
        with suppress(IllegalTransition):
            self.happens(customer, event)

    # what the queue lives by has rules of its own, so that it comes often
    @rule(customer=customers)
    def a_customer_asks_for_a_person(self, customer: ConversationId) -> None:
        self.something_happens(customer, HandoffRequested(Reason.ASKED))

    @rule(customer=customers, agent=agents)
    def an_agent_claims(self, customer: ConversationId, agent: AgentId) -> None:
        self.something_happens(customer, Claimed(agent, "小美"))

    @rule(customer=customers, agent=agents)
    def a_claim_lapses(self, customer: ConversationId, agent: AgentId) -> None:
        self.an_agent_claims(customer, agent)
        self.now += timedelta(seconds=RULES.claim_act_s)
        self.something_happens(customer, TimerFired(position=1, mode=WaitingMode.LIVE))

    @rule(seconds=st.sampled_from([60, 120, 120, 600, 1_800, 90_000]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        for customer in sorted(self.due(), key=lambda key: str(self.all[key].due_at)):
            self.now += timedelta(milliseconds=1)
            self.happens(customer, TimerFired(position=1, mode=WaitingMode.LIVE))

    def happens(self, customer: ConversationId, event: Event) -> None:
        before = self.all[customer]
        after = transition_for(before, event, self.now, RULES).conversation
        self.all[customer] = after
        is_lapse = isinstance(event, TimerFired) and before.state is State.AGENT
        if after.state is State.WAITING and before.state is not State.WAITING:
            if not is_lapse or customer not in self.ticket_of:  # taken over from the bot: had none
                self.ticket_of[customer] = next(self.tickets)
        elif after.state not in {State.WAITING, State.AGENT}:
            self.ticket_of.pop(customer, None)

    def due(self) -> list[ConversationId]:
        return [key for key, found in self.all.items() if found.due_at and found.due_at <= self.now]

    @invariant()
    def the_queue_is_served_in_the_order_of_its_tickets(self) -> None:
        waiting = [found for found in self.all.values() if found.state is State.WAITING]
        by_ticket = sorted(waiting, key=lambda found: self.ticket_of[found.id])
        assert sorted(waiting, key=order_of) == by_ticket
        places = {found.id: place for place, found in enumerate(by_ticket, start=1)}
        assert positions(self.all.values()) == places

    @invariant()
    def nobody_is_held_twice_or_by_nobody(self) -> None:
        for found in self.all.values():
            holders = [agent for agent in AGENTS if found.assignee == agent]
            assert len(holders) == (found.state is State.AGENT)

    @invariant()
    def nobody_is_lost(self) -> None:
        assert set(self.all) == set(CUSTOMERS)
        for found in self.all.values():
            assert is_at_rest(found) == (found.due_at is None)

    @invariant()
    def timers_alone_lead_everybody_to_rest(self) -> None:
        for found in self.all.values():
            assert is_at_rest(self.left_alone(found))

    def left_alone(self, conversation: Conversation) -> Conversation:
        """Let nothing but timers happen, each at its own time."""
        now: datetime = self.now
        for _ in range(LONGEST_WAY_TO_REST):
            if conversation.due_at is None:
                return conversation
            now = max(now, conversation.due_at)
            fired = transition_for(conversation, TimerFired(position=1), now, RULES).conversation
            assert fired != conversation, "a timer that is due changes something"
            conversation = fired
        return conversation


TestAnyQueue = AnyQueue.TestCase
TestAnyQueue.settings = settings(max_examples=40, stateful_step_count=30, derandomize=True)
