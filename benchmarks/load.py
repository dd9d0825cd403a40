"""Load: messages that arrive at their own pace, or as fast as they are answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil
from random import Random

from benchmarks.figures import Cost, Load, Spread
from benchmarks.product import Product, Usage
from benchmarks.visitors import MESSAGES_EACH, Visitor, visitors

IN_FLIGHT = 64
"""Messages on their way at once when the most is asked for."""
_GUESSED_PER_S = 500
_MARGIN = 1.5
_SPARE = 40
"""More visitors than needed are ready: some are still being answered, some are handed over."""


@dataclass(slots=True)
class _Tally:
    acks_s: list[float] = field(default_factory=list)
    replies_s: list[float] = field(default_factory=list)
    lost: int = 0
    waited: int = 0
    handed_over: int = 0

    async def ask(self, visitor: Visitor, text: str, intended_at: float) -> None:
        try:
            answer = await visitor.ask(text)
        except (TimeoutError, ConnectionError) as error:
            self.lost += 1
            visitor.is_with_bot = False
            print(f"  no answer: {type(error).__name__} {error}")
            return
        self.acks_s.append(answer.acked_at - intended_at)
        self.replies_s.append(answer.replied_at - intended_at)
        self.waited += answer.has_waited
        self.handed_over += not visitor.is_with_bot


async def paced(product: Product, texts: Iterator[str], *, rate_per_s: float, s: float) -> Load:
    """Messages that arrive at random moments, however slow the answers are (an open loop).

    A time is counted from the moment at which a message was meant to be sent: a server that falls
    behind cannot make its own load lighter.
    """
    random = Random(rate_per_s)  # noqa: S311 - load, not secrets
    arrivals: list[float] = []
    at = random.expovariate(rate_per_s)
    while at < s:
        arrivals.append(at)
        at += random.expovariate(rate_per_s)
    count = ceil(len(arrivals) / MESSAGES_EACH * _MARGIN) + _SPARE
    async with visitors(product.url, count) as pool:
        tally, meter = _Tally(), _Meter(product)

        async def one(text: str, intended_at: float) -> None:
            visitor = await pool.take()
            await tally.ask(visitor, text, intended_at)
            pool.give_back(visitor)

        started = time.perf_counter()
        async with asyncio.TaskGroup() as asking:
            for arrival in arrivals:
                await asyncio.sleep(started + arrival - time.perf_counter())
                asking.create_task(one(next(texts), started + arrival))
        return meter.load(tally, rate_per_s)


async def flat_out(product: Product, texts: Iterator[str], *, s: float) -> Load:
    """As many messages as are answered, ``IN_FLIGHT`` of them on their way at any moment."""
    count = ceil(s * _GUESSED_PER_S / MESSAGES_EACH)
    async with visitors(product.url, count) as pool:
        tally, meter = _Tally(), _Meter(product)
        until = time.perf_counter() + s

        async def keep_asking() -> None:
            while time.perf_counter() < until:
                visitor = await pool.take()
                await tally.ask(visitor, next(texts), time.perf_counter())
                pool.give_back(visitor)

        async with asyncio.TaskGroup() as asking:
            for _ in range(IN_FLIGHT):
                asking.create_task(keep_asking())
        return meter.load(tally, None)


async def fragment_wait(product: Product, texts: Iterator[str]) -> Spread:
    """How long an answer takes where the rest of a sentence is waited for and does not come."""
    beginnings = list(texts)
    async with visitors(product.url, len(beginnings)) as pool:

        async def one(text: str) -> float | None:
            visitor = await pool.take()
            started = time.perf_counter()
            answer = await visitor.ask(text)
            return answer.replied_at - started if answer.has_waited else None

        took_s = await asyncio.gather(*(one(text) for text in beginnings))
    waited_s = [one_s for one_s in took_s if one_s is not None]
    assert waited_s, "the bot waited for none of these beginnings"
    return Spread.of(waited_s)


class _Meter:
    """Reads the clocks at the start and at the end of a run."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._usage = product.usage()
        self._client_s = time.process_time()
        self._started = time.perf_counter()

    def load(self, tally: _Tally, rate_per_s: float | None) -> Load:
        """What the run came to."""
        duration_s = time.perf_counter() - self._started
        answered = len(tally.replies_s)
        client_s = time.process_time() - self._client_s
        return Load(
            rate_per_s=rate_per_s,
            duration_s=duration_s,
            answered=answered,
            lost=tally.lost,
            waited=tally.waited,
            handed_over=tally.handed_over,
            ack=Spread.of(tally.acks_s),
            reply=Spread.of(tally.replies_s),
            cost=_cost(self._usage, self._product.usage(), client_s, max(1, answered)),
        )


def _cost(before: Usage, after: Usage, client_s: float, messages: int) -> Cost:
    def each(seconds: float) -> float:
        return seconds * 1000 / messages

    # threads never end while the server runs, so the busiest stays the busiest
    others_s = sum(after.others_s) - sum(before.others_s)
    writer_s = after.others_s[0] - before.others_s[0]
    return Cost(
        loop=each(after.main_s - before.main_s),
        writer=each(writer_s),
        readers=each(others_s - writer_s),
        kernel=each(after.kernel_s - before.kernel_s),
        written_kb=(after.written_bytes - before.written_bytes) / 1024 / messages,
        client=each(client_s),
    )
