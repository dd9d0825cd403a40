"""Whoever brings more waits for themselves: no source is starved, none is forgotten."""

from __future__ import annotations

from collections import Counter, deque

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.inbox.fair_queue import FairQueue

SOURCES = ("a", "b", "c", "d", "e", "f")
PLACES, SHARE = 4, 2


class Fairness(RuleBasedStateMachine):
    """Sources come, are served, give up and leave in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = FairQueue[int](places=PLACES, share=SHARE)
        self.number = 0
        self.lines: dict[str, deque[int]] = {one: deque() for one in SOURCES}
        self.held: Counter[str] = Counter()
        self.source_of: dict[int, str] = {}
        self.passed_over: Counter[str] = Counter()

    @rule(source=st.sampled_from(SOURCES), count=st.integers(1, 20))
    def come(self, source: str, count: int) -> None:
        if not self.lines[source]:
            self.passed_over[source] = 0
        for _ in range(count):
            self.number += 1
            self.source_of[self.number] = source
            self.lines[source].append(self.number)
            self.queue.add(source, self.number)

    @rule()
    def take(self) -> None:
        free = [one for one in SOURCES if self.lines[one] and self.held[one] < SHARE]
        item = self.queue.take()
        if item is None:
            # a place may stay empty only for want of somebody who may have it
            assert not free or self.held.total() >= PLACES
            return
        source = self.source_of[item]
        assert self.lines[source].popleft() == item, "its own line is first come, first served"
        self.held[source] += 1
        self.passed_over[source] = 0
        for one in free:
            if one != source:
                self.passed_over[one] += 1
                # nobody is passed over by a whole round of the others
                assert self.passed_over[one] < len(SOURCES)

    @precondition(lambda self: self.held.total() > 0)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        source = data.draw(st.sampled_from([one for one in SOURCES if self.held[one]]))
        self.held[source] -= 1
        self.queue.give_back(source)

    @precondition(lambda self: any(self.lines.values()))
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        source = data.draw(st.sampled_from([one for one in SOURCES if self.lines[one]]))
        item = data.draw(st.sampled_from(list(self.lines[source])))
        self.lines[source].remove(item)
        assert self.queue.discard(source, item)
        assert not self.queue.discard(source, item)

    @invariant()
    def no_more_than_places_are_held(self) -> None:
        assert self.queue.held == self.held.total() <= PLACES
        assert len(self.queue) == sum(map(len, self.lines.values()))
        # more than a share is held only by who is, or was, alone
        assert all(count <= max(SHARE, PLACES // 2) for count in self.held.values())


TestFairness = Fairness.TestCase


@given(flood=st.integers(1, 3000), honest=st.integers(1, 20))
def test_who_waits_behind_a_flood_waits_one_round(flood: int, honest: int) -> None:
    queue = FairQueue[str](places=1000, share=100)
    for _ in range(flood):
        queue.add("flood", "flood")
    for number in range(honest):
        queue.add(f"honest {number}", "honest")
    served = [queue.take() for _ in range(2 * honest)]
    assert served.count("honest") >= min(honest, 2 * honest - 1)


@pytest.mark.parametrize("waits_too", [False, True])
def test_a_source_has_more_than_its_share_only_while_nobody_else_waits(*, waits_too: bool) -> None:
    queue = FairQueue[str](places=8, share=2)
    for _ in range(10):
        queue.add("a", "a")
    if waits_too:
        queue.add("b", "b")
    taken = []
    while (item := queue.take()) is not None:
        taken.append(item)
    assert Counter(taken) == ({"a": 2, "b": 1} if waits_too else {"a": 4})
