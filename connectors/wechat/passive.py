"""Answers that can only be given inside a push: for accounts without customer-service messages.

The platform waits five seconds for an answer, then hangs up and delivers the same message again, a
few times. So each push is held: an answer that comes in time goes out at once; one that comes
later goes out by the next delivery of the same message; and if the last delivery runs out too, the
customer reads that any further message will fetch it. What finds no push to go out by is
refused with ``WindowClosed``, so that the outbox keeps it, also over a restart.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from cachetools import LRUCache

from connectors.errors import WindowClosed

NO_PUSH = "passive"
MORE = "（还有内容，随便回复一个字接着看）"
_MAX_TRIES = 5000
_LATE_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class PassiveOptions:
    """See ``WechatAccount``; seconds are real ones, for it is the platform that counts them."""

    deliveries: int = 3
    platform_timeout_s: float = 5.0
    answer_within_s: float = 4.5
    gather_s: float = 0.8
    max_text_bytes: int = 2048
    waiting_text: str = ""


@dataclass(slots=True)
class Push:
    """One message of a customer, over all its deliveries.

    Attributes:
        answer: What it was answered; empty where there is none yet.
        is_late: The answer may have crossed with the platform's hanging up.
    """

    deliveries: int = 0
    answer: str = ""
    is_late: bool = False


@dataclass(slots=True, eq=False)
class _Parcel:
    text: str
    taken: asyncio.Future[None]


@dataclass(slots=True, eq=False)
class _Customer:
    """Who waits: how many pushes are held, and until when another delivery is expected."""

    parcels: deque[_Parcel] = field(default_factory=deque)
    held: int = 0
    expected: asyncio.TimerHandle | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)


class Desk:
    """Brings answers to the pushes that wait for them."""

    def __init__(self, options: PassiveOptions) -> None:
        self._options = options
        self._customers: dict[str, _Customer] = {}
        self._pushes: LRUCache[str, Push] = LRUCache(_MAX_TRIES)
        self._closed = asyncio.Event()

    def close(self) -> None:
        """Hold nothing any longer; the platform delivers again what was held."""
        self._closed.set()
        for openid, customer in list(self._customers.items()):
            customer.news.set()
            self._cancel_expected(customer)
            self._settle(openid)

    # ------------------------------------------------------------------ answers

    async def put(self, openid: str, text: str) -> None:
        """Give an answer to a push of this customer; returns once one has taken it.

        Raises:
            WindowClosed: None waits, and none is expected.
        """
        customer = self._customers.get(openid)
        if customer is None or not self._is_waited_for(customer):
            raise WindowClosed(NO_PUSH, "顾客再发一条消息才能回复")
        parcel = _Parcel(text, asyncio.get_running_loop().create_future())
        customer.parcels.append(parcel)
        customer.news.set()
        try:
            await parcel.taken
        finally:
            if parcel in customer.parcels:
                customer.parcels.remove(parcel)

    # ------------------------------------------------------------------ pushes

    @contextmanager
    def holding(self, openid: str) -> Iterator[None]:
        """A push of this customer is here: answers are welcome from now on."""
        customer = self._customers.setdefault(openid, _Customer())
        self._cancel_expected(customer)
        customer.held += 1
        try:
            yield
        finally:
            customer.held -= 1
            self._settle(openid)

    async def answer(self, openid: str, key: str) -> str | None:
        """What to answer a push with; call it within ``holding``.

        Args:
            key: Equal over the deliveries of one message.

        Returns:
            A text; empty for a bare acknowledgement; ``None`` where the platform has hung up by
            now and shall deliver again.
        """
        options = self._options
        loop = asyncio.get_running_loop()
        started = loop.time()
        push = self._push(key)
        if push.answer:
            return push.answer if push.is_late else ""
        texts = await self._gathered(openid, started + options.answer_within_s)
        if not texts and push.deliveries < options.deliveries:
            self._expect(openid)
            await self._wait_for_hang_up(started)
            return None
        push.answer = "\n\n".join(texts) or options.waiting_text
        push.is_late = loop.time() - started > options.answer_within_s * _LATE_SHARE
        return push.answer

    def missed(self, key: str) -> None:
        """The platform was gone before its answer was written: the next delivery gets it."""
        push = self._pushes.get(key)
        if push is not None:
            push.is_late = True

    def _push(self, key: str) -> Push:
        push = self._pushes.setdefault(key, Push())
        push.deliveries += 1
        return push

    async def _gathered(self, openid: str, deadline: float) -> list[str]:
        """Texts that fit into one answer: those that are there shortly after the first."""
        customer = self._customers[openid]
        loop = asyncio.get_running_loop()
        texts: list[str] = []
        end = deadline
        while not self._closed.is_set():
            while customer.parcels and self._fits(texts, customer.parcels[0].text):
                parcel = customer.parcels.popleft()
                parcel.taken.set_result(None)
                texts.append(parcel.text)
                end = min(deadline, loop.time() + self._options.gather_s)
            customer.news.clear()
            try:
                async with asyncio.timeout_at(end):
                    await customer.news.wait()
            except TimeoutError:
                break
        return [*texts, MORE] if texts and customer.parcels else texts

    def _fits(self, texts: list[str], text: str) -> bool:
        room = self._options.max_text_bytes - len("\n\n".join([*texts, "", MORE]).encode())
        return not texts or len(text.encode()) <= room

    async def _wait_for_hang_up(self, started: float) -> None:
        # an answer of any kind would be taken for the last word; a little longer than they wait
        hang_up_at = started + self._options.platform_timeout_s * 1.1
        try:
            async with asyncio.timeout_at(hang_up_at):
                await self._closed.wait()
        except TimeoutError:
            return

    # ------------------------------------------------------------------ who waits

    def _is_waited_for(self, customer: _Customer) -> bool:
        return not self._closed.is_set() and (customer.held > 0 or customer.expected is not None)

    def _expect(self, openid: str) -> None:
        customer = self._customers[openid]
        self._cancel_expected(customer)
        wait_s = self._options.platform_timeout_s * 2
        loop = asyncio.get_running_loop()
        customer.expected = loop.call_later(wait_s, self._did_not_come, openid)

    def _did_not_come(self, openid: str) -> None:
        self._customers[openid].expected = None
        self._settle(openid)

    def _cancel_expected(self, customer: _Customer) -> None:
        if customer.expected is not None:
            customer.expected.cancel()
            customer.expected = None

    def _settle(self, openid: str) -> None:
        """Refuse what no push is left for."""
        customer = self._customers.get(openid)
        if customer is None or self._is_waited_for(customer):
            return
        for parcel in customer.parcels:
            if not parcel.taken.done():
                parcel.taken.set_exception(WindowClosed(NO_PUSH, "顾客再发一条消息才能回复"))
        customer.parcels = deque()
        if customer.held == 0:
            del self._customers[openid]


__all__ = ["MORE", "NO_PUSH", "Desk", "PassiveOptions", "Push"]
