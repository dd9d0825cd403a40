"""Whatever happens in whatever order: what must hold of every conversation's messages.

Order is kept, nothing is sent twice, nothing is left behind, no lane is blocked for ever.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connectors.delivery.rendering import render
from connectors.errors import (
    AuthError,
    Fatal,
    RateLimited,
    Rejected,
    Retryable,
    SendError,
    Undeliverable,
    WindowClosed,
)
from connectors.messages import Unit
from tests.connectors.delivery.world import CAPABILITIES, CUSTOMERS, Call, World
from tests.fakes.outbox import Row

customers = st.sampled_from(sorted(CUSTOMERS))
refusals: st.SearchStrategy[SendError] = st.one_of(
    st.builds(Retryable, st.just("502"), st.just("bad gateway"), maybe_sent=st.booleans()),
    st.builds(
        RateLimited,
        st.just("429"),
        st.just("slow down"),
        retry_after_s=st.sampled_from([1.0, 40.0]),
        is_account=st.booleans(),
    ),
    st.just(WindowClosed("45015", "too late")),
    st.just(Undeliverable("403", "blocked")),
    st.just(Rejected("400", "refused")),
    st.just(AuthError("401", "token refused")),
    st.just(Fatal("48001", "no permission")),
)
CALM_WITHIN_S = 900
"""The longest retry is 300 s away, and attempts end after eight."""


class AnyLanes(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.takes: Counter[str] = Counter()
        self.may_repeat: set[str] = set()
        self.broken: list[str] = []
        self.world = World(self._is_taken)

    # ------------------------------------------------------------------ what happens

    @rule(customer=customers, lengths=st.lists(st.integers(1, 2), max_size=3), is_bot=st.booleans())
    def messages_are_committed(self, customer: str, lengths: list[int], is_bot: bool) -> None:
        self.world.commit(customer, lengths, is_bot=is_bot)

    @precondition(lambda self: self.world.wire.calls)
    @rule(place=st.integers(0, 5))
    def a_call_goes_on(self, place: int) -> None:
        calls = self.world.wire.calls
        self._go_on(calls[place % len(calls)])

    @rule()
    def the_database_answers(self) -> None:
        while calls := [call for call in self.world.wire.calls if call.name != "send"]:
            self._go_on(calls[0])

    @rule()
    def everything_answers(self) -> None:
        while self.world.wire.calls:
            self._go_on(self.world.wire.calls[0])

    @precondition(lambda self: self._sends())
    @rule(place=st.integers(0, 5), error=refusals)
    def the_platform_refuses(self, place: int, error: SendError) -> None:
        call = self._sends(is_asked=True)[place % len(self._sends(is_asked=True))]
        self.world.go_on(call, error)

    @precondition(lambda self: self._sends(is_asked=False))
    @rule(place=st.integers(0, 5))
    def the_platforms_answer_is_lost(self, place: int) -> None:
        call = self._sends(is_asked=False)[place % len(self._sends(is_asked=False))]
        assert call.unit is not None
        self.may_repeat.add(call.unit.id)
        self.world.go_on(call, Retryable("timeout", "no answer", maybe_sent=True))

    @rule(seconds=st.sampled_from([0.3, 1.0, 2.5, 21.0, 31.0, 400.0]))
    def time_passes(self, seconds: float) -> None:
        for call in self._sends(is_asked=False):
            assert call.unit is not None
            self.may_repeat.add(call.unit.id)  # it may time out, although it has arrived
        self.world.time_passes(seconds)

    @rule(customer=customers, room=st.integers(0, 3))
    def the_customer_writes(self, customer: str, room: int) -> None:
        self.world.customer_writes(customer, room)

    @rule(customer=customers)
    def a_person_takes_over(self, customer: str) -> None:
        self.world.memory.epochs[customer] += 1

    @rule(is_away=st.booleans())
    def the_database_goes_or_comes(self, is_away: bool) -> None:
        self.world.memory.is_away = is_away

    @precondition(lambda self: self.world.is_alone)
    @rule()
    def the_process_loses_its_claim(self) -> None:
        self.world.is_alone = False

    @precondition(lambda self: not self.world.is_alone)
    @rule(is_released=st.booleans())
    def the_process_has_its_claim_again(self, is_released: bool) -> None:
        self._has_claim_again(is_released=is_released)

    @rule()
    def the_process_dies_and_another_starts(self) -> None:
        # what had arrived and was not marked is sent again: nobody knows better
        self.may_repeat.update(self.takes)
        self.world.die()
        self.world.start()

    # ------------------------------------------------------------------ what must hold

    def _is_taken(self, unit: Unit) -> None:
        """A platform takes a unit; delivery would take an assertion for a bug of the connector."""
        row = self.world.memory.rows[unit.outbound.outbox_id]
        if row.state != "pending":
            self.broken.append(f"{unit.id} is sent although it is {row.state}")
        for key, other in self.world.memory.rows.items():
            if row.is_behind(other) and not self._is_through(other):
                self.broken.append(f"{unit.id} overtakes {key}")
        if self.takes[unit.id] and unit.id not in self.may_repeat:
            self.broken.append(f"{unit.id} is sent twice")
        self.may_repeat.discard(unit.id)
        self.takes[unit.id] += 1

    def _is_through(self, row: Row) -> bool:
        return row.state != "pending" or self._is_whole(row)

    def _is_whole(self, row: Row) -> bool:
        outbound = row.dispatch.outbound
        units = render(outbound, CAPABILITIES[outbound.address.ref])
        return all(self.takes[unit.id] for unit in units)

    @invariant()
    def no_promise_is_broken(self) -> None:
        assert not self.broken, self.broken
        for key, row in self.world.memory.rows.items():
            assert row.state != "sent" or self._is_whole(row), f"{key} never left"

    def teardown(self) -> None:
        try:
            self._calm_down()
            assert not self.broken, self.broken
            left = [key for key, row in self.world.memory.rows.items() if row.state == "pending"]
            assert not left, f"{left} are left behind"
        finally:
            self.world.close()

    def _calm_down(self) -> None:
        """Everything works again, customers write, and time passes."""
        self.world.memory.is_away = False
        if not self.world.is_alone:
            self._has_claim_again(is_released=False)
        self.everything_answers()
        for customer in CUSTOMERS:
            self.world.customer_writes(customer, room=1000)
            self.world.commit(customer, [1], is_bot=False)
        for _ in range(CALM_WITHIN_S // 45):
            self.everything_answers()
            self.world.time_passes(45.0)
        self.everything_answers()

    # ------------------------------------------------------------------ inside

    def _go_on(self, call: Call) -> None:
        self.world.go_on(call)

    def _has_claim_again(self, *, is_released: bool) -> None:
        self.world.is_alone = True
        if is_released:
            self.world.memory.release(self.world.clock())
            self.world.delivery.resume()
        self.world.loop.run_until_quiet()

    def _sends(self, *, is_asked: bool = True) -> list[Call]:
        calls = self.world.wire.calls
        return [call for call in calls if call.name == "send" and call.is_asked is is_asked]


TestAnyLanes = AnyLanes.TestCase
TestAnyLanes.settings = settings(max_examples=200, stateful_step_count=40, derandomize=True)
