"""The queue in front of expensive work: fair between sources, and never long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from handoff.auth.login_queue import LoginQueue, QueueFull


class Work:
    """Somebody's work behind the queue: it ends when the test says so."""

    def __init__(self, queue: LoginQueue) -> None:
        self.queue = queue
        self.begun: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._ends: dict[str, asyncio.Event] = {}

    async def of(self, source: str, name: str = "") -> asyncio.Task[None]:
        task = asyncio.create_task(self._do(source, name or source))
        self.tasks.append(task)
        await self.settle()
        return task

    async def _do(self, source: str, name: str) -> None:
        async with self.queue.turn(source):
            self.begun.append(name)
            await self._ends.setdefault(name, asyncio.Event()).wait()

    async def ends(self, name: str) -> None:
        self._ends[name].set()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


@asynccontextmanager
async def working(queue: LoginQueue) -> AsyncIterator[Work]:
    work = Work(queue)
    try:
        yield work
    finally:
        for task in work.tasks:
            task.cancel()
        await asyncio.gather(*work.tasks, return_exceptions=True)


async def test_one_at_a_time_works_and_the_others_wait_in_turn() -> None:
    async with working(LoginQueue()) as work:
        for name in ("a", "b", "c"):
            await work.of(name)
        assert work.begun == ["a"]
        await work.ends("a")
        await work.ends("b")
        assert work.begun == ["a", "b", "c"]


async def test_a_source_with_many_waiting_has_one_turn_a_round() -> None:
    async with working(LoginQueue()) as work:
        await work.of("flood", "1")
        for number in (2, 3, 4):
            await work.of("flood", str(number))
        await work.of("agent")
        for name in ("1", "2", "agent"):
            await work.ends(name)
        assert work.begun == ["1", "2", "agent", "3"]


async def test_one_source_cannot_have_more_than_its_places() -> None:
    async with working(LoginQueue(waiting_of_one=2)) as work:
        for number in range(3):
            await work.of("flood", str(number))
        turned_away = await work.of("flood", "one more")
        with pytest.raises(QueueFull) as refused:
            await turned_away
        assert refused.value.retry_after_s > 0


async def test_a_newcomer_takes_the_place_of_whoever_has_the_most() -> None:
    async with working(LoginQueue(waiting=3, waiting_of_one=3)) as work:
        await work.of("flood", "1")
        floods = [await work.of("flood", str(number)) for number in (2, 3, 4)]
        await work.of("agent")
        with pytest.raises(QueueFull):
            await floods[-1]
        assert len(work.queue) == 3
        await work.ends("1")
        assert work.begun[-1] == "agent"


async def test_where_all_have_one_place_the_one_that_waited_longest_goes() -> None:
    async with working(LoginQueue(waiting=2)) as work:
        await work.of("a")
        oldest = await work.of("b")
        await work.of("c")
        await work.of("d")
        with pytest.raises(QueueFull):
            await oldest
        assert len(work.queue) == 2


async def test_in_a_flood_the_newcomer_is_served_next() -> None:
    async with working(LoginQueue(waiting=4)) as work:
        for number in range(400):
            await work.of(f"stranger {number}")
        await work.of("agent")
        await work.ends("stranger 0")
        assert work.begun == ["stranger 0", "agent"]


async def test_in_a_flood_a_source_with_many_has_one_turn_a_round_too() -> None:
    async with working(LoginQueue(waiting=4)) as work:
        await work.of("a")
        await work.of("b")
        for number in range(3):
            await work.of("flood", f"flood {number}")
        for name in ("a", "flood 0"):
            await work.ends(name)
        assert work.begun == ["a", "flood 0", "b"]


async def test_whoever_goes_away_while_waiting_leaves_no_gap() -> None:
    async with working(LoginQueue()) as work:
        await work.of("a")
        gone = await work.of("b")
        await work.of("c")
        gone.cancel()
        await work.ends("a")
        assert work.begun == ["a", "c"]


async def test_a_turn_given_to_somebody_who_just_left_goes_to_the_next() -> None:
    async with working(LoginQueue()) as work:
        await work.of("a")
        leaving = await work.of("b")
        await work.of("c")
        work._ends["a"].set()
        await asyncio.sleep(0)  # the turn is given, but not yet taken
        assert len(work.queue) == 1
        leaving.cancel()
        await work.settle()
        assert work.begun == ["a", "c"]
        assert len(work.queue) == 0


async def test_work_that_fails_gives_its_turn_back() -> None:
    queue = LoginQueue()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with queue.turn("a"):
                raise ZeroDivisionError
    async with queue.turn("b"):
        assert len(queue) == 0


async def test_after_a_turn_the_place_rests_in_proportion_to_it() -> None:
    now_s, waiting = 0.0, []
    queue = LoginQueue(
        rests=3.0,
        now_s=lambda: now_s,
        later=lambda seconds, call: waiting.append((seconds, call)),
    )
    async with working(queue) as work:
        await work.of("a")
        await work.of("b")
        now_s = 0.5
        await work.ends("a")
        (rest,) = waiting
        assert rest[0] == 1.5
        assert work.begun == ["a"]
        rest[1]()
        await work.settle()
        assert work.begun == ["a", "b"]


async def test_whoever_comes_during_a_rest_waits_for_its_end() -> None:
    now_s, waiting = 0.0, []
    queue = LoginQueue(
        rests=1.0,
        now_s=lambda: now_s,
        later=lambda _seconds, call: waiting.append(call),
    )
    async with working(queue) as work:
        await work.of("a")
        now_s = 1.0
        await work.ends("a")
        await work.of("b")
        assert work.begun == ["a"]
        waiting[0]()
        await work.settle()
        assert work.begun == ["a", "b"]
