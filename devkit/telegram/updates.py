"""The updates that wait: read by getUpdates, or pushed.

Source: telegram-bot-api (queues, offsets, the second poller), Bot API documentation (getUpdates).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from devkit.telegram.rules import (
    HAS_WEBHOOK,
    LEFT_OUT,
    OTHER_POLLER,
    Refusal,
)
from devkit.telegram.state import Json

QueueKey = tuple[int, str]

MAX_LIMIT = 100
_SAME_OFFSET_HOLD_S = 3.0
_SAME_OFFSET_ONE_S = 0.5
_FAR = 10


@dataclass(frozen=True, slots=True)
class Pending:
    """An update that nobody has taken yet.

    Attributes:
        key: Its queue: one chat, and messages apart from pressed buttons apart from the rest.
    """

    update: Json
    key: QueueKey
    expires_at: datetime

    @property
    def id(self) -> int:
        """Its number."""
        number: int = self.update["update_id"]
        return number


class Updates:
    """All updates of the bot.

    Attributes:
        allowed: Kinds that are told; ``None``: all but those that must be named.
        next_id: Number of the next update; set it to play a platform that starts anew.
        again: Updates that the next poll gives whatever its offset: a platform that forgot.
        holds: How long the real server would have made each hasty poll wait. Not waited for.
        dropped: Updates that nobody took in time.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.waiting: list[Pending] = []
        self.everything: dict[int, Pending] = {}
        self.allowed: Sequence[str] | None = None
        self.next_id = 870_000_001
        self.again: list[Json] = []
        self.holds: list[float] = []
        self.dropped: list[Json] = []
        self._poller: asyncio.Future[None] | None = None
        self._news = asyncio.Event()
        self._last: tuple[int, datetime] | None = None

    # ------------------------------------------------------------------ in

    def add(self, kind: str, content: Any, queue: QueueKey, life: timedelta) -> Pending:
        """Something happened; kept unless nobody asked for its kind."""
        update = {"update_id": self.next_id, kind: content}
        self.next_id += 1
        pending = Pending(update, queue, self._clock() + life)
        self.everything[pending.id] = pending
        if self.is_allowed(kind):
            self.waiting.append(pending)
            self._news.set()
        return pending

    def is_allowed(self, kind: str) -> bool:
        """Whether such updates are told."""
        return kind in self.allowed if self.allowed else kind not in LEFT_OUT

    def repeat(self, pending: Pending, times: int = 1) -> None:
        """Let the next polls have it once more."""
        self.again += [pending.update] * times
        self._news.set()

    def remove(self, pending: Pending) -> None:
        """It was taken."""
        if pending in self.waiting:
            self.waiting.remove(pending)

    def expire(self) -> None:
        """Drop what waited too long."""
        now = self._clock()
        for pending in [one for one in self.waiting if one.expires_at <= now]:
            self.waiting.remove(pending)
            self.dropped.append(pending.update)

    def head(self, key: QueueKey) -> Pending | None:
        """The oldest of a queue."""
        self.expire()
        return next((one for one in self.waiting if one.key == key), None)

    def queues(self) -> list[QueueKey]:
        """Queues that hold something."""
        return list(dict.fromkeys(one.key for one in self.waiting))

    # ------------------------------------------------------------------ getUpdates

    async def poll(self, offset: int, limit: int, timeout_s: float) -> list[Json]:
        """Answer getUpdates; takes up to ``timeout_s`` while there is nothing.

        Raises:
            Refusal: 409, as soon as somebody else polls.
        """
        self.interrupt()
        limit = self._checked_haste(offset, limit if 1 <= limit <= MAX_LIMIT else MAX_LIMIT)
        self._forget_before(offset)
        me = self._poller = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout_s):
                while not (found := self._found(offset, limit)):
                    self._news.clear()
                    await self._news_or_interruption(me)
        except TimeoutError:
            return []
        finally:
            if self._poller is me:
                self._poller = None
        return found

    def interrupt(self, reason: str = OTHER_POLLER) -> None:
        """End a pending poll with 409."""
        if self._poller is not None and not self._poller.done():
            self._poller.set_exception(Refusal(409, reason))
        self._poller = None

    def interrupt_for_webhook(self) -> None:
        """End a pending poll: updates are pushed from now on."""
        self.interrupt(HAS_WEBHOOK)

    async def _news_or_interruption(self, me: asyncio.Future[None]) -> None:
        news = asyncio.ensure_future(self._news.wait())
        both: set[asyncio.Future[Any]] = {news, me}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            news.cancel()
        if me.done():
            me.result()

    def _found(self, offset: int, limit: int) -> list[Json]:
        again, self.again = self.again[:limit], self.again[limit:]
        fresh = [one.update for one in self.waiting if one.id >= self._known(offset)]
        found = [*fresh[: limit - len(again)], *again]
        return sorted(found, key=lambda update: int(update["update_id"])) if again else found

    def _forget_before(self, offset: int) -> None:
        self.expire()
        if offset < 0:
            self.waiting = self.waiting[offset:]
        elif offset > 0:
            self.waiting = [one for one in self.waiting if one.id >= self._known(offset)]

    def _known(self, offset: int) -> int:
        """An offset far in the future is of an older numbering: everything is newer."""
        return 0 if offset < 0 or offset > self.next_id + _FAR else offset

    def _checked_haste(self, offset: int, limit: int) -> int:
        """Who asks again at once, and from the same place, waits and gets less."""
        now, last, self._last = self._clock(), self._last, (offset, self._clock())
        if last is None or last[0] != offset:
            return limit
        passed_s = (now - last[1]).total_seconds()
        if passed_s < _SAME_OFFSET_HOLD_S:
            self.holds.append(_SAME_OFFSET_HOLD_S)
        return 1 if passed_s < _SAME_OFFSET_ONE_S else limit
