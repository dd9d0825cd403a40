"""Whatever happens in whatever order: what must hold of every conversation."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

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
from handoff.machine.ownership import BotPermission, bot_permission, owner_of
from handoff.machine.rules import Rules
from handoff.machine.transition import Transition
from handoff.machine.transitions import transition_for
from handoff.model.conversation import AgentId, State, WaitingMode
from tests.factories.handoff import NOON, a_conversation

RULES = Rules(reopens_to_same_agent=True)
agents = st.sampled_from([AgentId("A1"), AgentId("A2"), AgentId("A3")])
modes = st.sampled_from(list(WaitingMode))

any_event: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        CustomerWrote,
        reopens=st.booleans(),
        mode=modes,
        free_agent_name=st.sampled_from([None, "小美"]),
    ),
    st.builds(HandoffRequested, st.sampled_from(list(Reason)), mode=modes),
    st.builds(BotFailed, mode=modes),
    st.builds(Claimed, agents, st.just("小美")),
    st.builds(
        AgentSent,
        agents,
        st.just("小美"),
        takes_over=st.booleans(),
    ),
    st.builds(Acted, agents),
    st.builds(Transferred, st.sampled_from(["", "要退款"]), to=st.none() | agents, mode=modes),
    st.builds(GivenBack),
    st.builds(Closed),
    st.builds(LeftQueue),
    st.builds(ChoseToWait),
    st.builds(ChoseToLeaveMessage),
    st.builds(NativeReply),
    st.builds(NobodyOnline),
    st.builds(AgentLeft, mode=modes),
    st.builds(TimerFired, position=st.integers(1, 5), wait_min=st.integers(1, 9), mode=modes),
)


class AnyConversation(RuleBasedStateMachine):
    """One conversation, and the events that happen to it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.conversation = transition_for(
            a_conversation(), CustomerWrote(), NOON, RULES
        ).conversation

    @rule(event=any_event, seconds=st.sampled_from([0, 1, 59, 120, 600, 1_800, 90_000]))
    def something_happens(self, event: Event, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        with suppress(IllegalTransition):
            self.look_at(transition_for(self.conversation, event, self.now, RULES))

    @rule()
    def the_timer_comes(self) -> None:
        due = self.conversation.due_at
        if due is not None:
            self.now = max(self.now, due)
            transition = transition_for(self.conversation, TimerFired(position=1), self.now, RULES)
            self.look_at(transition)

    def look_at(self, transition: Transition) -> None:
        before, after = self.conversation, transition.conversation
        has_new_owner = owner_of(before) != owner_of(after)
        assert after.owner_epoch == before.owner_epoch + has_new_owner
        if after.state is State.WAITING and before.state is not State.WAITING:
            assert transition.notice is not None
            assert transition.alert is not None
        if after.state is State.AGENT and before.assignee != after.assignee:
            assert transition.notice is not None, "the customer is told who it is"
        assert transition.opens_segment == (
            before.state is State.CLOSED and after.state is not State.CLOSED
        )
        assert transition.closes_segment == (
            before.state is not State.CLOSED and after.state is State.CLOSED
        )
        assert not transition.asks_csat or transition.closes_segment
        self.conversation = after

    @invariant()
    def there_is_at_most_one_owner(self) -> None:
        is_held = self.conversation.state is State.AGENT
        assert is_held == (self.conversation.assignee is not None)
        assert (self.conversation.state is State.WAITING) == (self.conversation.mode is not None)

    @invariant()
    def whoever_waits_has_a_place_and_a_dated_next_step(self) -> None:
        if self.conversation.state is State.WAITING:
            assert self.conversation.queued_at is not None
            assert self.conversation.due_at is not None

    @invariant()
    def nothing_is_lost(self) -> None:
        """Open ones have a next step, but where an agent was nudged and escalated in vain."""
        if self.conversation.state in {State.BOT, State.EXTERNAL}:
            assert self.conversation.due_at is not None
        if self.conversation.state is State.AGENT and self.conversation.due_at is None:
            assert self.conversation.nudges_sent == 2

    @invariant()
    def closed_ones_rest(self) -> None:
        if self.conversation.state is State.CLOSED:
            assert self.conversation.due_at is None
            assert self.conversation.closed_at is not None
            assert self.conversation.closed_reason is not None

    @invariant()
    def the_bot_is_silent_where_a_person_has_it(self) -> None:
        if self.conversation.state in {State.AGENT, State.EXTERNAL}:
            assert bot_permission(self.conversation) is BotPermission.NOTHING


TestAnyConversation = AnyConversation.TestCase
TestAnyConversation.settings = settings(max_examples=150, stateful_step_count=30, derandomize=True)
