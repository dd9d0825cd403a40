"""What is in the outbox arrives: in order, again after a fault, never faster than allowed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.delivery import MAX_ATTEMPTS, Delivery, Dispatch, retry_delay_s
from connectors.errors import (
    AuthError,
    RateLimited,
    Rejected,
    Retryable,
    SendError,
    Undeliverable,
    WindowClosed,
)
from tests.factories.messaging import WEB, an_outbound
from tests.factories.shop import FakeClock
from tests.fakes.outbox import FlakyChannel, MemoryOutbox


class Post:
    """Delivery on a memory outbox and one channel."""

    def __init__(self, *, is_idempotent: bool = True) -> None:
        self.clock = FakeClock()
        self.outbox = MemoryOutbox()
        self.channel = FlakyChannel(WEB, is_idempotent=is_idempotent)
        self.delivery = Delivery(
            self.outbox,
            {(WEB.channel, WEB.account_id): self.channel},
            clock=self.clock,
            random=lambda: 0.0,
        )

    async def commits(self, *numbers: int, lane: str = "C1") -> None:
        fresh = [Dispatch(an_outbound(number), lane, 1) for number in numbers]
        self.delivery.hand_over(self.outbox.commit(fresh, self.clock()))
        await self.delivery.settle()

    async def polls(self, **passed: float) -> None:
        self.clock.pass_(**passed)
        await self.delivery.poll()
        await self.delivery.settle()


@pytest.fixture
def post() -> Post:
    return Post()


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


@pytest.mark.parametrize("kind", [Rejected, Undeliverable, AuthError, WindowClosed])
async def test_what_a_second_try_cannot_help_is_tried_once(
    post: Post, kind: type[SendError]
) -> None:
    post.channel.faults = [kind("403", "no")]
    await post.commits(1, 2)
    assert post.channel.taken == ["O2"]
    assert post.outbox.states() == ["failed", "sent"]


async def test_where_nobody_knows_only_an_idempotent_channel_is_tried_again() -> None:
    for is_idempotent, state, taken in ((True, "sent", ["O1"]), (False, "unknown", [])):
        post = Post(is_idempotent=is_idempotent)
        post.channel.faults = [Retryable("timeout", "no answer", maybe_sent=True)]
        await post.commits(1)
        await post.polls(minutes=1)
        assert post.outbox.states() == [state]
        assert post.channel.taken == taken


async def test_a_channel_that_is_not_configured_fails_its_lines_and_no_others(post: Post) -> None:
    nowhere = an_outbound(1, address=an_outbound().address)
    stranger = Delivery(post.outbox, {}, clock=post.clock, random=lambda: 0.0)
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
