"""What is in the outbox arrives: in order, again after a fault, never faster than allowed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.delivery.after_error import MAX_ATTEMPTS, retry_delay_s
from connectors.delivery.delivery import POLL_S, SHORTEST_POLL_S, Delivery
from connectors.delivery.outbox import Dispatch
from connectors.delivery.rendering import render
from connectors.errors import (
    AuthError,
    Fatal,
    NotStored,
    RateLimited,
    Rejected,
    Retryable,
    SendError,
    Undeliverable,
    WindowClosed,
)
from connectors.messages import Button, Capabilities, Grant, Markup, Pace, PeerKind
from tests.factories.messaging import WEB, an_address, an_outbound
from tests.factories.shop import FakeClock
from tests.fakes.outbox import HELD, FlakyChannel, MemoryOutbox


class Post:
    """Delivery on a memory outbox and one channel."""

    def __init__(
        self,
        *,
        is_idempotent: bool = True,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.is_alone = True
        self.clock = FakeClock()
        self.outbox = MemoryOutbox()
        self.channel = FlakyChannel(WEB, is_idempotent=is_idempotent)
        self.delivery = Delivery(
            self.outbox,
            {(WEB.channel, WEB.account_id): self.channel},
            clock=self.clock,
            random=lambda: 0.0,
            sleep=sleep,
            may_send=lambda: self.is_alone,
        )

    async def commits(self, *numbers: int, lane: str = "C1") -> None:
        fresh = [Dispatch(an_outbound(number), lane, 1) for number in numbers]
        self.delivery.hand_over(self.outbox.commit(fresh, self.clock()))
        await self.delivery.settle()

    async def polls(self, **passed: float) -> None:
        self.clock.pass_(**passed)
        await self.delivery.poll()
        await self.delivery.settle()

    async def __aenter__(self) -> Self:
        await self.delivery.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.delivery.__aexit__(*error)


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    async with Post() as post:
        yield post


def busy() -> Retryable:
    return Retryable("502", "bad gateway")


async def test_lines_of_one_conversation_leave_in_their_order(post: Post) -> None:
    await post.commits(1, 2, 3)
    assert post.channel.taken == ["O1", "O2", "O3"]
    assert post.outbox.states() == ["sent"] * 3


async def test_after_a_fault_the_line_is_sent_again_before_those_behind_it(post: Post) -> None:
    post.channel.faults = [busy()]
    await post.commits(1, 2)
    assert post.channel.taken == []
    await post.commits(3)  # said in the meantime: it may not overtake
    assert post.channel.taken == []
    await post.polls(seconds=0.4)
    assert post.channel.taken == []  # too early
    await post.polls(seconds=0.2)
    assert post.channel.taken == ["O1", "O2", "O3"]


async def test_what_comes_when_the_wait_is_over_does_not_overtake_what_waited(post: Post) -> None:
    post.channel.faults = [busy()]
    await post.commits(1)
    post.clock.pass_(seconds=5)  # due, and no poll has taken it yet
    await post.commits(2)
    assert post.channel.taken == []
    await post.polls(seconds=0)
    assert post.channel.taken == ["O1", "O2"]


async def test_a_fault_in_one_conversation_does_not_hold_up_another(post: Post) -> None:
    post.channel.faults = [busy()]
    await post.commits(1, lane="C1")
    await post.commits(2, lane="C2")
    assert post.channel.taken == ["O2"]


async def test_a_platform_that_names_a_time_is_obeyed(post: Post) -> None:
    post.channel.faults = [RateLimited("429", "slow down", retry_after_s=17)]
    await post.commits(1)
    await post.polls(seconds=16)
    assert post.channel.taken == []
    await post.polls(seconds=1)
    assert post.channel.taken == ["O1"]


async def test_a_line_that_never_gets_through_is_given_up_loudly(post: Post) -> None:
    post.channel.faults = [busy() for _ in range(MAX_ATTEMPTS)]
    await post.commits(1)
    for _ in range(MAX_ATTEMPTS):
        assert post.outbox.states() in (["pending"], ["failed"])
        await post.polls(minutes=6)
    assert post.outbox.states() == ["failed"]
    assert post.delivery.failed_count == 1
    await post.commits(2)  # the next one is tried
    assert post.channel.taken == ["O2"]


async def test_a_refused_message_is_tried_once_and_the_next_one_is_sent(post: Post) -> None:
    post.channel.faults = [Rejected("403", "no")]
    await post.commits(1, 2)
    assert post.channel.taken == ["O2"]
    assert post.outbox.states() == ["failed", "sent"]


async def test_all_that_waits_for_an_unreachable_customer_is_given_up(post: Post) -> None:
    post.channel.faults = [Undeliverable("403", "blocked")]
    await post.commits(1, 2)
    assert post.channel.taken == []
    assert post.outbox.states() == ["failed", "failed"]
    await post.commits(3)  # they may have come back
    assert post.channel.taken == ["O3"]


async def test_where_nobody_knows_only_an_idempotent_channel_is_tried_again() -> None:
    for is_idempotent, state, taken in ((True, "sent", ["O1"]), (False, "unknown", [])):
        async with Post(is_idempotent=is_idempotent) as post:
            post.channel.faults = [Retryable("timeout", "no answer", maybe_sent=True)]
            await post.commits(1)
            await post.polls(minutes=1)
        assert post.outbox.states() == [state]
        assert post.channel.taken == taken


async def test_a_channel_that_is_not_configured_fails_its_lines_and_no_others(post: Post) -> None:
    nowhere = an_outbound(1, address=an_outbound().address)
    async with Delivery(post.outbox, {}, clock=post.clock, random=lambda: 0.0) as stranger:
        stranger.hand_over(post.outbox.commit([Dispatch(nowhere, "C1", 1)], post.clock()))
        await stranger.settle()
    assert post.outbox.states() == ["failed"]
    await post.commits(2)
    assert post.channel.taken == ["O2"]


async def test_a_bug_in_a_connector_is_a_fault_like_others(post: Post) -> None:
    post.channel.faults = [ZeroDivisionError()]
    await post.commits(1)
    assert post.outbox.states() == ["pending"]
    await post.polls(seconds=1)
    assert post.channel.taken == ["O1"]
    post.channel.faults = [ZeroDivisionError() for _ in range(MAX_ATTEMPTS)]
    await post.commits(2)
    for _ in range(MAX_ATTEMPTS):
        await post.polls(minutes=6)
    assert post.outbox.states() == ["sent", "unknown"]


async def test_a_database_that_is_away_ends_nothing(post: Post) -> None:
    post.outbox.is_away = True
    await post.polls(seconds=1)
    post.outbox.is_away = False
    await post.commits(1)
    assert post.outbox.states() == ["sent"]


async def test_what_is_fresh_never_overtakes_what_one_poll_could_not_take(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.delivery.delivery.CLAIM_LIMIT", 1)
    post.channel.faults = [busy(), busy()]
    await post.commits(1, 2, lane="C1")
    await post.commits(11, 12, lane="C2")
    await post.polls(seconds=5)
    await post.commits(13, lane="C2")
    assert [one for one in post.channel.taken if len(one) == 2] == ["O1", "O2"]
    assert [one for one in post.channel.taken if len(one) == 3] == ["O11", "O12", "O13"]


async def test_what_is_fresh_never_overtakes_what_is_still_being_put_back(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_asked, is_free = asyncio.Event(), asyncio.Event()
    postpone = post.outbox.postpone

    async def slowly(*arguments: Any, **named: Any) -> None:
        is_asked.set()
        await is_free.wait()
        await postpone(*arguments, **named)

    monkeypatch.setattr(post.outbox, "postpone", slowly)
    post.channel.faults = [busy()]
    post.delivery.hand_over(post.outbox.commit([Dispatch(an_outbound(1), "C1", 1)], post.clock()))
    await is_asked.wait()
    post.clock.pass_(seconds=5)
    polling = asyncio.create_task(post.delivery.poll())
    await asyncio.sleep(0)
    post.delivery.hand_over(post.outbox.commit([Dispatch(an_outbound(2), "C1", 1)], post.clock()))
    is_free.set()
    await polling
    await post.delivery.settle()
    await post.polls(seconds=0)
    assert post.channel.taken == ["O1", "O2"]
    assert post.outbox.states() == ["sent", "sent"]


async def test_what_comes_fresh_as_a_poll_ends_does_not_overtake_what_it_took(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.channel.faults = [busy()]
    await post.commits(1)
    claim = post.outbox.claim

    async def claim_and_commit(now: datetime, limit: int) -> Sequence[Dispatch]:
        taken = await claim(now, limit)
        if not taken:
            fresh = [Dispatch(an_outbound(2), "C1", 1)]
            post.delivery.hand_over(post.outbox.commit(fresh, post.clock()))
        return taken

    with monkeypatch.context() as once:
        once.setattr(post.outbox, "claim", claim_and_commit)
        await post.polls(seconds=5)
    await post.polls(seconds=0)
    assert post.channel.taken == ["O1", "O2"]


async def test_what_a_poll_took_before_the_database_went_is_sent_in_its_order(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.channel.faults = [busy()]
    await post.commits(1)
    claim = post.outbox.claim

    async def claim_once(now: datetime, limit: int) -> Sequence[Dispatch]:
        if taken := await claim(now, limit):
            return taken
        raise NotStored("away")

    with monkeypatch.context() as once:
        once.setattr(post.outbox, "claim", claim_once)
        await post.polls(seconds=5)
    await post.commits(2)
    await post.polls(seconds=0)
    assert post.channel.taken == ["O1", "O2"]


async def test_a_retry_is_looked_for_when_it_is_due_and_not_at_the_next_round(post: Post) -> None:
    assert post.delivery._until_next_poll_s() == POLL_S
    post.channel.faults = [busy()]
    await post.commits(1)
    assert post.delivery._until_next_poll_s() == pytest.approx(retry_delay_s(1, 0.0))
    post.clock.pass_(seconds=10)
    assert post.delivery._until_next_poll_s() == SHORTEST_POLL_S
    await post.polls(seconds=0)
    assert post.delivery._until_next_poll_s() == POLL_S


async def test_marks_that_never_end_do_not_keep_what_is_due_from_being_tried_again(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.channel.faults = [busy()]
    await post.commits(1, lane="C1")
    is_written = asyncio.Event()

    async def slowly(_ids: object, _at: object) -> None:
        await is_written.wait()

    monkeypatch.setattr(post.outbox, "sent", slowly)
    post.delivery.hand_over(post.outbox.commit([Dispatch(an_outbound(2), "C2", 1)], post.clock()))
    await asyncio.sleep(0)
    post.clock.pass_(seconds=5)
    async with asyncio.timeout(5):
        assert await post.delivery.poll() == 1
    is_written.set()
    await post.delivery.settle()
    assert sorted(post.channel.taken) == ["O1", "O2"]


async def test_what_only_waited_behind_another_has_all_its_attempts(post: Post) -> None:
    post.channel.faults = [busy()] * 5
    await post.commits(1, 2)
    for _ in range(5):
        await post.polls(seconds=20)
    assert post.channel.taken == ["O1", "O2"]
    attempts = {key: row.dispatch.attempts for key, row in post.outbox.rows.items()}
    assert attempts == {"O1": 6, "O2": 1}


async def test_a_line_that_was_sent_is_not_sent_again_because_its_mark_failed(post: Post) -> None:
    def database_goes(_message: object) -> None:
        post.outbox.is_away = True

    post.channel.before = database_goes
    await post.commits(1)
    assert post.channel.taken == ["O1"]
    assert post.outbox.states() == ["pending"]
    await post.polls(minutes=1)  # still away
    post.channel.before = lambda _message: None
    post.outbox.is_away = False
    await post.polls(minutes=1)
    assert post.channel.taken == ["O1"]
    assert post.outbox.states() == ["sent"]


@given(attempt=st.integers(1, 100), spread=st.floats(0, 1, exclude_max=True))
def test_delays_grow_stay_below_five_minutes_and_never_vanish(attempt: int, spread: float) -> None:
    delay_s = retry_delay_s(attempt, spread)
    assert 0.5 <= delay_s <= 300
    assert delay_s <= retry_delay_s(attempt + 1, spread)


def test_a_lane_is_a_conversation_on_an_account() -> None:
    one = Dispatch(an_outbound(1), "C1", 1)
    assert one.lane == ("web", "default", "C1")
    assert timedelta(seconds=retry_delay_s(1, 0.0)) == timedelta(seconds=0.5)


# ---------------------------------------------------------------------- units

LONG = "。".join(f"第{number}句话" for number in range(40))
CHOPPED = Capabilities(max_text=60)


def slept(seconds: list[float]) -> Callable[[float], Awaitable[None]]:
    async def sleep(wait_s: float) -> None:
        seconds.append(wait_s)

    return sleep


async def test_a_long_message_goes_on_where_it_stopped(post: Post) -> None:
    post.channel.capabilities = CHOPPED
    units = render(an_outbound(text=LONG), CHOPPED)
    assert len(units) > 3
    post.channel.faults = [None, None, busy()]
    fresh = post.outbox.commit([Dispatch(an_outbound(text=LONG), "C1", 1)], post.clock())
    post.delivery.hand_over(fresh)
    await post.delivery.settle()
    assert [unit.id for unit in post.channel.units] == [unit.id for unit in units[:2]]
    await post.polls(seconds=1)
    assert [unit.text for unit in post.channel.units] == [unit.text for unit in units]
    assert post.outbox.states() == ["sent"]


async def test_without_a_reply_window_a_message_waits_and_those_behind_it_too(post: Post) -> None:
    post.channel.capabilities = replace(CHOPPED, needs_grant=True)
    await post.commits(1, 2)
    await post.polls(days=30)
    assert post.channel.taken == []
    assert {row.next_at for row in post.outbox.rows.values()} == {HELD}


async def test_a_retry_uses_the_leave_that_was_given(post: Post) -> None:
    post.channel.capabilities = replace(CHOPPED, needs_grant=True, send_idempotent=True)
    post.outbox.customer_writes("C1", post.clock(), room=1)
    post.channel.faults = [Retryable("timeout", "no answer", maybe_sent=True)]
    await post.commits(1)
    await post.polls(seconds=1)
    assert [unit.grant for unit in post.channel.units] == [Grant({"window": 0}, 1)]


async def test_when_the_platform_says_that_the_window_is_closed_it_is(post: Post) -> None:
    post.channel.capabilities = replace(CHOPPED, needs_grant=True)
    post.outbox.customer_writes("C1", post.clock(), room=5)
    post.channel.faults = [WindowClosed("45047", "out of quota")]
    await post.commits(1)
    assert post.outbox.room("C1") == 0
    assert post.outbox.rows["O1"].next_at == HELD


@pytest.mark.parametrize("is_refused", [True, False])
async def test_a_customer_who_writes_while_a_message_is_put_aside_gets_it_at_once_and_first(
    post: Post, is_refused: bool
) -> None:
    post.channel.capabilities = replace(CHOPPED, needs_grant=True)
    post.outbox.customer_writes("C1", post.clock(), room=1 if is_refused else 0)
    post.channel.faults = [WindowClosed("45015", "too late")] if is_refused else []

    def customer_writes() -> None:
        post.outbox.before_holding = lambda: None
        post.outbox.customer_writes("C1", post.clock(), room=3)
        # what was held before is due too, and so is the answer to what the customer wrote
        held = Dispatch(an_outbound(0), "C1", 1)
        answer = Dispatch(an_outbound(2), "C1", 1)
        post.delivery.hand_over(post.outbox.commit([held, answer], post.clock()))

    post.outbox.before_holding = customer_writes
    await post.commits(1)
    assert post.channel.taken == ["O0", "O1", "O2"]
    assert set(post.outbox.states()) == {"sent"}


async def test_refused_formatting_is_sent_once_more_as_plain_text(post: Post) -> None:
    post.channel.capabilities = Capabilities(max_text=400, markup=Markup.HTML, has_buttons=True)
    post.channel.faults = [Rejected("400", "can't parse entities", is_format=True)]
    message = an_outbound(text="1 < 2", buttons=(Button("a", "查订单"),))
    post.delivery.hand_over(post.outbox.commit([Dispatch(message, "C1", 1)], post.clock()))
    await post.delivery.settle()
    (unit,) = post.channel.units
    assert (unit.markup, unit.buttons) == (Markup.PLAIN, ())
    assert unit.text.startswith("1 < 2\n\n1. 查订单")


async def test_formatting_that_is_refused_twice_is_given_up(post: Post) -> None:
    post.channel.capabilities = Capabilities(max_text=400, markup=Markup.HTML)
    post.channel.faults = [Rejected("400", "no", is_format=True)] * 2
    await post.commits(1)
    assert post.outbox.states() == ["failed"]


async def test_a_card_key_never_goes_to_a_group(post: Post) -> None:
    group = replace(an_address(), kind=PeerKind.GROUP)
    message = an_outbound(text="卡密 ABC", codes=("ABC",), address=group)
    post.delivery.hand_over(post.outbox.commit([Dispatch(message, "C1", 1)], post.clock()))
    await post.delivery.settle()
    assert post.channel.taken == []
    assert post.outbox.states() == ["failed"]


async def test_three_limited_chats_in_ten_seconds_pause_the_account(post: Post) -> None:
    post.channel.faults = [RateLimited("429", "slow down", retry_after_s=7)] * 3
    for number in (1, 2, 3):
        await post.commits(number, lane=f"C{number}")
    await post.commits(4, lane="C4")
    assert post.channel.taken == []
    await post.polls(seconds=6)
    assert post.channel.taken == []
    await post.polls(seconds=2)
    assert sorted(post.channel.taken) == ["O1", "O2", "O3", "O4"]


async def test_one_limited_chat_does_not_hold_up_the_others(post: Post) -> None:
    post.channel.faults = [RateLimited("429", "slow down", retry_after_s=7)]
    await post.commits(1, lane="C1")
    await post.commits(2, lane="C2")
    assert post.channel.taken == ["O2"]


@pytest.mark.parametrize("kind", [AuthError, Fatal])
async def test_an_account_that_is_refused_waits_and_is_given_up_in_the_end(
    post: Post, kind: type[SendError]
) -> None:
    post.channel.faults = [kind("401", "no")] * MAX_ATTEMPTS
    await post.commits(1)
    await post.commits(2, lane="C2")
    assert post.channel.taken == []  # the second was not even tried
    for _ in range(MAX_ATTEMPTS):
        await post.polls(seconds=61)
    assert post.outbox.rows["O1"].state == "failed"


async def test_a_channels_pace_is_kept_per_customer_and_over_all() -> None:
    waits: list[float] = []
    async with Post(sleep=slept(waits)) as post:
        post.channel.capabilities = Capabilities(max_text=400, pace=Pace(100, 1, 2))
        await post.commits(1, 2, 3, 4)
    assert waits == [1.0, 2.0]
    assert len(post.channel.taken) == 4


async def test_a_process_that_is_not_alone_sends_nothing_and_later_all_in_order(post: Post) -> None:
    post.is_alone = False
    await post.commits(1, 2)
    await post.polls(seconds=60)
    assert post.channel.taken == []
    post.is_alone = True
    await post.commits(3)  # it may not overtake what was let go
    post.outbox.release(post.clock())
    post.delivery.resume()
    await post.polls()
    assert post.channel.taken == ["O1", "O2", "O3"]
    assert post.outbox.states() == ["sent"] * 3
