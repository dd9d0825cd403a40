"""A clock that is set back keeps nobody waiting."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.app.process.steady_clock import FARTHEST_AHEAD, PACE, SteadyClock

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


@dataclass
class Machine:
    """A machine whose wall clock can be set, and whose ticks cannot."""

    wall: datetime = NOON
    ticks: float = 1000.0

    def passes(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.ticks += seconds

    def is_set(self, by: timedelta) -> None:
        self.wall += by

    def clock(self) -> SteadyClock:
        return SteadyClock(lambda: self.wall, lambda: self.ticks)


def test_it_tells_the_wall_clocks_time() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.passes(17.25)
    assert clock() == machine.wall


def test_a_wait_of_a_second_is_over_in_two_though_the_clock_was_set_back_an_hour() -> None:
    machine = Machine()
    clock = machine.clock()
    due_at = clock() + timedelta(seconds=1)
    machine.is_set(-timedelta(hours=1))
    assert clock() < due_at
    machine.passes(1 / PACE)
    assert clock() >= due_at


def test_it_meets_the_wall_clock_again() -> None:
    machine = Machine()
    clock = machine.clock()
    clock()
    machine.is_set(-timedelta(minutes=10))
    assert clock() == NOON
    for _ in range(20):
        machine.passes(60)
        clock()
    assert clock() == machine.wall


def test_a_clock_set_forward_is_followed_at_once() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.is_set(timedelta(days=400))
    assert clock() == machine.wall


def test_a_clock_that_was_days_ahead_is_not_held_to_what_it_said() -> None:
    machine = Machine(NOON + timedelta(days=3))
    clock = machine.clock()
    clock()
    machine.is_set(-timedelta(days=3))
    assert clock() == NOON


def test_a_restart_goes_on_from_what_was_stored_last() -> None:
    machine = Machine()
    clock = machine.clock()
    clock.resume(NOON + timedelta(minutes=59))
    assert clock() == NOON + timedelta(minutes=59)
    clock.resume(NOON - timedelta(days=1))
    assert clock() == NOON + timedelta(minutes=59)


def test_a_restart_long_after_a_wrong_clock_does_not_go_on_from_it() -> None:
    machine = Machine()
    clock = machine.clock()
    clock.resume(NOON + timedelta(days=365))
    assert clock() == NOON


@given(
    st.lists(
        st.tuples(
            st.floats(0, 7200, allow_nan=False),
            st.timedeltas(-FARTHEST_AHEAD / 8, timedelta(hours=3)),
        ),
        max_size=8,
    )
)
def test_it_never_runs_backwards_and_never_stands(steps: list[tuple[float, timedelta]]) -> None:
    machine = Machine()
    clock = machine.clock()
    before = clock()
    for seconds, by in steps:
        machine.passes(seconds)
        machine.is_set(by)
        now = clock()
        assert now - before >= timedelta(seconds=seconds * PACE) - timedelta(milliseconds=1)
        before = now


def test_threads_never_see_it_run_backwards() -> None:
    clock = SteadyClock()
    is_backwards: list[bool] = []

    def look() -> None:
        seen = [clock() for _ in range(2000)]
        is_backwards.append(seen != sorted(seen))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert is_backwards == [False] * 4
