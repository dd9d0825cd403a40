"""The state machine's tables, row by row."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

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
from handoff.machine.ownership import BotPermission, bot_permission
from handoff.machine.rules import Rules
from handoff.machine.transition import Alert, Notice, Transition
from handoff.machine.transitions import transition_for
from handoff.model.conversation import (
    AgentId,
    Conversation,
    State,
    WaitingMode,
)
from tests.factories.handoff import NOON, a_conversation

RULES = Rules()
MEI, GANG = AgentId("A1"), AgentId("A2")


def after(conversation: Conversation, *events: tuple[float, Event]) -> Transition:
    """The last transition of several, each so many seconds after noon."""
    transition = Transition(conversation)
    for seconds, event in events:
        transition = transition_for(
            transition.conversation, event, NOON + timedelta(seconds=seconds), RULES
        )
    return transition


def waiting(mode: WaitingMode = WaitingMode.LIVE) -> Conversation:
    asked = HandoffRequested(Reason.ASKED, summary={"wanted": "退款"}, mode=mode)
    return after(a_conversation(), (0, asked)).conversation


def held() -> Conversation:
    """Claimed at 10 s, answered at 20 s."""
    return after(waiting(), (10, Claimed(MEI, "小美")), (20, AgentSent(MEI, "小美"))).conversation


def in_state(state: State) -> Conversation:
    match state:
        case State.BOT:
            return a_conversation()
        case State.WAITING:
            return waiting()
        case State.AGENT:
            return held()
        case State.EXTERNAL:
            return after(a_conversation(), (0, NativeReply())).conversation
        case State.CLOSED:
            return after(held(), (30, Closed())).conversation


class TestWhoMaySpeak:
    @pytest.mark.parametrize(
        ("conversation", "allowed"),
        [
            (a_conversation(), BotPermission.ANSWERS),
            (waiting(), BotPermission.NOTICES_ONLY),
            (waiting(WaitingMode.AFTER_HOURS), BotPermission.ANSWERS_WITH_PROMISE),
            (held(), BotPermission.NOTHING),
            (in_state(State.EXTERNAL), BotPermission.NOTHING),
            (in_state(State.CLOSED), BotPermission.NOTHING),
        ],
    )
    def test_the_bot_says_only_what_the_state_allows(
        self, conversation: Conversation, allowed: BotPermission
    ) -> None:
        assert bot_permission(conversation) is allowed


class TestCallingAPerson:
    @pytest.mark.parametrize("reason", list(Reason))
    def test_asking_for_a_person_queues_with_one_notice_and_an_alert(self, reason: Reason) -> None:
        asked = HandoffRequested(reason, summary={"wanted": "退款"}, mode=WaitingMode.LIVE)
        transition = after(a_conversation(), (5, asked))
        queued = transition.conversation
        assert (queued.state, queued.mode, queued.reason) == (
            State.WAITING,
            WaitingMode.LIVE,
            reason.value,
        )
        assert queued.queued_at == NOON + timedelta(seconds=5)
        assert queued.summary == {"wanted": "退款"}
        assert (transition.notice, transition.alert) == (Notice.HANDED_OFF, Alert.HANDOFF)

    def test_a_failing_bot_hands_off_by_itself(self) -> None:
        transition = after(a_conversation(), (0, BotFailed()))
        assert transition.conversation.state is State.WAITING
        assert transition.conversation.reason == "bot_error"

    def test_asking_again_while_waiting_keeps_the_place(self) -> None:
        before = waiting()
        transition = after(before, (30, HandoffRequested(Reason.ASKED)))
        assert transition.conversation.queued_at == before.queued_at
        assert (transition.notice, transition.alert) == (Notice.ALREADY_WAITING, None)

    @pytest.mark.parametrize("state", [State.AGENT, State.EXTERNAL, State.CLOSED])
    def test_nobody_is_called_where_a_person_is_or_nobody_listens(self, state: State) -> None:
        with pytest.raises(IllegalTransition):
            after(in_state(state), (60, HandoffRequested(Reason.ASKED)))


class TestClaiming:
    def test_a_claim_gives_it_to_one_agent_and_tells_the_customer_who(self) -> None:
        transition = after(waiting(), (10, Claimed(MEI, "小美")))
        assert (transition.conversation.state, transition.conversation.assignee) == (
            State.AGENT,
            MEI,
        )
        assert (transition.notice, transition.agent_name) == (Notice.AGENT_JOINED, "小美")

    @pytest.mark.parametrize("state", [State.BOT, State.AGENT, State.EXTERNAL, State.CLOSED])
    def test_only_what_waits_can_be_claimed(self, state: State) -> None:
        with pytest.raises(IllegalTransition):
            after(in_state(state), (60, Claimed(GANG, "阿刚")))

    def test_a_claim_not_acted_on_for_120_s_is_queued_at_its_old_place(self) -> None:
        early = after(waiting(), (10, Claimed(MEI, "小美")), (129, TimerFired()))
        assert early.conversation.state is State.AGENT
        transition = after(early.conversation, (130, TimerFired()))
        assert transition.conversation.state is State.WAITING
        assert transition.conversation.queued_at == NOON
        assert transition.conversation.missed_claims == 1
        assert (transition.notice, transition.alert) == (Notice.REQUEUED, Alert.LAPSED)

    @pytest.mark.parametrize("act", [Acted(MEI), AgentSent(MEI, "小美")])
    def test_a_claim_that_is_acted_on_does_not_lapse(self, act: Event) -> None:
        transition = after(waiting(), (10, Claimed(MEI, "小美")), (100, act), (131, TimerFired()))
        assert transition.conversation.assignee == MEI


class TestWaiting:
    def test_a_first_notice_comes_after_60_s_if_something_changed(self) -> None:
        told = replace(waiting(), told_position=3, told_wait_min=9)
        assert told.due_at == NOON + timedelta(seconds=60)
        transition = after(told, (60, TimerFired(position=2, wait_min=6)))
        assert transition.notice is Notice.STILL_WAITING

    def test_nothing_is_said_where_nothing_changed(self) -> None:
        told = replace(waiting(), told_position=3, told_wait_min=9)
        transition = after(told, (60, TimerFired(position=3, wait_min=9)))
        assert transition.notice is None
        assert transition.conversation.due_at == NOON + timedelta(seconds=180)

    def test_at_most_three_notices_are_said(self) -> None:
        conversation, said, at = waiting(), 0, 0
        for position in range(20, 0, -1):
            at += 60 if position == 20 else 120
            if at >= 600:
                break
            transition = after(conversation, (at, TimerFired(position=position, wait_min=1)))
            conversation = transition.conversation
            said += transition.notice is Notice.STILL_WAITING
        assert said == 3

    def test_after_10_min_the_customer_is_offered_choices_and_the_bot_helps_again(self) -> None:
        transition = after(replace(waiting(), notices_sent=3), (600, TimerFired()))
        assert transition.conversation.mode is WaitingMode.AFTER_HOURS
        assert transition.conversation.queued_at == NOON
        assert transition.notice is Notice.CHOICES

    def test_when_the_last_agent_leaves_the_customer_is_offered_choices(self) -> None:
        transition = after(waiting(), (30, NobodyOnline()))
        assert (transition.conversation.mode, transition.notice) == (
            WaitingMode.AFTER_HOURS,
            Notice.CHOICES,
        )

    def test_a_still_waiting_check_with_nobody_online_offers_choices(self) -> None:
        transition = after(waiting(), (60, TimerFired(position=1, mode=WaitingMode.AFTER_HOURS)))
        assert transition.notice is Notice.CHOICES

    @pytest.mark.parametrize(
        ("choice", "notice"),
        [
            (ChoseToWait(), Notice.KEEPS_WAITING),
            (ChoseToLeaveMessage(), Notice.LEAVES_MESSAGE),
        ],
    )
    def test_waiting_on_or_leaving_a_message_keeps_the_place(
        self, choice: Event, notice: Notice
    ) -> None:
        transition = after(waiting(), (600, choice))
        assert (transition.conversation.state, transition.notice) == (State.WAITING, notice)
        assert (transition.conversation.queued_at, transition.conversation.mode) == (
            NOON,
            WaitingMode.LIVE,
        )

    def test_who_needs_nobody_any_more_is_back_with_the_bot(self) -> None:
        transition = after(waiting(), (30, LeftQueue()))
        assert (transition.conversation.state, transition.conversation.queued_at) == (
            State.BOT,
            None,
        )
        assert transition.notice is Notice.LEFT_QUEUE

    def test_a_silent_waiting_customer_is_closed_after_24_h_without_a_word(self) -> None:
        late = waiting(WaitingMode.AFTER_HOURS)
        assert after(late, (86_399, TimerFired())).conversation.state is State.WAITING
        transition = after(late, (86_400, TimerFired()))
        assert (transition.conversation.state, transition.notice, transition.asks_csat) == (
            State.CLOSED,
            None,
            False,
        )


class TestTakingOver:
    @pytest.mark.parametrize("state", [State.BOT, State.WAITING, State.CLOSED])
    def test_an_agent_who_writes_takes_the_conversation_over(self, state: State) -> None:
        before = in_state(state)
        transition = after(before, (60, AgentSent(GANG, "阿刚")))
        assert (transition.conversation.state, transition.conversation.assignee) == (
            State.AGENT,
            GANG,
        )
        assert transition.conversation.owner_epoch == before.owner_epoch + 1
        assert transition.notice is Notice.AGENT_JOINED
        assert transition.opens_segment is (state is State.CLOSED)

    def test_another_agents_conversation_is_taken_only_when_said_so(self) -> None:
        with pytest.raises(IllegalTransition):
            after(held(), (60, AgentSent(GANG, "阿刚")))
        transition = after(held(), (60, AgentSent(GANG, "阿刚", takes_over=True)))
        assert transition.conversation.assignee == GANG

    def test_what_is_answered_in_the_native_app_is_not_taken_over(self) -> None:
        with pytest.raises(IllegalTransition):
            after(in_state(State.EXTERNAL), (60, AgentSent(MEI, "小美", takes_over=True)))

    def test_the_assignees_further_words_say_nothing_new(self) -> None:
        before = held()
        transition = after(before, (60, AgentSent(MEI, "小美")))
        assert transition.notice is None
        assert transition.conversation.owner_epoch == before.owner_epoch


class TestExternal:
    @pytest.mark.parametrize("state", list(State))
    def test_a_native_reply_mutes_the_bot_from_any_state(self, state: State) -> None:
        transition = after(in_state(state), (60, NativeReply()))
        assert transition.conversation.state is State.EXTERNAL
        assert bot_permission(transition.conversation) is BotPermission.NOTHING
        assert transition.opens_segment is (state is State.CLOSED)

    def test_after_30_idle_minutes_it_closes(self) -> None:
        external = in_state(State.EXTERNAL)
        assert after(external, (1_799, TimerFired())).conversation.state is State.EXTERNAL
        assert after(external, (1_800, TimerFired())).conversation.state is State.CLOSED

    def test_an_unanswered_customer_is_queued_instead(self) -> None:
        external = in_state(State.EXTERNAL)
        transition = after(external, (60, CustomerWrote()), (1_860, TimerFired()))
        assert transition.conversation.state is State.WAITING
        assert (transition.notice, transition.alert) == (Notice.HANDED_OFF, Alert.HANDOFF)


class TestPassingOn:
    def test_a_transfer_to_a_colleague_tells_the_customer_once(self) -> None:
        transition = after(held(), (60, Transferred("要退款", to=GANG, name="阿刚")))
        assert (transition.conversation.state, transition.conversation.assignee) == (
            State.AGENT,
            GANG,
        )
        assert (transition.notice, transition.agent_name) == (Notice.TRANSFERRED, "阿刚")
        assert transition.alert is Alert.TRANSFERRED

    def test_a_transfer_to_the_queue_waits_for_anybody(self) -> None:
        transition = after(held(), (60, Transferred("要退款", mode=WaitingMode.LIVE)))
        assert transition.conversation.state is State.WAITING
        assert transition.notice is Notice.TRANSFERRED_TO_QUEUE

    def test_a_transfer_needs_a_note(self) -> None:
        with pytest.raises(IllegalTransition):
            after(held(), (60, Transferred("  ", to=GANG)))

    def test_giving_back_is_announced(self) -> None:
        transition = after(held(), (60, GivenBack()))
        assert (transition.conversation.state, transition.notice) == (State.BOT, Notice.GIVEN_BACK)
        assert bot_permission(transition.conversation) is BotPermission.ANSWERS

    def test_what_a_lost_agent_held_is_queued_again(self) -> None:
        transition = after(held(), (60, AgentLeft()))
        assert transition.conversation.state is State.WAITING
        assert (transition.notice, transition.alert) == (Notice.REQUEUED, Alert.LAPSED)


class TestSilentAgent:
    def test_after_5_min_the_agent_is_nudged_after_10_the_supervisors(self) -> None:
        asked = after(held(), (100, CustomerWrote())).conversation
        assert after(asked, (399, TimerFired())).alert is None
        nudged = after(asked, (400, TimerFired()))
        assert nudged.alert is Alert.NUDGE
        escalated = after(nudged.conversation, (700, TimerFired()))
        assert escalated.alert is Alert.SUPERVISORS
        assert escalated.conversation.state is State.AGENT
        assert escalated.conversation.due_at is None

    def test_the_first_unanswered_message_counts_however_often_the_customer_asks(self) -> None:
        asked = after(held(), (100, CustomerWrote()), (350, CustomerWrote()))
        assert after(asked.conversation, (400, TimerFired())).alert is Alert.NUDGE

    def test_an_answer_stops_the_nudging(self) -> None:
        answered = after(held(), (100, CustomerWrote()), (200, AgentSent(MEI, "小美")))
        assert after(answered.conversation, (400, TimerFired())).alert is None


class TestSilentCustomer:
    def test_the_customer_is_told_before_it_closes_30_min_after_the_last_word(self) -> None:
        told = after(held(), (20 + 1_200, TimerFired()))
        assert told.notice is Notice.CLOSING_SOON
        assert told.conversation.closing_at == NOON + timedelta(seconds=20 + 1_800)
        transition = after(told.conversation, (20 + 1_800, TimerFired()))
        assert (transition.conversation.state, transition.conversation.closed_reason) == (
            State.CLOSED,
            "customer_silent",
        )
        assert transition.asks_csat

    def test_a_word_of_the_customer_keeps_it_open(self) -> None:
        told = after(held(), (1_220, TimerFired()), (1_300, CustomerWrote()))
        assert told.conversation.closing_at is None
        assert after(told.conversation, (1_820, TimerFired())).conversation.state is State.AGENT


class TestClosing:
    @pytest.mark.parametrize("state", [State.AGENT, State.BOT])
    def test_closing_asks_for_csat_once_and_ends_the_segment(self, state: State) -> None:
        transition = after(in_state(state), (60, Closed()))
        assert transition.conversation.state is State.CLOSED
        assert (transition.asks_csat, transition.closes_segment, transition.notice) == (
            True,
            True,
            None,
        )
        with pytest.raises(IllegalTransition):
            after(transition.conversation, (61, Closed()))

    @pytest.mark.parametrize("state", [State.WAITING, State.EXTERNAL])
    def test_what_nobody_here_holds_is_not_closed_by_hand(self, state: State) -> None:
        with pytest.raises(IllegalTransition):
            after(in_state(state), (60, Closed()))

    def test_a_silent_bot_conversation_closes_after_30_min_without_a_word(self) -> None:
        assert after(a_conversation(), (1_799, TimerFired())).conversation.state is State.BOT
        transition = after(a_conversation(), (1_800, TimerFired()))
        assert (transition.conversation.state, transition.notice, transition.asks_csat) == (
            State.CLOSED,
            None,
            False,
        )


class TestReopening:
    def test_thanks_do_not_reopen(self) -> None:
        transition = after(in_state(State.CLOSED), (60, CustomerWrote(reopens=False)))
        assert transition.conversation.state is State.CLOSED
        assert not transition.opens_segment

    def test_within_24_h_of_a_person_it_is_queued(self) -> None:
        transition = after(in_state(State.CLOSED), (30 + 86_400, CustomerWrote(first_seq=9)))
        assert (transition.conversation.state, transition.conversation.reason) == (
            State.WAITING,
            "reopened",
        )
        assert (transition.opens_segment, transition.segment_first_seq) == (True, 9)
        assert (transition.notice, transition.alert) == (Notice.HANDED_OFF, Alert.REOPENED)

    def test_after_24_h_the_bot_has_it(self) -> None:
        transition = after(in_state(State.CLOSED), (31 + 86_400, CustomerWrote()))
        assert (transition.conversation.state, transition.opens_segment) == (State.BOT, True)

    def test_what_only_the_bot_had_goes_back_to_the_bot(self) -> None:
        idle = after(a_conversation(), (1_800, TimerFired())).conversation
        assert after(idle, (1_900, CustomerWrote())).conversation.state is State.BOT

    def test_the_same_person_gets_it_back_if_online_and_under_the_cap(self) -> None:
        rules = Rules(reopens_to_same_agent=True)
        wrote = CustomerWrote(free_agent_name="小美")
        transition = transition_for(
            in_state(State.CLOSED), wrote, NOON + timedelta(seconds=60), rules
        )
        assert (transition.conversation.state, transition.conversation.assignee) == (
            State.AGENT,
            MEI,
        )
        assert transition.notice is Notice.AGENT_JOINED
