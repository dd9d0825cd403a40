"""The arithmetic of limits and locks."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shop.access.throttle import (
    Ruling,
    TryLimits,
    Verdict,
    judge_rate,
    judge_try,
    worst,
)
from shop.domain.attempts import Attempt, AttemptKind
from tests.factories.shop import NOON

LIMITS = TryLimits()
STEPS = st.lists(
    st.tuples(
        st.integers(min_value=0, max_value=2000),
        st.sampled_from([AttemptKind.TRY, AttemptKind.HARMLESS, AttemptKind.PROVED]),
    ),
    max_size=60,
)


def _admitted(steps: list[tuple[int, AttemptKind]]) -> list[Attempt]:
    """What is recorded of somebody who tries after each of these pauses (seconds)."""
    now, recorded = NOON, list[Attempt]()
    for pause_s, kind in steps:
        now += timedelta(seconds=pause_s)
        if judge_try(recorded, now, LIMITS).is_admitted:
            recorded.append(Attempt(kind, now))
    return recorded


@given(STEPS)
def test_no_half_hour_holds_more_than_five_failures_since_the_last_success(
    steps: list[tuple[int, AttemptKind]],
) -> None:
    failures: list[Attempt] = []
    for one in _admitted(steps):
        if one.kind is AttemptKind.PROVED:
            failures.clear()
        elif one.kind is AttemptKind.TRY:
            failures.append(one)
            window = [f for f in failures if f.at > one.at - timedelta(seconds=LIMITS.lock_s)]
            assert len(window) <= LIMITS.failures


@given(STEPS)
def test_no_ten_minutes_hold_more_than_eight_tries(steps: list[tuple[int, AttemptKind]]) -> None:
    recorded = _admitted(steps)
    for one in recorded:
        start = one.at - timedelta(seconds=LIMITS.window_s)
        assert sum(start < other.at <= one.at for other in recorded) <= LIMITS.tries


@given(STEPS, st.integers(min_value=0, max_value=4000))
def test_whoever_waits_as_long_as_told_is_not_refused_for_the_same_reason(
    steps: list[tuple[int, AttemptKind]], pause_s: int
) -> None:
    recorded = _admitted(steps)
    now = (recorded[-1].at if recorded else NOON) + timedelta(seconds=pause_s)
    verdict = judge_try(recorded, now, LIMITS)
    later = judge_try(recorded, now + timedelta(seconds=verdict.retry_after_s), LIMITS)

    assert later.ruling is not Ruling.LOCKED
    assert verdict.ruling is not Ruling.THROTTLED or later.is_admitted


def test_the_fifth_failure_is_announced_as_the_last() -> None:
    failures = [Attempt(AttemptKind.TRY, NOON + timedelta(seconds=at)) for at in range(4)]
    now = NOON + timedelta(seconds=10)

    assert judge_try(failures, now, LIMITS).is_last
    assert not judge_try(failures[1:], now, LIMITS).is_last


def test_a_success_clears_the_failures_before_it() -> None:
    attempts = [
        *(Attempt(AttemptKind.TRY, NOON + timedelta(seconds=at)) for at in range(4)),
        Attempt(AttemptKind.PROVED, NOON + timedelta(seconds=5)),
        Attempt(AttemptKind.TRY, NOON + timedelta(seconds=6)),
    ]

    verdict = judge_try(attempts, NOON + timedelta(seconds=7), LIMITS)

    assert verdict.is_admitted
    assert not verdict.is_last


def test_a_clock_set_back_does_not_free_anybody() -> None:
    failures = [Attempt(AttemptKind.TRY, NOON + timedelta(hours=1))] * 5
    looks = [NOON + timedelta(hours=1)] * 30

    assert judge_try(failures, NOON, LIMITS).ruling is Ruling.LOCKED
    assert not judge_rate(looks, NOON, at_most=30, window_s=600).is_admitted


def test_the_thirtieth_look_in_ten_minutes_is_the_last() -> None:
    looks = [NOON + timedelta(seconds=at) for at in range(30)]
    now = NOON + timedelta(seconds=30)

    assert judge_rate(looks[1:], now, at_most=30, window_s=600).is_admitted
    assert judge_rate(looks, now, at_most=30, window_s=600) == Verdict(Ruling.THROTTLED, 570)
    assert judge_rate(looks, NOON + timedelta(seconds=600), at_most=30, window_s=600).is_admitted


def test_of_several_sources_the_hardest_verdict_counts() -> None:
    locked = Verdict(Ruling.LOCKED, 5)
    throttled = Verdict(Ruling.THROTTLED, 500)

    assert worst([Verdict(Ruling.ADMITTED), throttled, locked]) == locked
    assert worst([Verdict(Ruling.ADMITTED), Verdict(Ruling.ADMITTED, is_last=True)]).is_last
